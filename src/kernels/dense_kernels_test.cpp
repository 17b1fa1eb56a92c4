#include "kernels/dense_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/test_support.h"

namespace segue::kernels {
namespace {

constexpr double kRounding = 1e-6;  // of the sum of the absolute products, for a few hundred

class DenseKernelsOf : public EveryTable {
protected:
    const DenseKernels& dense() const { return *kernels().dense; }
};

TEST_P(DenseKernelsOf, subtract_products_of_packed_strips) {
    for (const std::size_t depth : {0, 1, 3, 32, 127}) {
        constexpr std::size_t kLeft = 3;
        constexpr std::size_t kRight = 2;
        const std::size_t stride = kRight * kRightStrip + 5;
        const std::size_t left_step = (depth + 2) * kLeftStrip;
        const std::size_t right_step = (depth + 1) * kRightStrip;
        const AlignedBuffer<float> left = random_floats(kLeft * left_step, depth + 1);
        const AlignedBuffer<float> right = random_floats(kRight * right_step, depth + 2);
        AlignedBuffer<float> out = random_floats(kLeft * kLeftStrip * stride, depth + 3);
        const AlignedBuffer<float> before = random_floats(kLeft * kLeftStrip * stride, depth + 3);
        dense().subtract_products({.left = left.data(),
                                   .left_step = left_step,
                                   .num_left = kLeft,
                                   .right = right.data(),
                                   .right_step = right_step,
                                   .num_right = kRight,
                                   .depth = depth,
                                   .out = out.data(),
                                   .out_stride = stride});
        for (std::size_t i = 0; i < kLeft * kLeftStrip; ++i) {
            for (std::size_t j = 0; j < stride; ++j) {
                double sum = static_cast<double>(before[i * stride + j]);
                double size = std::abs(sum);
                for (std::size_t k = 0; k < depth && j < kRight * kRightStrip; ++k) {
                    const double term =
                        static_cast<double>(
                            left[i / kLeftStrip * left_step + k * kLeftStrip + i % kLeftStrip]) *
                        static_cast<double>(right[j / kRightStrip * right_step + k * kRightStrip +
                                                  j % kRightStrip]);
                    sum -= term;
                    size += std::abs(term);
                }
                ASSERT_NEAR(static_cast<double>(out[i * stride + j]), sum, kRounding * size);
            }
        }
    }
}

TEST_P(DenseKernelsOf, sum_weighted_rows_of_a_table) {
    constexpr std::size_t kRows = 40;
    for (std::size_t dim = kLanePadding; dim <= 17 * kLanePadding; dim += kLanePadding) {
        for (const std::size_t num_entries : {0, 1, 7, 30}) {
            const std::size_t stride = dim + 3;
            const AlignedBuffer<float> table = random_floats(kRows * stride, dim);
            const AlignedBuffer<float> weights = random_floats(num_entries, dim + num_entries);
            std::vector<std::uint32_t> columns;
            for (std::size_t k = 0; k < num_entries; ++k) {
                columns.push_back(static_cast<std::uint32_t>(k * 17 % kRows));
            }
            AlignedBuffer<float> out = random_floats(dim, 5);
            dense().sum_rows({table.data(), stride, dim, columns.data(), weights.data(),
                              num_entries, out.data()});
            for (std::size_t d = 0; d < dim; ++d) {
                double sum = 0;
                double size = 0;
                for (std::size_t k = 0; k < num_entries; ++k) {
                    const double term = static_cast<double>(weights[k]) *
                                        static_cast<double>(table[columns[k] * stride + d]);
                    sum += term;
                    size += std::abs(term);
                }
                ASSERT_NEAR(static_cast<double>(out[d]), sum, kRounding * size) << dim;
            }
        }
    }
}

TEST_P(DenseKernelsOf, multiply_sparse_rows_by_a_panel) {
    constexpr std::size_t kTableRows = 40;
    constexpr std::size_t kStride = 2 * kPanel;
    const AlignedBuffer<float> table = random_floats(kTableRows * kPanel, 1);
    for (const std::size_t num_rows : {1, 2, 50}) {
        std::vector<std::uint64_t> offsets = {0};
        std::vector<std::uint32_t> rows;
        for (std::size_t row = 0; row < num_rows; ++row) {
            offsets.push_back(offsets.back() + row * 7 % 12);
            rows.push_back(static_cast<std::uint32_t>(num_rows - 1 - row));
        }
        std::vector<std::uint32_t> columns;
        for (std::size_t k = 0; k < offsets.back(); ++k) {
            columns.push_back(static_cast<std::uint32_t>(k * 17 % kTableRows));
        }
        const AlignedBuffer<float> factors = random_floats(num_rows, 2);
        const AlignedBuffer<float> out_factors = random_floats(num_rows, 5);
        const AlignedBuffer<float> base = random_floats(num_rows * kPanel, 3);
        AlignedBuffer<float> out = random_floats(num_rows * kStride, 4);
        PanelProduct product = {.offsets = offsets.data(),
                                .columns = columns.data(),
                                .num_rows = num_rows,
                                .table = table.data(),
                                .factors = factors.data(),
                                .out = out.data() + kPanel,
                                .out_stride = kStride};
        for (const bool is_combined : {false, true}) {
            product.factor = is_combined ? -0.7F : 1.0F;
            product.base = is_combined ? base.data() : nullptr;
            product.out_factors = is_combined ? out_factors.data() : nullptr;
            product.rows = is_combined ? rows.data() : nullptr;
            dense().multiply_panel(product);
            for (std::size_t row = 0; row < num_rows; ++row) {
                const std::size_t to = is_combined ? rows[row] : row;
                for (std::size_t d = 0; d < kPanel; ++d) {
                    double sum = is_combined ? static_cast<double>(base[row * kPanel + d]) : 0;
                    double size = std::abs(sum);
                    for (std::uint64_t k = offsets[row]; k < offsets[row + 1]; ++k) {
                        const double term = static_cast<double>(product.factor * factors[row]) *
                                            static_cast<double>(table[columns[k] * kPanel + d]);
                        sum += term;
                        size += std::abs(term);
                    }
                    const double times = is_combined ? static_cast<double>(out_factors[row]) : 1;
                    ASSERT_NEAR(static_cast<double>(out[to * kStride + kPanel + d]), times * sum,
                                kRounding * size * std::abs(times));
                }
            }
        }
    }
}

TEST_P(DenseKernelsOf, select_scores_above_the_threshold_of_their_column) {
    constexpr std::size_t kRows = 9;
    AlignedBuffer<float> scores = random_floats(kRows * kQueryBlock, 3);
    std::vector<float> thresholds(kQueryBlock, 0.5F);
    thresholds[4] = std::numeric_limits<float>::infinity();
    thresholds[7] = -std::numeric_limits<float>::infinity();
    scores[3 * kQueryBlock + 7] = std::numeric_limits<float>::quiet_NaN();
    scores[4 * kQueryBlock + 9] = 0.5F;
    std::vector<Hit> hits(kRows * kQueryBlock);
    hits.resize(dense().select_scores(scores.data(), kRows, 100, thresholds.data(), hits.data()));
    std::vector<Hit> expected(kRows * kQueryBlock);
    expected.resize(scalar_dense().select_scores(scores.data(), kRows, 100, thresholds.data(),
                                                 expected.data()));
    ASSERT_EQ(hits.size(), expected.size());
    for (std::size_t hit = 0; hit < hits.size(); ++hit) {
        EXPECT_EQ(hits[hit].query, expected[hit].query);
        EXPECT_EQ(hits[hit].row, expected[hit].row);
        EXPECT_EQ(hits[hit].score, expected[hit].score);
        EXPECT_GT(hits[hit].score, thresholds[hits[hit].query]);
        EXPECT_NE(hits[hit].row, hits[hit].query == 7 ? 103u : 0u);
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, DenseKernelsOf, every_supported_table(), name_of_table);

}  // namespace
}  // namespace segue::kernels
