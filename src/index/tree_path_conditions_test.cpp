// Searches along the tree under filters, exclusions and other conditions, and of odd vectors.

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "index/tree_path_test_support.h"

namespace segue {
namespace {

using namespace tree_path_test;

TEST(TreePath, gives_k_results_of_those_a_filter_leaves_however_few) {
    for (const bool spilled : {false, true}) {
        Searched made = make_index(clustered(5000, 20, 5), {.num_leaves = 50}, spilled);
        open(made);
        const Matrix queries = clustered(10, 20, 6);
        for (const double share : {0.5, 0.1, 0.01, 0.001, 0.0}) {
            for (const bool correlated : {false, true}) {
                Random random(8);
                std::vector<std::uint64_t> allowed((5000 + 63) / 64);
                std::size_t count = 0;
                for (std::size_t position = 0; position < 5000; ++position) {
                    // Correlated: whole leaves are in or out.
                    const bool in = correlated ? static_cast<double>(position) < share * 5000
                                               : random.uniform() < share;
                    const std::uint32_t row = made.parts.item_rows[position];
                    allowed[row / 64] |= static_cast<std::uint64_t>(in) << (row % 64);
                    count += in ? 1 : 0;
                }
                const LeafFilter filter =
                    LeafFilter::from_bitmap(made.parts.tables(), allowed).value();
                for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                    const std::vector<ScoredRow> found = search(
                        made, queries.row(q),
                        {.k = 10,
                         .filter = &filter,
                         .knobs = {.num_leaves_to_search = 5, .reordering_num_neighbors = 20}});
                    EXPECT_EQ(found.size(), std::min<std::size_t>(10, count));
                    for (const ScoredRow& scored : found) {
                        EXPECT_TRUE((allowed[scored.item_row / 64] >> (scored.item_row % 64) & 1) !=
                                    0);
                    }
                    expect_equal(search(made, queries.row(q),
                                        {.k = 10, .filter = &filter, .knobs = kEverything}),
                                 exact(made, queries.row(q), {.k = 10, .allowed = allowed}));
                }
            }
        }
    }
}

TEST(TreePath, leaves_excluded_items_out_and_still_gives_k) {
    Searched made = make_index(clustered(2000, 16, 9), {.num_leaves = 25});
    open(made);
    const Matrix queries = clustered(5, 16, 10);
    for (std::size_t q = 0; q < queries.num_rows(); ++q) {
        std::vector<std::uint32_t> excluded;
        for (const ScoredRow& scored : exact(made, queries.row(q), {.k = 1200})) {
            excluded.push_back(scored.item_row);
        }
        for (const std::size_t count : {1, 10, 100, 1200}) {
            const std::span<const std::uint32_t> some = std::span(excluded).first(count);
            const std::vector<ScoredRow> found =
                search(made, queries.row(q),
                       {.k = 10,
                        .excluded = some,
                        .knobs = {.num_leaves_to_search = 3, .reordering_num_neighbors = 10}});
            EXPECT_EQ(found.size(), 10);
            for (const ScoredRow& scored : found) {
                EXPECT_EQ(std::count(some.begin(), some.end(), scored.item_row), 0);
            }
            expect_equal(
                search(made, queries.row(q), {.k = 10, .excluded = some, .knobs = kEverything}),
                exact(made, queries.row(q), {.k = 10, .excluded = some}));
        }
    }
}

TEST(TreePath, gives_any_number_of_results_up_to_all) {
    Searched made = make_index(clustered(500, 8, 11), {.num_leaves = 20});
    open(made);
    const Matrix queries = clustered(2, 8, 12);
    for (const std::size_t k : {0, 1, 33, 499, 500, 501, 100000}) {
        EXPECT_EQ(
            search(made, queries.row(0), {.k = k, .knobs = {.num_leaves_to_search = 1}}).size(),
            std::min<std::size_t>(k, 500));
    }
}

TEST(TreePath, keeps_scores_below_the_least_one_out) {
    Searched made = make_index(clustered(1000, 12, 13), {.num_leaves = 16});
    open(made);
    const Matrix queries = clustered(3, 12, 14);
    for (std::size_t q = 0; q < queries.num_rows(); ++q) {
        const std::vector<ScoredRow> all = exact(made, queries.row(q), {.k = 10});
        for (const std::size_t count : {0, 1, 4, 10}) {
            const float least = count == 0 ? all[0].score * 2 + 1 : all[count - 1].score;
            const std::vector<ScoredRow> found =
                search(made, queries.row(q), {.k = 10, .min_score = least, .knobs = kEverything});
            expect_equal(found, exact(made, queries.row(q), {.k = 10, .min_score = least}));
        }
    }
}

TEST(TreePath, serves_zero_huge_and_tiny_queries) {
    for (const Measure measure : {Measure::kDot, Measure::kCosine, Measure::kSquaredL2}) {
        Searched made = make_index(clustered(400, 10, 15), {.measure = measure, .num_leaves = 10});
        open(made);
        Matrix queries = clustered(1, 10, 16);
        const std::vector<float> query(queries.row(0).begin(), queries.row(0).end());
        for (const float factor : {0.0F, 1e-40F, 1e-30F, 1e30F, 1e37F}) {
            std::vector<float> scaled = query;
            for (float& value : scaled) {
                value *= factor;
            }
            expect_equal(search(made, scaled, {.k = 10, .knobs = kEverything}),
                         exact(made, scaled, {.k = 10}));
        }
    }
}

TEST(TreePath, serves_equal_zero_and_damaged_items) {
    for (const Measure measure : {Measure::kDot, Measure::kCosine, Measure::kSquaredL2}) {
        Matrix items = clustered(900, 6, 17);
        for (std::size_t row = 0; row < 300; ++row) {
            std::copy(items.row(0).begin(), items.row(0).end(), items.row(row).begin());
        }
        for (std::size_t row = 300; row < 350; ++row) {
            std::fill(items.row(row).begin(), items.row(row).end(), 0.0F);
        }
        for (std::size_t row = 350; row < 380; ++row) {
            items.row(row)[row % 6] = row % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                                   : std::numeric_limits<float>::infinity();
        }
        Searched made = make_index(std::move(items), {.measure = measure, .num_leaves = 400});
        open(made);
        const Matrix queries = clustered(4, 6, 18);
        for (std::size_t q = 0; q < queries.num_rows(); ++q) {
            expect_equal(search(made, queries.row(q), {.k = 500, .knobs = kEverything}),
                         exact(made, queries.row(q), {.k = 500}));
            EXPECT_EQ(search(made, queries.row(q), {.k = 500, .knobs = {.num_leaves_to_search = 2}})
                          .size(),
                      500);
        }
    }
}

TEST(TreePath, tells_equal_items_apart_by_row) {
    Matrix items(300, 4);
    for (std::size_t row = 0; row < items.num_rows(); ++row) {
        std::fill(items.row(row).begin(), items.row(row).end(), 1.0F);
    }
    Searched made = make_index(std::move(items), {.num_leaves = 3});
    open(made);
    const std::vector<float> query = {1, 2, 3, 4};
    expect_equal(search(made, query, {.k = 10, .knobs = kEverything}),
                 exact(made, query, {.k = 10}));
}

}  // namespace
}  // namespace segue
