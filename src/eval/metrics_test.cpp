#include "eval/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace segue {
namespace {

// One list of five places; the items 3, 7 and 9 were held out, 3 and 9 are found at places 2 and 4.
const std::vector<std::uint8_t> kHits = {0, 1, 0, 1, 0};

TEST(MarkHits, marks_the_places_of_relevant_items) {
    std::vector<std::uint8_t> hits = {9, 9, 9, 9, 9, 9, 9};
    mark_hits(std::vector<std::uint32_t>{5, 3, 8, 9, 0}, std::vector<std::uint32_t>{3, 7, 9}, hits);
    EXPECT_EQ(hits, kHits);
}

TEST(ListMetrics, agree_with_a_list_worked_by_hand) {
    const ListMetrics metrics = list_metrics(kHits, 3, 5);
    EXPECT_DOUBLE_EQ(metrics.recall, 2.0 / 3);
    EXPECT_DOUBLE_EQ(metrics.precision, 2.0 / 5);
    EXPECT_DOUBLE_EQ(metrics.hit_rate, 1);
    EXPECT_DOUBLE_EQ(metrics.reciprocal_rank, 1.0 / 2);
    EXPECT_DOUBLE_EQ(metrics.average_precision, (1.0 / 2 + 2.0 / 4) / 3);
    const double gain = 1 / std::log2(3.0) + 1 / std::log2(5.0);
    const double best = 1 + 1 / std::log2(3.0) + 1 / std::log2(4.0);
    EXPECT_DOUBLE_EQ(metrics.ndcg, gain / best);
    EXPECT_NEAR(metrics.ndcg, 0.498189, 1e-6);
}

TEST(ListMetrics, look_at_the_first_k_places_only) {
    const ListMetrics metrics = list_metrics(kHits, 3, 2);
    EXPECT_DOUBLE_EQ(metrics.recall, 1.0 / 3);
    EXPECT_DOUBLE_EQ(metrics.precision, 1.0 / 2);
    // min(k, held-out items) = 2 bounds the best list.
    EXPECT_DOUBLE_EQ(metrics.average_precision, (1.0 / 2) / 2);
    EXPECT_DOUBLE_EQ(metrics.ndcg, (1 / std::log2(3.0)) / (1 + 1 / std::log2(3.0)));
}

TEST(ListMetrics, are_zero_without_a_hit) {
    const ListMetrics metrics = list_metrics(kHits, 3, 1);
    EXPECT_EQ(metrics.recall, 0);
    EXPECT_EQ(metrics.ndcg, 0);
    EXPECT_EQ(metrics.hit_rate, 0);
    EXPECT_EQ(metrics.precision, 0);
    EXPECT_EQ(metrics.average_precision, 0);
    EXPECT_EQ(metrics.reciprocal_rank, 0);
    EXPECT_EQ(list_metrics({}, 1, 10).recall, 0);
}

TEST(ListMetrics, reach_one_for_the_best_list) {
    const std::vector<std::uint8_t> hits = {1, 1, 0, 0};
    const ListMetrics metrics = list_metrics(hits, 2, 4);
    EXPECT_DOUBLE_EQ(metrics.recall, 1);
    EXPECT_DOUBLE_EQ(metrics.ndcg, 1);
    EXPECT_DOUBLE_EQ(metrics.average_precision, 1);
    EXPECT_DOUBLE_EQ(metrics.precision, 0.5);
}

TEST(ListMetrics, divide_recall_by_all_held_out_items_even_when_there_are_more_than_places) {
    const std::vector<std::uint8_t> hits = {1, 1};
    const ListMetrics metrics = list_metrics(hits, 8, 2);
    EXPECT_DOUBLE_EQ(metrics.recall, 0.25);
    EXPECT_DOUBLE_EQ(metrics.ndcg, 1);
    EXPECT_DOUBLE_EQ(metrics.average_precision, 1);
}

TEST(ListMetrics, count_short_lists_as_lists_with_empty_places) {
    const std::vector<std::uint8_t> hits = {1};
    const ListMetrics metrics = list_metrics(hits, 1, 10);
    EXPECT_DOUBLE_EQ(metrics.precision, 0.1);
    EXPECT_DOUBLE_EQ(metrics.recall, 1);
}

}  // namespace
}  // namespace segue
