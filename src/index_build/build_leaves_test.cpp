#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "index_build/build_test_support.h"

namespace segue {
namespace {

TEST(BuildLeaves, puts_every_item_into_the_leaf_of_the_nearest_centre) {
    const Matrix items = rows_of_towns(900, 12, 3);
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

TEST(BuildLeaves, spilling_puts_every_item_into_the_leaf_of_the_least_soar_loss) {
    const std::size_t dim = 9;
    const Matrix items = rows_of_towns(600, dim, 11);
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

TEST(BuildLeaves, many_leaves_are_nearly_as_near_as_the_best_centre_of_all) {
    const Matrix items = rows_of_towns(6000, 16, 12);
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

TEST(BuildLeaves, more_leaves_and_iterations_bring_centres_nearer) {
    const Matrix items = rows_of_towns(5000, 16, 13);
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

}  // namespace
}  // namespace segue
