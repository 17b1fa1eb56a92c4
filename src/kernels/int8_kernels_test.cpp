#include "kernels/int8_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "kernels/test_support.h"

namespace segue::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Every level against loops in doubles and 64-bit integers.
class Int8 : public EveryTable {
protected:
    const Int8Kernels& int8() const { return *kernels().int8; }
};
INSTANTIATE_TEST_SUITE_P(Levels, Int8, every_supported_table(), name_of_table);

/// An array of its own, so that a sanitizer sees reads behind its end.
template <typename Value>
std::unique_ptr<Value[]> random_array(std::size_t count, std::int64_t low, std::int64_t high,
                                      std::uint64_t seed) {
    Random random(seed);
    auto values = std::make_unique<Value[]>(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = static_cast<Value>(low + static_cast<std::int64_t>(random.below(
                                                 static_cast<std::uint64_t>(high - low + 1))));
    }
    return values;
}

std::size_t row_bytes_of(std::size_t dim) {
    return dim <= 16 ? 16 : dim <= 32 ? 32 : (dim + 63) / 64 * 64;
}

template <typename Element>
std::int64_t product(const Element* query, const std::uint8_t* row, std::size_t dim) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        sum += static_cast<std::int64_t>(query[i]) * (static_cast<std::int64_t>(row[i]) - 128);
    }
    return sum;
}

std::vector<float> random_scales(std::size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<float> scales(count);
    for (float& scale : scales) {
        scale = static_cast<float>(random.uniform() + 0.1);
    }
    return scales;
}

bool same_hits(std::vector<RowHit> left, std::vector<RowHit> right) {
    return std::equal(
        left.begin(), left.end(), right.begin(), right.end(),
        [](const RowHit& a, const RowHit& b) { return a.row == b.row && a.sum == b.sum; });
}

TEST_P(Int8, select_rows_finds_what_a_loop_finds_at_any_size) {
    for (const std::size_t dim :
         {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128, 129, 192, 200, 4096}) {
        const std::size_t row_bytes = row_bytes_of(dim);
        for (std::size_t num_rows = 0; num_rows <= (dim < 200 ? 67U : 19U); ++num_rows) {
            const auto rows = random_array<std::uint8_t>(num_rows * row_bytes, 0, 255, num_rows);
            auto query = random_array<std::int16_t>(row_bytes, -2000, 2000, dim);
            std::fill(query.get() + dim, query.get() + row_bytes, std::int16_t{0});
            const std::vector<float> scales = random_scales(num_rows, 3);
            const std::vector<float> biases = random_scales(num_rows, 4);
            for (const float threshold : {-kInfinity, 1000.0F * static_cast<float>(dim), 0.0F}) {
                std::vector<RowHit> expected;
                for (std::size_t row = 0; row < num_rows; ++row) {
                    const std::int64_t sum =
                        product(query.get(), rows.get() + row * row_bytes, dim);
                    const float value = std::fma(scales[row], static_cast<float>(sum), biases[row]);
                    if (value >= threshold) {
                        expected.push_back(
                            {static_cast<std::uint32_t>(row), static_cast<std::int32_t>(sum)});
                    }
                }
                std::vector<RowHit> found(num_rows);
                found.resize(int8().select_rows({.query = query.get(),
                                                 .rows = rows.get(),
                                                 .row_bytes = row_bytes,
                                                 .num_rows = num_rows,
                                                 .scales = scales.data(),
                                                 .biases = biases.data(),
                                                 .threshold = threshold},
                                                found.data()));
                ASSERT_TRUE(same_hits(found, expected)) << dim << " x " << num_rows;
            }
        }
    }
}

TEST_P(Int8,
       select_rows_is_exact_at_the_greatest_query_and_takes_rows_whose_value_is_not_a_number) {
    constexpr std::size_t kDim = 4096;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{255}}) {
        for (const bool whole : {false, true}) {
            // Either few of the greatest elements, or the greatest sum over all of them.
            std::vector<std::int16_t> query(kDim);
            for (std::size_t i = 0; i < (whole ? kDim : 256); ++i) {
                query[i] = static_cast<std::int16_t>(whole ? kMaxQuerySum / kDim : 32000);
            }
            query[0] = whole ? query[0] : std::int16_t{-kMaxQueryElement};
            const std::vector<std::uint8_t> rows(2 * kDim, byte);
            const std::vector<float> scales = {1, 0};
            const std::vector<float> biases = {0, nan};
            std::vector<RowHit> hits(2);
            ASSERT_EQ(int8().select_rows({.query = query.data(),
                                          .rows = rows.data(),
                                          .row_bytes = kDim,
                                          .num_rows = 2,
                                          .scales = scales.data(),
                                          .biases = biases.data(),
                                          .threshold = -kInfinity},
                                         hits.data()),
                      2U);
            EXPECT_EQ(hits[0].sum, product(query.data(), rows.data(), kDim));
            EXPECT_EQ(hits[1].row, 1U);
            EXPECT_EQ(int8().select_rows({.query = query.data(),
                                          .rows = rows.data(),
                                          .row_bytes = kDim,
                                          .num_rows = 2,
                                          .scales = scales.data(),
                                          .biases = biases.data(),
                                          .threshold = kInfinity},
                                         hits.data()),
                      1U);
        }
    }
}

/// A block of random queries and rows with everything a test in BlockScan uses.
struct RandomBlock {
    std::size_t dim;
    std::size_t num_queries;
    std::size_t num_rows;
    std::unique_ptr<std::int8_t[]> queries;
    std::unique_ptr<std::uint8_t[]> rows;
    AlignedBuffer<std::uint8_t> packed;
    std::vector<std::int32_t> query_sums = std::vector<std::int32_t>(kQueryBlock);
    std::vector<float> thresholds = std::vector<float>(kQueryBlock, kInfinity);
    std::vector<float> error_factors = std::vector<float>(kQueryBlock);
    std::vector<float> length_factors = std::vector<float>(kQueryBlock);
    std::vector<float> offset_factors = std::vector<float>(kQueryBlock);
    std::vector<float> scales;
    std::vector<float> factors;
    std::vector<float> offsets;
    std::vector<BlockLimits> limits;

    RandomBlock(const Int8Kernels& int8, std::size_t dimension, std::size_t query_count,
                std::size_t row_count, bool plain)
        : dim(dimension),
          num_queries(query_count),
          num_rows(row_count),
          queries(random_array<std::int8_t>(num_queries * dim, -127, 127, dim)),
          rows(random_array<std::uint8_t>(num_rows * row_bytes_of(dim), 0, 255, dim + 1)),
          packed(packed_query_bytes(dim)),
          scales(random_scales(num_rows, 1)) {
        int8.pack_queries(queries.get(), num_queries, dim, packed.data());
        Random random(dim * 100 + num_rows);
        for (std::size_t q = 0; q < num_queries; ++q) {
            for (std::size_t i = 0; i < dim; ++i) {
                query_sums[q] += queries[q * dim + i];
            }
            const double spread = 5000 * std::sqrt(static_cast<double>(dim));
            thresholds[q] = static_cast<float>(random.normal() * spread);
            error_factors[q] = static_cast<float>(random.uniform() * spread / 4);
            length_factors[q] = static_cast<float>(random.uniform() * spread / 4);
            offset_factors[q] = static_cast<float>(random.uniform());
        }
        if (num_queries > 2) {
            thresholds[0] = -kInfinity;
            thresholds[1] = kInfinity;
        }
        if (!plain) {
            factors = random_scales(num_rows, 2);
            offsets = random_scales(num_rows, 3);
            for (std::size_t row = 0; row < num_rows; ++row) {
                offsets[row] *= 3000;
                scales[row] = row % 7 == 3 ? 0 : scales[row];
            }
        }
        set_limits();
    }

    void set_limits() {
        constexpr float kGreatest = std::numeric_limits<float>::max();
        for (std::size_t first = 0; first < num_rows; first += kLimitRows) {
            const auto begin = static_cast<std::ptrdiff_t>(first);
            const auto end = static_cast<std::ptrdiff_t>(std::min(first + kLimitRows, num_rows));
            const auto [low, high] =
                std::minmax_element(scales.begin() + begin, scales.begin() + end);
            BlockLimits block = {.error = 0.5F,
                                 .length = 0.25F,
                                 .inverse_of_greatest_scale = *high > 0 ? 1 / *high : kGreatest,
                                 .inverse_of_least_scale = *low > 0 ? 1 / *low : kGreatest};
            if (!factors.empty()) {
                const auto range =
                    std::minmax_element(factors.begin() + begin, factors.begin() + end);
                block.least_factor = *range.first;
                block.greatest_factor = *range.second;
                block.least_offset =
                    *std::min_element(offsets.begin() + begin, offsets.begin() + end);
            }
            limits.push_back(block);
        }
    }

    BlockScan scan() const {
        return {.packed_queries = packed.data(),
                .query_sums = query_sums.data(),
                .thresholds = thresholds.data(),
                .error_factors = error_factors.data(),
                .length_factors = length_factors.data(),
                .offset_factors = offset_factors.data(),
                .rows = rows.get(),
                .row_bytes = row_bytes_of(dim),
                .dim = dim,
                .num_rows = num_rows,
                .scales = scales.data(),
                .factors = factors.empty() ? nullptr : factors.data(),
                .offsets = offsets.empty() ? nullptr : offsets.data(),
                .limits = limits.data()};
    }

    /// Sorted by query, then row, as (query, row, sum).
    std::vector<std::vector<std::int64_t>> expected() const {
        std::vector<std::vector<std::int64_t>> hits;
        for (std::size_t q = 0; q < num_queries; ++q) {
            for (std::size_t row = 0; row < num_rows; ++row) {
                const std::int64_t sum =
                    product(queries.get() + q * dim, rows.get() + row * row_bytes_of(dim), dim);
                const BlockLimits& block = limits[row / kLimitRows];
                const float error =
                    std::fma(length_factors[q], block.length, error_factors[q] * block.error);
                const float offset = offsets.empty() ? 0 : offsets[row];
                const float least = std::fma(thresholds[q], factors.empty() ? 1 : factors[row],
                                             std::fma(offset_factors[q], offset, -error));
                if (!(scales[row] * static_cast<float>(sum) < least)) {
                    hits.push_back(
                        {static_cast<std::int64_t>(q), static_cast<std::int64_t>(row), sum});
                }
            }
        }
        return hits;
    }

    std::vector<std::vector<std::int64_t>> found(const Int8Kernels& int8) const {
        std::vector<BlockHit> hits(kQueryBlock * num_rows);
        hits.resize(int8.select_block(scan(), hits.data()));
        std::vector<std::vector<std::int64_t>> rows_found;
        for (const BlockHit& hit : hits) {
            rows_found.push_back({hit.query, hit.row, hit.sum});
        }
        std::stable_sort(rows_found.begin(), rows_found.end(),
                         [](const auto& left, const auto& right) { return left[0] < right[0]; });
        return rows_found;
    }
};

TEST_P(Int8, select_block_finds_what_a_loop_finds_at_any_size) {
    for (const std::size_t dim : {1, 2, 3, 4, 5, 16, 31, 32, 33, 63, 64, 70, 100, 511, 513}) {
        for (const std::size_t num_rows : {0, 1, 2, 3, 4, 5, 31, 32, 33, 64, 67, 100}) {
            for (const std::size_t num_queries : {1, 15, 63, 64}) {
                for (const bool plain : {false, true}) {
                    const RandomBlock block(int8(), dim, num_queries, num_rows, plain);
                    ASSERT_EQ(block.found(int8()), block.expected())
                        << dim << " x " << num_rows << " x " << num_queries;
                }
            }
        }
    }
}

TEST_P(Int8, select_block_leaves_out_by_length_only_rows_that_are_no_hits) {
    for (const std::size_t dim : {3, 32, 70}) {
        RandomBlock block(int8(), dim, 50, 200, false);
        const std::size_t row_bytes = row_bytes_of(dim);
        for (std::size_t row = 0; row < block.num_rows; ++row) {
            block.scales[row] = row < 100 ? 0.001F : 1.0F;
            BlockLimits& limits = block.limits[row / kLimitRows];
            const float least = row / kLimitRows < 3 || row / kLimitRows == 3 ? 0.001F : 1.0F;
            limits.inverse_of_least_scale = 1 / least;
            limits.inverse_of_greatest_scale = row / kLimitRows < 3 ? 1000.0F : 1.0F;
            double squared = 0;
            for (std::size_t i = 0; i < dim; ++i) {
                const double element = block.rows[row * row_bytes + i] - 128.0;
                squared += element * element;
            }
            const double length = std::sqrt(squared) * static_cast<double>(block.scales[row]);
            limits.length = std::max(limits.length, static_cast<float>(length * 1.00001));
        }
        std::vector<float> lengths(kQueryBlock);
        for (std::size_t q = 0; q < block.num_queries; ++q) {
            double squared = 0;
            for (std::size_t i = 0; i < dim; ++i) {
                squared += static_cast<double>(block.queries[q * dim + i]) *
                           static_cast<double>(block.queries[q * dim + i]);
            }
            lengths[q] = static_cast<float>(std::sqrt(squared) * 1.00001);
            // Above what the rows of the first blocks can reach, below what others do.
            block.thresholds[q] = lengths[q] * (q % 2 == 0 ? 1.0F : 40.0F);
            block.error_factors[q] = 0;
            block.length_factors[q] = 0;
        }
        BlockScan scan = block.scan();
        scan.query_lengths = lengths.data();
        std::vector<BlockHit> hits(kQueryBlock * block.num_rows);
        const std::size_t with = int8().select_block(scan, hits.data());
        scan.query_lengths = nullptr;
        EXPECT_EQ(with, int8().select_block(scan, hits.data()));
        EXPECT_EQ(block.found(int8()), block.expected());
    }
}

TEST_P(Int8, select_block_is_exact_at_the_greatest_sums) {
    for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{255}}) {
        RandomBlock block(int8(), 4096, 3, 5, true);
        std::fill_n(block.rows.get(), 5 * 4096, byte);
        std::fill_n(block.queries.get(), 3 * 4096, std::int8_t{-127});
        int8().pack_queries(block.queries.get(), 3, 4096, block.packed.data());
        std::fill_n(block.query_sums.begin(), 3, -127 * 4096);
        EXPECT_EQ(block.found(int8()), block.expected());
    }
}

TEST_P(Int8, select_block_takes_every_row_of_a_block_without_a_bound) {
    RandomBlock block(int8(), 40, 64, 70, false);
    std::fill_n(block.error_factors.begin(), 64, 1.0F);
    for (float& threshold : block.thresholds) {
        threshold = std::min(threshold, 1e30F);
    }
    block.limits[1].error = kInfinity;
    const auto hits = block.found(int8());
    EXPECT_EQ(hits, block.expected());
    EXPECT_EQ(std::count_if(hits.begin(), hits.end(),
                            [](const auto& hit) { return hit[1] >= 32 && hit[1] < 64; }),
              32 * 64);
}

}  // namespace
}  // namespace segue::kernels
