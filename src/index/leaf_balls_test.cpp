#include "index/leaf_balls.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "index/leaf_index_test_support.h"
#include "index/score_bounds.h"

namespace segue {
namespace {

/// The greatest distance of a leaf's items from its centre, by double arithmetic.
double distance_of_furthest(const BuiltIndex& built, std::size_t leaf) {
    const IndexTables& tables = built.index.tables();
    double furthest = 0;
    for (auto at = tables.leaf_offsets[leaf]; at < tables.leaf_offsets[leaf + 1]; ++at) {
        const auto item = built.items.row(tables.item_rows[at]);
        const auto centre = tables.leaf_centres.row(leaf);
        double squared = 0;
        for (std::size_t i = 0; i < tables.dim; ++i) {
            const double off = static_cast<double>(item[i]) - static_cast<double>(centre[i]);
            squared += off * off;
        }
        furthest = std::max(furthest, std::sqrt(squared));
    }
    return furthest;
}

TEST(LeafBalls, hold_every_item_of_their_leaf_and_are_not_much_too_large) {
    for (const std::size_t dim : {1, 2, 15, 16, 17, 33, 64, 100}) {
        const BuiltIndex built(clustered_rows(700, dim, dim), {.num_leaves = 12});
        const IndexTables& tables = built.index.tables();
        const std::vector<LeafBall> balls = derive_leaf_balls(tables);
        ASSERT_EQ(balls.size(), tables.num_leaves());
        float worst_error = 0;
        for (const float error : tables.block_errors) {
            worst_error = std::max(worst_error, error);
        }
        for (std::size_t leaf = 0; leaf < balls.size(); ++leaf) {
            const double furthest = distance_of_furthest(built, leaf);
            const auto radius = static_cast<double>(balls[leaf].radius);
            EXPECT_GE(radius, furthest);
            EXPECT_LE(radius, 1.01 * furthest + 2.1 * static_cast<double>(worst_error) + 1e-3);
        }
    }
}

TEST(LeafBalls, know_no_bound_for_leaves_with_items_that_are_not_finite) {
    Matrix items = clustered_rows(300, 8, 3);
    items.row(17)[2] = std::numeric_limits<float>::quiet_NaN();
    const BuiltIndex built(std::move(items), {.num_leaves = 6});
    const std::vector<LeafBall> balls = derive_leaf_balls(built.index.tables());
    const IndexTables& tables = built.index.tables();
    for (std::size_t leaf = 0; leaf < balls.size(); ++leaf) {
        for (auto at = tables.leaf_offsets[leaf]; at < tables.leaf_offsets[leaf + 1]; ++at) {
            if (tables.item_rows[at] == 17) {
                EXPECT_TRUE(std::isinf(balls[leaf].radius));
            }
        }
    }
}

TEST(LeafBalls, bound_every_score_of_their_leaf_and_spare_exact_searches_half_the_rows) {
    // Clusters far apart, so that most leaves can be skipped.
    Matrix items = clustered_rows(20000, 12, 9);
    const BuiltIndex built(std::move(items), {.num_leaves = 160});
    const IndexTables& tables = built.index.tables();
    const std::vector<LeafBall> balls = derive_leaf_balls(tables);
    const IndexBounds bounds = derive_bounds(tables);
    SearchScratch scratch;
    std::uint64_t num_scored = 0;
    constexpr std::size_t kQueries = 40;
    for (std::size_t q = 0; q < kQueries; ++q) {
        const auto query = built.items.row(q * 491);
        QuantisedQuery quantised;
        quantised.set(tables, bounds, query, 0, kernels::kMaxQueryElement);
        for (std::size_t leaf = 0; leaf < balls.size(); ++leaf) {
            float product = 0;
            for (std::size_t i = 0; i < tables.dim; ++i) {
                product += query[i] * tables.leaf_centres.row(leaf)[i];
            }
            const float greatest = quantised.greatest_of(product, balls[leaf]);
            for (auto at = tables.leaf_offsets[leaf]; at < tables.leaf_offsets[leaf + 1]; ++at) {
                const auto item = built.items.row(tables.item_rows[at]);
                float score = 0;
                for (std::size_t i = 0; i < tables.dim; ++i) {
                    score += query[i] * item[i];
                }
                ASSERT_LE(quantised.units_of(score), greatest);
            }
        }
        SearchTrace trace;
        std::vector<ScoredRow> results;
        ASSERT_TRUE(
            built.index
                .search(query, {.k = 10, .path = SearchPath::kExact}, scratch, results, &trace)
                .ok());
        num_scored += trace.scored;
    }
    EXPECT_LT(num_scored, kQueries * tables.num_items / 2);
}

}  // namespace
}  // namespace segue
