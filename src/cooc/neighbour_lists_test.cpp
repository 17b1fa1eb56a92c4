#include "cooc/neighbour_lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "cooc/best_partners.h"
#include "cooc/cooc_test_tables.h"

namespace segue {
namespace {

constexpr const char* kScoreNames[] = {"conditional", "count", "cosine", "jaccard",
                                       "llr",         "npmi",  "pmi",    "cooc-pmi"};

/// All lists from brute-force counts and score_pair.
std::vector<std::vector<ScoredRow>> slow_lists(const CountInput& input,
                                               const NeighbourListParams& params) {
    const auto frequencies = item_frequencies(input.interactions, params.values_are_counts);
    const CountTotals totals = count_totals(input.interactions, *frequencies);
    std::vector<std::vector<ScoredRow>> lists(input.interactions.num_columns);
    for (const auto& [pair, sums] :
         brute_force_counts(input, {.group_exponent = params.score.group_exponent,
                                   .values_are_counts = params.values_are_counts,
                                   .window = params.window})) {
        if (sums.together < params.min_together) {
            continue;
        }
        const double score =
            score_pair(params.score,
                       {.together = sums.together,
                        .weighted_together = sums.weighted,
                        .frequency_own = static_cast<double>((*frequencies)[pair.first]),
                        .frequency_other = static_cast<double>((*frequencies)[pair.second])},
                       totals);
        lists[pair.first].push_back({pair.second, static_cast<float>(score)});
    }
    for (std::vector<ScoredRow>& list : lists) {
        std::sort(list.begin(), list.end(), comes_before);
        list.resize(std::min(list.size(), params.list_length));
    }
    return lists;
}

TEST(CoocNeighbours, agree_with_brute_force_for_every_score) {
    const RandomTable table = random_table(31, 150, 70, 18, false);
    BruteTable counts = brute_force_counts(table.input(), {});
    ThreadPool pool(2);
    for (const char* name : kScoreNames) {
        NeighbourListParams params = {.list_length = 7, .min_together = 2};
        params.score.score = *pair_score_by_name(name);
        const auto lists = cooc_neighbours(table.input(), params, pool);
        ASSERT_TRUE(lists.ok()) << name;
        const NeighboursView view = lists->view();
        const auto expected = slow_lists(table.input(), params);
        ASSERT_EQ(view.num_items(), 70u);
        for (std::uint32_t item = 0; item < 70; ++item) {
            ASSERT_EQ(view.list_size(item), expected[item].size()) << name;
            for (std::size_t place = 0; place < expected[item].size(); ++place) {
                const std::uint64_t entry = view.offsets[item] + place;
                EXPECT_NEAR(view.scores[entry], expected[item][place].score,
                            1e-5 * (1 + std::abs(expected[item][place].score)));
                EXPECT_EQ(view.together[entry], (counts[{item, view.item_rows[entry]}].together));
            }
        }
    }
}

TEST(CoocNeighbours, list_the_same_items_as_brute_force) {
    for (const std::size_t list_length : {1u, 3u, 1000u}) {
        const RandomTable table = random_table(32, 90, 40, 15, true);
        const NeighbourListParams params = {
            .list_length = list_length, .values_are_counts = true, .window = 6};
        ThreadPool pool(1);
        const auto lists = cooc_neighbours(table.input(), params, pool);
        ASSERT_TRUE(lists.ok());
        const auto expected = slow_lists(table.input(), params);
        for (std::uint32_t item = 0; item < 40; ++item) {
            const NeighboursView view = lists->view();
            ASSERT_EQ(view.list_size(item), expected[item].size());
            for (std::size_t place = 0; place < expected[item].size(); ++place) {
                EXPECT_EQ(view.item_rows[view.offsets[item] + place],
                          expected[item][place].item_row);
            }
        }
    }
}

TEST(CoocNeighbours, break_ties_by_row) {
    // Item 0 is once with each of the others; all others are alike.
    const SparseMatrix table = table_of(6, {{0, 5}, {0, 3}, {0, 1}, {0, 4}, {0, 2}});
    ThreadPool pool(1);
    const auto lists = cooc_neighbours({table.view(), {}}, {.list_length = 3}, pool);
    ASSERT_TRUE(lists.ok());
    EXPECT_EQ(std::vector<std::uint32_t>(lists->item_rows.begin(), lists->item_rows.begin() + 3),
              (std::vector<std::uint32_t>{1, 2, 3}));
}

TEST(CoocNeighbours, are_the_same_bytes_for_any_number_of_threads) {
    const RandomTable table = random_table(33, 700, 600, 25, false);
    ThreadPool one(1);
    const auto expected = cooc_neighbours(table.input(), {.list_length = 20}, one);
    ASSERT_TRUE(expected.ok());
    for (const unsigned num_threads : {2u, 5u}) {
        ThreadPool pool(num_threads);
        const auto lists = cooc_neighbours(table.input(), {.list_length = 20}, pool);
        ASSERT_TRUE(lists.ok());
        EXPECT_EQ(lists->offsets, expected->offsets);
        EXPECT_EQ(lists->item_rows, expected->item_rows);
        EXPECT_EQ(lists->scores, expected->scores);
        EXPECT_EQ(lists->together, expected->together);
    }
}

TEST(CoocNeighbours, of_nothing_are_empty_lists) {
    ThreadPool pool(2);
    EXPECT_EQ(cooc_neighbours({table_of(0, {}).view(), {}}, {}, pool)->view().num_items(), 0u);
    const SparseMatrix lonely = table_of(3, {{0}, {1}, {0}});
    const auto lists = cooc_neighbours({lonely.view(), {}}, {}, pool);
    ASSERT_TRUE(lists.ok());
    EXPECT_EQ(lists->offsets, (std::vector<std::uint64_t>{0, 0, 0, 0}));
}

TEST(CoocNeighbours, refuse_parameters_out_of_range) {
    const SparseMatrix table = table_of(2, {{0, 1}});
    ThreadPool pool(1);
    EXPECT_FALSE(cooc_neighbours({table.view(), {}}, {.list_length = 0}, pool).ok());
    EXPECT_FALSE(cooc_neighbours({table.view(), {}}, {.score = {.own_exponent = 9}}, pool).ok());
    EXPECT_FALSE(cooc_neighbours({table.view(), {}}, {.window = 3}, pool).ok());
}

TEST(BestPartners, are_those_a_full_sort_puts_first) {
    Random random(7);
    for (const std::size_t k : {1u, 2u, 5u, 64u}) {
        BestPartners best(k);
        for (const std::size_t count : {0u, 1u, 4u, 5u, 200u}) {
            std::vector<ScoredRow> all;
            best.clear();
            for (std::uint32_t row = 0; row < count; ++row) {
                all.push_back({row, static_cast<float>(random.below(20))});
                best.offer(all.back());
            }
            std::sort(all.begin(), all.end(), comes_before);
            const std::span<const ScoredRow> kept = best.take_sorted();
            ASSERT_EQ(kept.size(), std::min(k, count));
            for (std::size_t place = 0; place < kept.size(); ++place) {
                EXPECT_EQ(kept[place].item_row, all[place].item_row);
            }
        }
    }
}

}  // namespace
}  // namespace segue
