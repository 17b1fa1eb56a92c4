#include "index/build_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "index/codebook.h"

namespace segue {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Rows around a few directions, of different lengths.
Matrix clustered_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Random random(seed);
    Matrix towns(9, dim);
    for (std::size_t town = 0; town < towns.num_rows(); ++town) {
        for (float& value : towns.row(town)) {
            value = static_cast<float>(random.normal());
        }
    }
    Matrix rows(num_rows, dim);
    for (std::size_t row = 0; row < num_rows; ++row) {
        const std::span<const float> town =
            std::as_const(towns).row(static_cast<std::size_t>(random.below(towns.num_rows())));
        const double length = std::exp(0.5 * random.normal());
        for (std::size_t i = 0; i < dim; ++i) {
            const double value = static_cast<double>(town[i]) + 0.7 * random.normal();
            rows.row(row)[i] = static_cast<float>(length * value);
        }
    }
    return rows;
}

IndexParts build(const Matrix& rows, const IndexBuildOptions& options, unsigned num_threads = 2) {
    ThreadPool pool(num_threads);
    Result<IndexParts> parts = build_index(rows.view(), options, pool);
    EXPECT_TRUE(parts.ok()) << parts.status().message();
    return std::move(parts).value();
}

/// x_j in double precision, from norms in double precision.
std::vector<double> exact_x(std::span<const float> item, Measure measure, double exponent) {
    double squared = 0;
    for (const float value : item) {
        squared += static_cast<double>(value) * static_cast<double>(value);
    }
    const double gamma = measure == Measure::kCosine ? 1 : exponent;
    const double scale = gamma == 0 ? 1 : squared > 0 ? std::pow(std::sqrt(squared), -gamma) : 0;
    std::vector<double> x(item.begin(), item.end());
    for (double& value : x) {
        value *= scale;
    }
    return x;
}

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
    const Matrix items = clustered_rows(700, 20, 1);
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
            const Matrix items = clustered_rows(num_rows, dim, dim + num_rows);
            const IndexParts parts = build(items, {.num_leaves = 7});
            expect_sound(parts.tables(), items);
        }
    }
}

TEST(BuildIndex, puts_every_item_into_the_leaf_of_the_nearest_centre) {
    const Matrix items = clustered_rows(900, 12, 3);
    const IndexParts parts =
        build(items, {.measure = Measure::kSquaredL2, .num_leaves = 9, .num_iterations = 60});
    // Centres that k-means no longer moves are the means of their leaves, and each item is nearest
    // to its own.
    for (std::size_t leaf = 0; leaf < 9; ++leaf) {
        for (std::size_t position = parts.leaf_offsets[leaf];
             position < parts.leaf_offsets[leaf + 1]; ++position) {
            const std::span<const float> item = items.row(parts.item_rows[position]);
            const auto distance = [&](std::size_t other) {
                double squared = 0;
                for (std::size_t i = 0; i < item.size(); ++i) {
                    const double difference = static_cast<double>(item[i]) -
                                              static_cast<double>(parts.leaf_centres.row(other)[i]);
                    squared += difference * difference;
                }
                return squared;
            };
            for (std::size_t other = 0; other < 9; ++other) {
                EXPECT_LE(distance(leaf), distance(other) * (1 + 1e-4));
            }
        }
    }
}

TEST(BuildIndex, codes_are_those_no_change_of_one_subspace_makes_better) {
    const std::size_t dim = 11;
    const Matrix items = clustered_rows(500, dim, 4);
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

TEST(BuildIndex, spilling_puts_every_item_into_the_leaf_of_the_least_soar_loss) {
    const std::size_t dim = 9;
    const Matrix items = clustered_rows(600, dim, 11);
    const double lambda = 1.5;
    const IndexParts parts = build(
        items,
        {.measure = Measure::kCosine, .num_leaves = 20, .soar_lambda = static_cast<float>(lambda)});
    const IndexTables tables = parts.tables();
    ASSERT_EQ(tables.code_positions.size(), tables.code_offsets.back() * kBlockPositions);
    std::vector<std::size_t> num_codes(600, 0);
    for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
        const std::size_t begin = tables.code_offsets[leaf] * kBlockPositions;
        for (std::size_t entry = begin; entry < tables.code_offsets[leaf + 1] * kBlockPositions;
             ++entry) {
            const std::uint32_t position = tables.code_positions[entry];
            const std::uint64_t first = tables.leaf_offsets[leaf];
            const std::uint64_t end = tables.leaf_offsets[leaf + 1];
            if (entry - begin < end - first) {
                EXPECT_EQ(position, first + entry - begin);
                ++num_codes[position];
                continue;
            }
            if (position == 0xFFFFFFFF) {
                continue;
            }
            ++num_codes[position];
            EXPECT_TRUE(position < first || position >= end);
            const auto own = static_cast<std::size_t>(
                std::upper_bound(tables.leaf_offsets.begin(), tables.leaf_offsets.end(), position) -
                tables.leaf_offsets.begin() - 1);
            const std::vector<double> x =
                exact_x(items.row(tables.item_rows[position]), Measure::kCosine, 0);
            const auto loss = [&](std::size_t other) {
                double squared = 0;
                double along = 0;
                double own_squared = 0;
                for (std::size_t i = 0; i < dim; ++i) {
                    const double r = x[i] - static_cast<double>(tables.leaf_centres.row(own)[i]);
                    const double s = x[i] - static_cast<double>(tables.leaf_centres.row(other)[i]);
                    squared += s * s;
                    along += r * s;
                    own_squared += r * r;
                }
                return squared + lambda * along * along / own_squared;
            };
            for (std::size_t other = 0; other < tables.num_leaves(); ++other) {
                const bool is_empty = tables.leaf_offsets[other] == tables.leaf_offsets[other + 1];
                if (other != own && !is_empty) {
                    EXPECT_LE(loss(leaf), loss(other) + 1e-4);
                }
            }
        }
    }
    EXPECT_EQ(num_codes, std::vector<std::size_t>(600, 2));
}

/// Mean squared distance of items to the centre of their leaf.
double distortion(const IndexTables& tables, const Matrix& items) {
    double total = 0;
    for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
        for (std::size_t position = tables.leaf_offsets[leaf];
             position < tables.leaf_offsets[leaf + 1]; ++position) {
            const std::span<const float> item = items.row(tables.item_rows[position]);
            for (std::size_t i = 0; i < item.size(); ++i) {
                const double difference = static_cast<double>(item[i]) -
                                          static_cast<double>(tables.leaf_centres.row(leaf)[i]);
                total += difference * difference;
            }
        }
    }
    return total / static_cast<double>(tables.num_items);
}

TEST(BuildIndex, many_leaves_are_nearly_as_near_as_the_best_centre_of_all) {
    const Matrix items = clustered_rows(6000, 16, 12);
    for (const Measure measure : {Measure::kSquaredL2, Measure::kCosine}) {
        const IndexParts parts = build(items, {.measure = measure, .num_leaves = 400});
        const IndexTables tables = parts.tables();
        std::size_t num_nearest = 0;
        for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
            for (std::size_t position = tables.leaf_offsets[leaf];
                 position < tables.leaf_offsets[leaf + 1]; ++position) {
                const std::vector<double> x =
                    exact_x(items.row(tables.item_rows[position]), measure, 0);
                const auto distance = [&](std::size_t other) {
                    double squared = 0;
                    for (std::size_t i = 0; i < x.size(); ++i) {
                        const double difference =
                            x[i] - static_cast<double>(tables.leaf_centres.row(other)[i]);
                        squared += difference * difference;
                    }
                    return squared;
                };
                const double own = distance(leaf);
                bool is_nearest = true;
                for (std::size_t other = 0; other < tables.num_leaves() && is_nearest; ++other) {
                    is_nearest = own <= distance(other) * 1.1;
                }
                num_nearest += is_nearest ? 1 : 0;
            }
        }
        // Centres moved once more after rows were assigned, which costs most of what is missing.
        EXPECT_GT(num_nearest, 6000U * 85 / 100);
    }
}

TEST(BuildIndex, more_leaves_and_iterations_bring_centres_nearer) {
    const Matrix items = clustered_rows(5000, 16, 13);
    double before = std::numeric_limits<double>::infinity();
    for (const std::uint32_t num_leaves : {1U, 9U, 60U, 300U, 1000U}) {
        const IndexParts parts =
            build(items, {.measure = Measure::kSquaredL2, .num_leaves = num_leaves});
        const double reached = distortion(parts.tables(), items);
        EXPECT_LT(reached, before);
        before = reached;
    }
    const IndexBuildOptions once = {
        .measure = Measure::kSquaredL2, .num_leaves = 300, .num_iterations = 1};
    IndexBuildOptions often = once;
    often.num_iterations = 12;
    EXPECT_LT(distortion(build(items, often).tables(), items),
              distortion(build(items, once).tables(), items));
}

TEST(BuildIndex, gives_the_same_bytes_for_any_number_of_threads) {
    const Matrix items = clustered_rows(3000, 24, 5);
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
    Matrix items = clustered_rows(400, 10, 6);
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
    const IndexParts parts = build(clustered_rows(50, 6, 7), {.num_leaves = 1});
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
    const Matrix items = clustered_rows(500, 8, 8);
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
