#include "index/tree_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "index/tree_path_test_support.h"

namespace segue {
namespace {

using namespace tree_path_test;

TEST(TreePath, reads_all_leaves_and_candidates_and_finds_what_exact_search_finds) {
    for (const bool spilled : {false, true}) {
        for (const std::size_t dim : {1, 2, 7, 33, 64, 100}) {
            for (const Measure measure : {Measure::kDot, Measure::kCosine, Measure::kSquaredL2}) {
                Searched made = make_index(clustered(700, dim, dim),
                                           {.measure = measure, .num_leaves = 12}, spilled);
                open(made);
                const Matrix queries = clustered(8, dim, 1000 + dim);
                for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                    expect_equal(search(made, queries.row(q), {.k = 10, .knobs = kEverything}),
                                 exact(made, queries.row(q), {.k = 10}));
                }
            }
        }
    }
}

TEST(TreePath, answers_other_popularity_exponents_than_the_built_one) {
    for (const double built : {0.0, 0.5, 1.0}) {
        Searched made =
            make_index(clustered(3000, 24, 1), {.popularity_exponent = built, .num_leaves = 30});
        open(made);
        const Matrix queries = clustered(40, 24, 2);
        for (const double exponent : {-1.0, 0.0, 0.5, 1.0, 1.3}) {
            std::size_t common = 0;
            for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                const std::vector<ScoredRow> expected =
                    exact(made, queries.row(q), {.k = 10, .popularity_exponent = exponent});
                common += num_common(search(made, queries.row(q),
                                            {.k = 10,
                                             .popularity_exponent = exponent,
                                             .knobs = {.num_leaves_to_search = 15,
                                                       .reordering_num_neighbors = 300}}),
                                     expected);
                expect_equal(
                    search(made, queries.row(q),
                           {.k = 10, .popularity_exponent = exponent, .knobs = kEverything}),
                    expected);
            }
            EXPECT_GT(static_cast<double>(common), 0.85 * 10 * 40)
                << "built " << built << ", asked " << exponent;
        }
    }
}

TEST(TreePath, finds_more_with_more_leaves_and_with_more_candidates) {
    for (const bool spilled : {false, true}) {
        Searched made = make_index(clustered(6000, 40, 3), {.num_leaves = 60}, spilled);
        open(made);
        const Matrix queries = clustered(60, 40, 4);
        const auto recall = [&](std::uint32_t leaves, std::uint32_t candidates) {
            std::size_t common = 0;
            for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                common += num_common(search(made, queries.row(q),
                                            {.k = 10,
                                             .knobs = {.num_leaves_to_search = leaves,
                                                       .reordering_num_neighbors = candidates}}),
                                     exact(made, queries.row(q), {.k = 10}));
            }
            return common;
        };
        std::size_t before = 0;
        for (const std::uint32_t leaves : {1, 2, 4, 8, 16, 32, 60}) {
            const std::size_t found = recall(leaves, 6000);
            EXPECT_GE(found, before) << leaves << " leaves";
            before = found;
        }
        EXPECT_EQ(before, queries.num_rows() * 10);
        before = 0;
        for (const std::uint32_t candidates : {10, 20, 40, 80, 160, 640, 12000}) {
            const std::size_t found = recall(60, candidates);
            EXPECT_GE(found, before) << candidates << " candidates";
            before = found;
        }
        EXPECT_EQ(before, queries.num_rows() * 10);
    }
}

TEST(TreePath, gives_many_queries_what_it_gives_each_alone_with_any_threads) {
    for (const bool spilled : {false, true}) {
        for (const Measure measure : {Measure::kDot, Measure::kSquaredL2}) {
            Searched made = make_index(clustered(9000, 30, 19),
                                       {.measure = measure, .num_leaves = 40}, spilled);
            open(made);
            Matrix queries = clustered(300, 30, 20);
            std::fill(queries.row(5).begin(), queries.row(5).end(), 0.0F);
            SparseMatrix excluded;
            excluded.num_rows = queries.num_rows();
            excluded.num_columns = 9000;
            std::vector<std::uint64_t> allowed((9000 + 63) / 64, 0x7777777777777777U);
            const LeafFilter filter = LeafFilter::from_bitmap(made.parts.tables(), allowed).value();
            for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                for (std::uint32_t i = 0; i < q % 7; ++i) {
                    excluded.columns.push_back(static_cast<std::uint32_t>(q) + i * 3);
                }
                excluded.offsets.push_back(excluded.columns.size());
            }
            for (const LeafFilter* maybe : {static_cast<const LeafFilter*>(nullptr), &filter}) {
                // Few leaves are read by each query alone, many by several together.
                for (const auto& [num_leaves, num_threads] :
                     {std::pair(3U, 3U), std::pair(38U, 1U), std::pair(38U, 3U)}) {
                    const TreeKnobs knobs = {.num_leaves_to_search = num_leaves,
                                             .reordering_num_neighbors = 30};
                    ThreadPool pool(num_threads);
                    const Neighbours lists = made.get()
                                                 .search_batch(queries.view(),
                                                               {.k = 12,
                                                                .excluded = excluded.view(),
                                                                .filter = maybe,
                                                                .path = SearchPath::kTree,
                                                                .knobs = knobs},
                                                               pool)
                                                 .value();
                    ASSERT_EQ(lists.offsets.size(), queries.num_rows() + 1);
                    for (std::size_t q = 0; q < queries.num_rows(); q += num_leaves / 8 + 1) {
                        const std::vector<ScoredRow> alone =
                            search(made, queries.row(q),
                                   {.k = 12,
                                    .excluded = excluded.view().row_columns(q),
                                    .filter = maybe,
                                    .knobs = knobs});
                        std::vector<ScoredRow> together;
                        for (std::uint64_t i = lists.offsets[q]; i < lists.offsets[q + 1]; ++i) {
                            together.push_back({lists.item_rows[i], lists.scores[i]});
                        }
                        expect_equal(together, alone);
                    }
                }
            }
        }
    }
}

TEST(TreePath, serves_one_scratch_to_indexes_of_any_dimension) {
    SearchScratch scratch;
    for (const std::size_t dim : {40, 3, 100, 5}) {
        Searched made = make_index(clustered(300, dim, dim), {.num_leaves = 8});
        open(made);
        const Matrix queries = clustered(3, dim, 21);
        for (std::size_t q = 0; q < queries.num_rows(); ++q) {
            const IndexSearchOptions options = {
                .k = 5,
                .path = SearchPath::kTree,
                .knobs = {.num_leaves_to_search = 3, .reordering_num_neighbors = 20}};
            std::vector<ScoredRow> results;
            ASSERT_TRUE(made.get().search(queries.row(q), options, scratch, results).ok());
            expect_equal(results, search(made, queries.row(q), options));
        }
    }
}

TEST(TreePath, says_what_it_did) {
    Searched made = make_index(clustered(2000, 16, 22), {.num_leaves = 20});
    open(made);
    const Matrix queries = clustered(1, 16, 23);
    SearchTrace trace;
    search(made, queries.row(0),
           {.k = 10, .knobs = {.num_leaves_to_search = 4, .reordering_num_neighbors = 50}}, &trace);
    EXPECT_EQ(trace.path, SearchPath::kTree);
    EXPECT_EQ(trace.leaves, 4);
    EXPECT_GT(trace.scored, 50);
    EXPECT_EQ(trace.candidates, 50);
    EXPECT_GE(trace.rescored, 10);
    EXPECT_LE(trace.rescored, 50);
    EXPECT_FALSE(trace.widened);
}

}  // namespace
}  // namespace segue
