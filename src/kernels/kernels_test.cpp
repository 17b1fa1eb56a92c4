#include "kernels/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kernels/test_support.h"

namespace segue::kernels {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// A sum in double precision and the size its rounding errors grow with.
struct Sum {
    double value = 0;
    double magnitude = 0;

    void add(double term) {
        value += term;
        magnitude += std::abs(term);
    }
    /// f32 sums of n terms in any order stay within n * epsilon * magnitude.
    double bound(std::size_t n) const {
        return static_cast<double>(n + 2) * kEpsilon * magnitude + 1e-37;
    }
};

Sum dot_of(const float* left, const float* right, std::size_t n) {
    Sum sum;
    for (std::size_t i = 0; i < n; ++i) {
        sum.add(static_cast<double>(left[i]) * right[i]);
    }
    return sum;
}

std::vector<std::size_t> lengths() {
    std::vector<std::size_t> all;
    for (std::size_t n = 0; n <= 4 * 16 + 3; ++n) {
        all.push_back(n);
    }
    all.insert(all.end(), {100, 127, 128, 129, 255, 257, 1000, 4099});
    return all;
}

class Kernels : public EveryTable {};

INSTANTIATE_TEST_SUITE_P(Tables, Kernels, every_supported_table(), name_of_table);

TEST(KernelTables, begin_with_the_scalar_one_and_are_found_by_name) {
    EXPECT_STREQ(supported_kernels().front()->name, "scalar");
    for (const KernelTable* table : supported_kernels()) {
        const Result<const KernelTable*> found = kernels_by_name(table->name);
        ASSERT_TRUE(found.ok());
        EXPECT_EQ(*found, table);
    }
}

TEST(KernelTables, an_unknown_name_is_an_error_that_lists_the_names) {
    const Result<const KernelTable*> found = kernels_by_name("sse9");
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(found.status().message().find("scalar, avx2, avx512 and avx512vnni"),
              std::string::npos);
}

TEST(KernelTables, the_active_one_is_supported) {
    bool found = false;
    for (const KernelTable* table : supported_kernels()) {
        found = found || table == &active_kernels();
    }
    EXPECT_TRUE(found);
}

TEST_P(Kernels, dot_and_distance_match_double_sums_for_all_lengths_and_offsets) {
    const AlignedBuffer<float> left = random_floats(4200, 1);
    const AlignedBuffer<float> right = random_floats(4200, 2);
    for (const std::size_t n : lengths()) {
        for (std::size_t offset = 0; offset < 16; ++offset) {
            const float* a = left.data() + offset;
            const float* b = right.data() + (offset * 7) % 16;
            const Sum exact = dot_of(a, b, n);
            ASSERT_NEAR(kernels().dot(a, b, n), exact.value, exact.bound(n))
                << n << " at " << offset;
            Sum distance;
            for (std::size_t i = 0; i < n; ++i) {
                const double difference = static_cast<double>(a[i]) - b[i];
                distance.add(difference * difference);
            }
            ASSERT_NEAR(kernels().squared_distance(a, b, n), distance.value, distance.bound(n + 4));
        }
    }
}

TEST_P(Kernels, sum_of_squares_is_the_same_bytes_for_all_lengths_and_offsets) {
    AlignedBuffer<float> values = random_floats(4200, 6);
    for (std::size_t i = 0; i < values.size(); i += 3) {
        values[i] *= i % 2 == 0 ? 1e-25F : 1e12F;
    }
    const double exact_of_four = 1 + 4 + 9 + 16;
    const float four[] = {1, -2, 3, -4};
    EXPECT_EQ(kernels().sum_of_squares(four, 4), exact_of_four);
    for (const std::size_t n : lengths()) {
        for (std::size_t offset = 0; offset < 16; ++offset) {
            const float* const x = values.data() + offset;
            double sums[8] = {};
            for (std::size_t i = 0; i < n; ++i) {
                sums[i % 8] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
            }
            const double exact = ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
                                 ((sums[4] + sums[5]) + (sums[6] + sums[7]));
            ASSERT_EQ(kernels().sum_of_squares(x, n), exact) << n << " at " << offset;
        }
    }
    values[5] = kInfinity;
    EXPECT_EQ(kernels().sum_of_squares(values.data(), 9), kInfinity);
    values[5] = kNan;
    EXPECT_TRUE(std::isnan(kernels().sum_of_squares(values.data(), 9)));
}

TEST_P(Kernels, axpy_and_scale_touch_their_elements_and_no_other) {
    const AlignedBuffer<float> x = random_floats(4200, 3);
    for (const std::size_t n : lengths()) {
        for (std::size_t offset = 0; offset < 16; ++offset) {
            AlignedBuffer<float> y = random_floats(4200, 4);
            const AlignedBuffer<float> before = random_floats(4200, 4);
            kernels().axpy(0.5F, x.data() + offset, y.data() + offset, n);
            kernels().scale(3, y.data() + offset, n);
            for (std::size_t i = 0; i < std::min<std::size_t>(y.size(), n + 40); ++i) {
                const bool inside = i >= offset && i < offset + n;
                const double exact = inside ? 3 * (before[i] + 0.5 * x[i]) : before[i];
                ASSERT_NEAR(y[i], exact,
                            inside ? 3 * kEpsilon * (std::abs(before[i]) + std::abs(x[i])) * 3 : 0)
                    << n << " at " << offset << ", element " << i;
            }
        }
    }
}

TEST_P(Kernels, dot_many_and_squared_norms_match_double_sums) {
    for (const std::size_t dim : lengths()) {
        if (dim == 0) {
            continue;
        }
        for (const std::size_t num_rows : {0U, 1U, 3U, 4U, 9U}) {
            const std::size_t stride = dim + dim % 3;
            const AlignedBuffer<float> rows = random_floats(num_rows * stride + 1, dim);
            const AlignedBuffer<float> query = random_floats(dim, 5);
            std::vector<float> products(num_rows + 1, -7);
            std::vector<float> norms(num_rows + 1, -7);
            kernels().dot_many(query.data(), rows.data(), stride, num_rows, dim, products.data());
            kernels().squared_norms(rows.data(), stride, num_rows, dim, norms.data());
            for (std::size_t r = 0; r < num_rows; ++r) {
                const float* row = rows.data() + r * stride;
                const Sum product = dot_of(query.data(), row, dim);
                ASSERT_NEAR(products[r], product.value, product.bound(dim));
                const Sum norm = dot_of(row, row, dim);
                ASSERT_NEAR(norms[r], norm.value, norm.bound(dim));
            }
            EXPECT_EQ(products[num_rows], -7);
            EXPECT_EQ(norms[num_rows], -7);
        }
    }
}

TEST_P(Kernels, a_product_does_not_depend_on_how_many_rows_are_asked_for) {
    constexpr std::size_t kDim = 37;
    const AlignedBuffer<float> rows = random_floats(50 * kDim, 6);
    const AlignedBuffer<float> query = random_floats(kDim, 7);
    std::vector<float> all(50);
    kernels().dot_many(query.data(), rows.data(), kDim, 50, kDim, all.data());
    for (std::size_t r = 0; r < 50; ++r) {
        float one = 0;
        kernels().dot_many(query.data(), rows.data() + r * kDim, kDim, 1, kDim, &one);
        EXPECT_EQ(one, all[r]);
    }
}

TEST_P(Kernels, multiply_transposed_matches_double_sums) {
    for (const std::size_t dim : {1U, 7U, 16U, 33U, 64U, 100U}) {
        for (const std::size_t num_queries : {0U, 1U, 2U, 5U, 9U}) {
            for (const std::size_t num_rows : {0U, 1U, 4U, 11U}) {
                const AlignedBuffer<float> queries = random_floats(num_queries * (dim + 2) + 1, 8);
                const AlignedBuffer<float> rows = random_floats(num_rows * (dim + 1) + 1, 9);
                std::vector<float> products(num_queries * (num_rows + 3) + 3, -7);
                kernels().multiply_transposed({.queries = queries.data(),
                                               .query_stride = dim + 2,
                                               .num_queries = num_queries,
                                               .rows = rows.data(),
                                               .stride = dim + 1,
                                               .num_rows = num_rows,
                                               .dim = dim,
                                               .products = products.data(),
                                               .product_stride = num_rows + 3});
                for (std::size_t q = 0; q < num_queries; ++q) {
                    for (std::size_t r = 0; r < num_rows; ++r) {
                        const Sum exact = dot_of(queries.data() + q * (dim + 2),
                                                 rows.data() + r * (dim + 1), dim);
                        ASSERT_NEAR(products[q * (num_rows + 3) + r], exact.value,
                                    exact.bound(dim));
                    }
                    EXPECT_EQ(products[q * (num_rows + 3) + num_rows], -7);
                }
            }
        }
    }
}

TEST_P(Kernels, select_above_gives_the_ascending_indices_and_no_nan) {
    for (const std::size_t n : lengths()) {
        AlignedBuffer<float> scores = random_floats(n + 16, 10);
        for (std::size_t i = 0; i < n; i += 5) {
            scores[i] = i % 2 == 0 ? kNan : kInfinity;
        }
        for (const float threshold : {-kInfinity, -1.0F, 0.5F, scores[n / 2], kInfinity, kNan}) {
            std::vector<std::uint32_t> found(n + kLanePadding);
            found.resize(kernels().select_above(scores.data(), n, threshold, found.data()));
            std::vector<std::uint32_t> expected;
            for (std::size_t i = 0; i < n; ++i) {
                if (scores[i] > threshold) {
                    expected.push_back(static_cast<std::uint32_t>(i));
                }
            }
            ASSERT_EQ(found, expected) << n << " above " << threshold;
        }
    }
}

struct SelectCase {
    std::size_t dim;
    std::size_t num_rows;
    std::size_t num_queries;
    bool scaled;
};

/// The hits of one query with the scores of all rows, in double precision.
void expect_hits_of_case(const KernelTable& kernels, const SelectCase& c) {
    const AlignedBuffer<float> queries = random_floats(kQueryBlock * c.dim, 11);
    const AlignedBuffer<float> rows = random_floats(c.num_rows * c.dim + 1, 12);
    const AlignedBuffer<float> scale = random_floats(c.num_rows + 1, 13);
    const AlignedBuffer<float> bias = random_floats(c.num_rows + 1, 14);
    AlignedBuffer<float> packed(kQueryBlock * c.dim);
    pack_queries(queries.data(), c.dim, c.num_queries, c.dim, packed.data());
    std::vector<float> thresholds(kQueryBlock, kInfinity);
    for (std::size_t q = 0; q < c.num_queries; ++q) {
        thresholds[q] = q % 3 == 0 ? -kInfinity : 0.3F;
    }
    std::vector<Hit> hits(kQueryBlock * c.num_rows + 1);
    const std::size_t count = kernels.select_products({.packed_queries = packed.data(),
                                                       .thresholds = thresholds.data(),
                                                       .rows = rows.data(),
                                                       .stride = c.dim,
                                                       .num_rows = c.num_rows,
                                                       .dim = c.dim,
                                                       .first_row = 1000,
                                                       .scale = c.scaled ? scale.data() : nullptr,
                                                       .bias = c.scaled ? bias.data() : nullptr},
                                                      hits.data());
    ASSERT_LE(count, kQueryBlock * c.num_rows);
    std::vector<std::vector<Hit>> of_query(kQueryBlock);
    for (std::size_t h = 0; h < count; ++h) {
        ASSERT_LT(hits[h].query, c.num_queries);
        of_query[hits[h].query].push_back(hits[h]);
    }
    for (std::size_t q = 0; q < c.num_queries; ++q) {
        std::size_t next = 0;
        for (std::size_t r = 0; r < c.num_rows; ++r) {
            const Sum product = dot_of(queries.data() + q * c.dim, rows.data() + r * c.dim, c.dim);
            const double score = c.scaled ? scale[r] * product.value + bias[r] : product.value;
            const double bound = product.bound(c.dim + 2) * (c.scaled ? std::abs(scale[r]) : 1) +
                                 2 * kEpsilon * std::abs(bias[r]);
            const bool hit = next < of_query[q].size() && of_query[q][next].row == 1000 + r;
            if (std::abs(score - thresholds[q]) > bound) {
                ASSERT_EQ(hit, score > thresholds[q]) << "query " << q << " row " << r;
            }
            if (hit) {
                ASSERT_NEAR(of_query[q][next].score, score, bound);
                ++next;
            }
        }
        ASSERT_EQ(next, of_query[q].size());
    }
}

TEST_P(Kernels, select_products_finds_what_passes_each_querys_threshold) {
    for (const std::size_t dim : {1U, 3U, 16U, 50U, 64U}) {
        for (const std::size_t num_rows : {0U, 1U, 5U, 6U, 7U, 31U}) {
            for (const std::size_t num_queries : {1U, 17U, 64U}) {
                for (const bool scaled : {false, true}) {
                    expect_hits_of_case(kernels(), {dim, num_rows, num_queries, scaled});
                    ASSERT_FALSE(HasFatalFailure()) << dim << " " << num_rows << " " << num_queries;
                }
            }
        }
    }
}

TEST_P(Kernels, extreme_and_odd_numbers_follow_ieee_arithmetic) {
    constexpr std::size_t kDim = 37;
    constexpr float kHuge = std::numeric_limits<float>::max();
    constexpr float kTiny = std::numeric_limits<float>::min();
    std::vector<float> ones(kDim, 1);
    for (const std::size_t at : {0U, 16U, 31U, 36U}) {
        std::vector<float> row(kDim, 0);
        for (const float value : {kHuge, -kHuge, kTiny, kInfinity, -kInfinity}) {
            row[at] = value;
            float many = 0;
            kernels().dot_many(ones.data(), row.data(), kDim, 1, kDim, &many);
            EXPECT_EQ(many, value);
            EXPECT_EQ(kernels().dot(ones.data(), row.data(), kDim), value);
        }
        row[at] = kNan;
        EXPECT_TRUE(std::isnan(kernels().dot(ones.data(), row.data(), kDim)));
        row[at] = kHuge;
        EXPECT_EQ(kernels().dot(row.data(), row.data(), kDim), kInfinity);
    }
}

}  // namespace
}  // namespace segue::kernels
