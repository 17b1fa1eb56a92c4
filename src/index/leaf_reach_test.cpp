#include "index/leaf_reach.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "index/leaf_index_test_support.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

constexpr std::size_t kDim = 16;

/// Directions around many centres, of about the same length.
Matrix scattered_rows(std::size_t num_rows, std::uint64_t seed) {
    const Matrix centres = normal_rows(60, kDim, 4);
    Random random(seed);
    Matrix rows = normal_rows(num_rows, kDim, seed + 1, 0.7);
    for (std::size_t row = 0; row < num_rows; ++row) {
        const std::span<const float> centre = centres.row(random.below(60));
        for (std::size_t i = 0; i < kDim; ++i) {
            rows.row(row)[i] += centre[i];
        }
    }
    return rows;
}

/// The items nearest to `anchor`, as a bitmap of item rows.
std::vector<std::uint64_t> nearest_to(const Matrix& items, std::span<const float> anchor,
                                      std::size_t count) {
    std::vector<std::uint32_t> rows(items.num_rows());
    std::iota(rows.begin(), rows.end(), 0U);
    const auto score = [&](std::uint32_t row) {
        return std::inner_product(anchor.begin(), anchor.end(), items.row(row).begin(), 0.0F);
    };
    std::nth_element(
        rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count) - 1, rows.end(),
        [&](std::uint32_t left, std::uint32_t right) { return score(left) > score(right); });
    std::vector<std::uint64_t> bitmap((items.num_rows() + 63) / 64);
    for (std::size_t i = 0; i < count; ++i) {
        bitmap[rows[i] / 64] |= std::uint64_t{1} << (rows[i] % 64);
    }
    return bitmap;
}

/// An index whose knobs reach `target` for the queries without a filter, and no more of them than
/// that takes.
struct CalibratedIndex {
    static constexpr double kTarget = 0.95;

    Matrix items = scattered_rows(20000, 1);
    Matrix queries = scattered_rows(60, 3);
    IndexParts parts = BuiltIndex::build(items, {.num_leaves = 200});
    ExactIndex truth = ExactIndex(items.view(), Measure::kDot);
    LeafIndex index = calibrated();

    double recall(const LeafIndex& searched, const IndexSearchOptions& options,
                  std::span<const std::uint64_t> allowed, float sign) const {
        std::size_t reached = 0;
        std::size_t wanted = 0;
        for (std::size_t q = 0; q < queries.num_rows(); ++q) {
            std::vector<float> query(queries.row(q).begin(), queries.row(q).end());
            for (float& value : query) {
                value *= sign;
            }
            const std::vector<ScoredRow> best =
                truth.search(query, {.k = options.k, .allowed = allowed}).value();
            for (const ScoredRow& row : search(searched, query, options)) {
                reached += row.score >= best.back().score ? 1 : 0;
            }
            wanted += best.size();
        }
        return static_cast<double>(reached) / static_cast<double>(wanted);
    }

    LeafIndex calibrated() const {
        for (std::uint32_t leaves = 1;; ++leaves) {
            const TreeKnobs knobs = {leaves, 60};
            LeafIndex tuned =
                LeafIndex::open(parts.tables(), items.view(),
                                {.path = SearchPath::kTree, .calibrated = {{0, knobs}}})
                    .value();
            if (recall(tuned, {.k = 10, .path = SearchPath::kTree}, {}, 1) >= kTarget) {
                return tuned;
            }
        }
    }
};

TEST(LeafReach, holds_the_recall_for_queries_that_point_away_from_what_passes) {
    const CalibratedIndex made;
    // Every query's opposite asks what is least like the query; the filter has what is most.
    for (const double share : {0.5, 0.1, 0.01, 0.001}) {
        const auto count = static_cast<std::size_t>(share * 20000);
        const std::vector<std::uint64_t> allowed =
            nearest_to(made.items, made.queries.row(0), count);
        const LeafFilter filter = LeafFilter::from_bitmap(made.parts.tables(), allowed).value();
        for (const float sign : {1.0F, -1.0F}) {
            for (const SearchPath path : {SearchPath::kTree, SearchPath::kAuto}) {
                EXPECT_GE(made.recall(made.index, {.k = 10, .filter = &filter, .path = path},
                                      allowed, sign),
                          CalibratedIndex::kTarget)
                    << share << " " << sign << " " << name_of(path);
            }
        }
    }
}

TEST(LeafReach, holds_the_recall_for_more_results_than_knobs_are_calibrated_for) {
    const CalibratedIndex made;
    for (const std::size_t k : {10, 30, 100, 1000}) {
        EXPECT_GE(made.recall(made.index, {.k = k, .path = SearchPath::kTree}, {}, 1),
                  CalibratedIndex::kTarget)
            << k;
    }
}

TEST(LeafReach, begins_with_the_share_of_what_passes_that_other_searches_read) {
    const Matrix items = scattered_rows(4000, 5);
    const IndexParts parts = BuiltIndex::build(items, {.num_leaves = 70});
    const IndexTables tables = parts.tables();
    const TreeTables tree = derive_tree_tables(tables);
    Random random(6);
    SelectBuffers select;
    ReachBuffers buffers;
    std::vector<std::uint32_t> leaves;
    for (const double share : {0.9, 0.3, 0.02, 0.001}) {
        std::vector<std::uint64_t> allowed((4000 + 63) / 64);
        for (std::size_t row = 0; row < 4000; ++row) {
            allowed[row / 64] |= std::uint64_t{random.uniform() < share} << (row % 64);
        }
        const LeafFilter filter = LeafFilter::from_bitmap(tables, allowed).value();
        const std::span<const std::uint32_t> passing = filter.leaf_entries();
        EXPECT_EQ(std::accumulate(passing.begin(), passing.end(), std::size_t{0}), filter.count());
        std::vector<float> scores(70);
        for (float& score : scores) {
            score = static_cast<float>(random.below(30));
        }
        std::vector<std::uint32_t> order(70);
        std::iota(order.begin(), order.end(), 0U);
        std::stable_sort(order.begin(), order.end(), [&](std::uint32_t left, std::uint32_t right) {
            return scores[left] > scores[right];
        });
        for (const std::size_t count : {1, 3, 20, 70, 1000}) {
            double wanted = 0;
            for (std::size_t i = 0; i < std::min<std::size_t>(count, 70); ++i) {
                wanted += tree.leaf_entries[order[i]];
            }
            wanted *= static_cast<double>(filter.count()) / 4000;
            std::set<std::uint32_t> expected;
            double sum = 0;
            for (const std::uint32_t leaf : order) {
                if (passing[leaf] != 0 && sum < wanted) {
                    expected.insert(leaf);
                    sum += passing[leaf];
                }
            }
            choose_passing(scores, tree, filter, count, select, buffers, leaves);
            EXPECT_TRUE(std::is_sorted(leaves.begin(), leaves.end()));
            EXPECT_EQ(std::set<std::uint32_t>(leaves.begin(), leaves.end()), expected)
                << share << " " << count;
        }
    }
}

TEST(LeafReach, finds_as_many_as_there_are_among_items_beyond_the_range_of_numbers) {
    const BuiltIndex built(odd_rows(2000, 6, 9), {.popularity_exponent = 1, .num_leaves = 40});
    std::vector<std::uint64_t> allowed((2000 + 63) / 64, 0x1111000011110101U);
    const LeafFilter filter = LeafFilter::from_bitmap(built.parts.tables(), allowed).value();
    const Matrix queries = normal_rows(6, 6, 10);
    for (const double exponent : {-8.0, -1.0, 0.0, 1.0, 8.0}) {
        for (std::size_t q = 0; q < queries.num_rows(); ++q) {
            for (const std::size_t k : {10, 300}) {
                IndexSearchOptions options = {
                    .k = k, .popularity_exponent = exponent, .filter = &filter};
                options.path = SearchPath::kExact;
                const std::size_t wanted = search(built.index, queries.row(q), options).size();
                options.path = SearchPath::kTree;
                EXPECT_EQ(search(built.index, queries.row(q), options).size(), wanted)
                    << exponent << " " << k;
            }
        }
    }
}

TEST(LeafReach, knows_how_far_items_lie_from_the_centres_of_their_leaves) {
    for (const auto& [measure, exponent] :
         {std::pair(Measure::kDot, 0.0), std::pair(Measure::kDot, 0.5),
          std::pair(Measure::kDot, 1.0), std::pair(Measure::kCosine, 0.0),
          std::pair(Measure::kSquaredL2, 0.0)}) {
        const Matrix items = scattered_rows(2000, 7);
        const IndexParts parts = BuiltIndex::build(
            items, {.measure = measure, .popularity_exponent = exponent, .num_leaves = 20});
        const std::vector<float> spreads = leaf_spreads(parts.tables());
        ASSERT_EQ(spreads.size(), 20U);
        const double scale = measure == Measure::kCosine ? 1 : exponent;
        for (std::size_t leaf = 0; leaf < spreads.size(); ++leaf) {
            const std::size_t begin = parts.leaf_offsets[leaf];
            const std::size_t end = parts.leaf_offsets[leaf + 1];
            double squared = 0;
            for (std::size_t position = begin; position < end; ++position) {
                const double factor = std::pow(static_cast<double>(parts.norms[position]), -scale);
                for (std::size_t i = 0; i < kDim; ++i) {
                    const double x =
                        factor * static_cast<double>(items.row(parts.item_rows[position])[i]);
                    const double off = x - static_cast<double>(parts.leaf_centres.row(leaf)[i]);
                    squared += off * off;
                }
            }
            const double expected = std::sqrt(
                squared / kDim / static_cast<double>(std::max<std::size_t>(1, end - begin)));
            EXPECT_NEAR(spreads[leaf], expected, 0.02 * expected) << leaf;
        }
    }
}

}  // namespace
}  // namespace segue
