#include "index_build/build_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "index_build/build_test_support.h"
#include "index_build/codebook.h"

namespace segue {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::uint8_t code_of(const IndexTables& tables, std::size_t leaf, std::size_t entry,
                     std::size_t part) {
    const std::size_t block = tables.code_offsets[leaf] + entry / kBlockPositions;
    const std::size_t lane = entry % kBlockPositions;
    const std::uint8_t byte =
        tables
            .codes[block * code_block_bytes(tables.dim) + part / 4 * 64 + lane % 16 * 4 + part % 4];
    return lane < 16 ? byte & 15 : byte >> 4;
}

void expect_permutation(const IndexTables& tables) {
    std::vector<std::uint32_t> rows(tables.item_rows.begin(), tables.item_rows.end());
    std::sort(rows.begin(), rows.end());
    std::vector<std::uint32_t> all(tables.num_items);
    std::iota(all.begin(), all.end(), 0U);
    EXPECT_EQ(rows, all);
}

/// Everything that has to hold of the tables of any index, whatever was in the vectors.
void expect_sound(const IndexTables& tables, const Matrix& items) {
    expect_permutation(tables);
    ASSERT_EQ(tables.num_items, items.num_rows());
    ASSERT_EQ(tables.dim, items.dim());
    ASSERT_GE(tables.num_leaves(), 1U);
    EXPECT_EQ(tables.leaf_offsets.front(), 0U);
    EXPECT_EQ(tables.leaf_offsets.back(), tables.num_items);
    EXPECT_TRUE(std::is_sorted(tables.leaf_offsets.begin(), tables.leaf_offsets.end()));
    ASSERT_EQ(tables.leaf_centres.num_rows, tables.num_leaves());
    ASSERT_EQ(tables.rows.size(), tables.num_items * int8_row_bytes(tables.dim));
    ASSERT_EQ(tables.block_errors.size(), (tables.num_items + 31) / 32);
    for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
        for (std::size_t position = tables.leaf_offsets[leaf] + 1;
             position < tables.leaf_offsets[leaf + 1]; ++position) {
            EXPECT_LT(tables.item_rows[position - 1], tables.item_rows[position]);
        }
    }
    for (std::size_t position = 0; position < tables.num_items; ++position) {
        const std::vector<double> x =
            exact_x(items.row(tables.item_rows[position]), tables.measure, tables.built_exponent);
        const std::uint8_t* row = tables.rows.data() + position * int8_row_bytes(tables.dim);
        double squared = 0;
        for (std::size_t i = 0; i < tables.dim; ++i) {
            EXPECT_GE(row[i], 1);
            const double stored = static_cast<double>(tables.row_scales[position]) * (row[i] - 128);
            squared += (x[i] - stored) * (x[i] - stored);
        }
        for (std::size_t i = tables.dim; i < int8_row_bytes(tables.dim); ++i) {
            EXPECT_EQ(row[i], 128);
        }
        const double bound = static_cast<double>(tables.block_errors[position / 32]);
        EXPECT_FALSE(std::isnan(bound));
        EXPECT_TRUE(std::sqrt(squared) <= bound || std::isinf(bound)) << position;
        const float norm = tables.norms[position];
        if (norm > 0 && std::isfinite(norm)) {
            const double low =
                static_cast<double>(tables.norm_low) *
                std::pow(static_cast<double>(tables.norm_ratio), tables.norm_levels[position]);
            const double high = low * static_cast<double>(tables.norm_ratio);
            EXPECT_GE(static_cast<double>(norm), low * (1 - 1e-7));
            EXPECT_LE(static_cast<double>(norm), high * (1 + 1e-7));
        } else {
            EXPECT_EQ(tables.norm_levels[position], 0);
        }
    }
}

TEST(BuildIndex, stores_every_item_within_its_error_bound_for_every_measure) {
    const Matrix items = rows_of_towns(700, 20, 1);
    struct Case {
        Measure measure;
        double exponent;
    };
    for (const Case& c :
         {Case{Measure::kDot, 0}, Case{Measure::kDot, 0.5}, Case{Measure::kDot, 1},
          Case{Measure::kDot, -1}, Case{Measure::kCosine, 0}, Case{Measure::kSquaredL2, 0}}) {
        const IndexParts parts = build(
            items, {.measure = c.measure, .popularity_exponent = c.exponent, .num_leaves = 25});
        expect_sound(parts.tables(), items);
        EXPECT_EQ(parts.measure, c.measure);
        EXPECT_EQ(parts.built_exponent, c.exponent);
        // Bounds that are far too wide would be of no use.
        for (std::size_t position = 0; position < parts.num_items; ++position) {
            const float widest =
                *std::max_element(parts.row_scales.begin(), parts.row_scales.end());
            EXPECT_LT(parts.block_errors[position / 32], widest * std::sqrt(20.0F) / 2 * 1.001F);
        }
    }
}

TEST(BuildIndex, takes_dimensions_from_1_to_4096_and_any_number_of_rows) {
    for (const std::size_t dim : {1, 2, 3, 15, 16, 17, 33, 65, 4096}) {
        for (const std::size_t num_rows : {0, 1, 2, 31, 33, 70}) {
            const Matrix items = rows_of_towns(num_rows, dim, dim + num_rows);
            const IndexParts parts = build(items, {.num_leaves = 7});
            expect_sound(parts.tables(), items);
        }
    }
}

TEST(BuildIndex, codes_are_those_no_change_of_one_subspace_makes_better) {
    const std::size_t dim = 11;
    const Matrix items = rows_of_towns(500, dim, 4);
    for (const float threshold : {0.0F, 0.6F}) {
        const IndexParts parts = build(items, {.popularity_exponent = 1,
                                               .num_leaves = 12,
                                               .anisotropic_quantization_threshold = threshold});
        const IndexTables tables = parts.tables();
        const double weight = static_cast<double>(parallel_weight(threshold, dim));
        std::size_t num_worse = 0;
        for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
            const std::size_t begin = tables.leaf_offsets[leaf];
            for (std::size_t e = 0; e < tables.leaf_offsets[leaf + 1] - begin; ++e) {
                const std::vector<double> x =
                    exact_x(items.row(tables.item_rows[begin + e]), Measure::kDot, 1);
                std::vector<std::uint8_t> codes;
                for (std::size_t part = 0; part < num_subspaces(dim); ++part) {
                    codes.push_back(code_of(tables, leaf, e, part));
                }
                const auto loss = [&] {
                    double squared = 0;
                    double along = 0;
                    for (std::size_t i = 0; i < dim; ++i) {
                        const float word = tables.codebook[i / 2 * 32 + i % 2 * 16 + codes[i / 2]];
                        const double error = x[i] -
                                             static_cast<double>(tables.leaf_centres.row(leaf)[i]) -
                                             static_cast<double>(word);
                        squared += error * error;
                        along += error * x[i];
                    }
                    return squared + (weight - 1) * along * along;
                };
                const double reached = loss();
                for (std::size_t part = 0; part < codes.size(); ++part) {
                    const std::uint8_t kept = codes[part];
                    for (std::uint8_t word = 0; word < kCodewords; ++word) {
                        codes[part] = word;
                        num_worse += loss() < reached - 1e-6 ? 1 : 0;
                    }
                    codes[part] = kept;
                }
            }
        }
        EXPECT_EQ(num_worse, 0U) << threshold;
    }
}

TEST(BuildIndex, gives_the_same_bytes_for_any_number_of_threads) {
    const Matrix items = rows_of_towns(3000, 24, 5);
    const IndexBuildOptions options = {.num_leaves = 300, .soar_lambda = 1};
    const IndexParts one = build(items, options, 1);
    for (const unsigned num_threads : {2U, 5U}) {
        const IndexParts other = build(items, options, num_threads);
        EXPECT_EQ(one.item_rows, other.item_rows);
        EXPECT_EQ(one.leaf_offsets, other.leaf_offsets);
        EXPECT_EQ(one.row_scales, other.row_scales);
        EXPECT_EQ(one.block_errors, other.block_errors);
        EXPECT_EQ(one.norm_levels, other.norm_levels);
        EXPECT_EQ(one.codebook, other.codebook);
        EXPECT_EQ(one.code_positions, other.code_positions);
        EXPECT_TRUE(std::ranges::equal(one.codes.span(), other.codes.span()));
        EXPECT_TRUE(std::ranges::equal(one.rows.span(), other.rows.span()));
    }
}

TEST(BuildIndex, keeps_items_that_are_zero_equal_or_not_finite) {
    Matrix items = rows_of_towns(400, 10, 6);
    for (std::size_t row = 0; row < 100; ++row) {
        std::ranges::copy(items.row(399), items.row(row).begin());
        std::ranges::fill(items.row(100 + row), 0.0F);
    }
    items.row(250)[3] = std::numeric_limits<float>::quiet_NaN();
    items.row(251)[0] = kInfinity;
    items.row(252)[9] = -kInfinity;
    items.row(253)[1] = 3e38F;
    for (float& value : items.row(254)) {
        value = 1e-44F;
    }
    for (const Measure measure : {Measure::kDot, Measure::kCosine, Measure::kSquaredL2}) {
        const IndexParts parts = build(items, {.measure = measure, .num_leaves = 300});
        expect_sound(parts.tables(), items);
        for (std::size_t position = 0; position < 400; ++position) {
            const std::uint32_t row = parts.item_rows[position];
            if (row >= 250 && row < 254) {
                EXPECT_TRUE(std::isinf(parts.block_errors[position / 32]));
                EXPECT_EQ(parts.row_scales[position], 0);
            }
        }
        for (std::size_t leaf = 0; leaf < 300; ++leaf) {
            for (const float value : parts.leaf_centres.row(leaf)) {
                EXPECT_TRUE(std::isfinite(value));
            }
        }
    }
}

TEST(BuildIndex, a_single_leaf_has_no_codes) {
    const IndexParts parts = build(rows_of_towns(50, 6, 7), {.num_leaves = 1});
    EXPECT_FALSE(parts.tables().has_codes());
    EXPECT_EQ(parts.tables().num_leaves(), 1U);
    EXPECT_TRUE(parts.codes.span().empty());
    EXPECT_TRUE(std::is_sorted(parts.item_rows.begin(), parts.item_rows.end()));
}

TEST(BuildIndex, says_which_option_is_wrong) {
    ThreadPool pool(1);
    const Matrix items(3, 2);
    const auto message_of = [&](const IndexBuildOptions& options, const MatrixView& rows) {
        const Result<IndexParts> parts = build_index(rows, options, pool);
        return parts.ok() ? std::string() : parts.status().message();
    };
    const auto says = [&](const IndexBuildOptions& options, const std::string& word) {
        const std::string message = message_of(options, items.view());
        EXPECT_NE(message.find(word), std::string::npos) << word << ": " << message;
    };
    says({.popularity_exponent = std::nan("")}, "popularity exponent");
    says({.measure = Measure::kCosine, .popularity_exponent = 1}, "dot products");
    says({.num_leaves = 0xFFFFFFFF}, "num_leaves");
    says({.anisotropic_quantization_threshold = 1}, "anisotropic_quantization_threshold");
    says({.anisotropic_quantization_threshold = -0.1F}, "anisotropic_quantization_threshold");
    says({.soar_lambda = -1}, "soar_lambda");
    says({.soar_lambda = kInfinity}, "soar_lambda");
    EXPECT_NE(message_of({}, {nullptr, 0, 0, 0}).find("dimensions"), std::string::npos);
    EXPECT_NE(message_of({}, {items.data(), 1, 4097, 4112}).find("4097"), std::string::npos);
}

TEST(BuildIndex, reports_each_stage_to_its_end) {
    ThreadPool pool(2);
    const Matrix items = rows_of_towns(500, 8, 8);
    std::vector<std::string> stages;
    Progress last;
    const Result<IndexParts> parts =
        build_index(items.view(), {.num_leaves = 10}, pool, [&](const Progress& progress) {
            if (stages.empty() || stages.back() != progress.stage) {
                stages.emplace_back(progress.stage);
            }
            EXPECT_LE(progress.done, progress.total);
            last = progress;
        });
    ASSERT_TRUE(parts.ok());
    EXPECT_EQ(stages, (std::vector<std::string>{"leaves", "codes", "rows"}));
    EXPECT_EQ(last.done, last.total);
}

TEST(ParallelWeight, is_that_of_the_paper) {
    EXPECT_NEAR(parallel_weight(0.2F, 100), 4.125, 1e-5);
    EXPECT_EQ(parallel_weight(0, 100), 1.0F);
    EXPECT_EQ(parallel_weight(0.2F, 1), 1.0F);
}

}  // namespace
}  // namespace segue
