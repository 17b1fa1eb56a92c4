#include "index/planner.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

/// A million songs, as calibrated for .95.
constexpr PlannedSearch kMillion = {
    .num_items = 1'000'000,
    .dim = 64,
    .num_leaves = 4000,
    .has_codes = true,
    .num_allowed = 1'000'000,
    .knobs = {.num_leaves_to_search = 120, .reordering_num_neighbors = 150}};

PlannedSearch filtered(std::size_t num_allowed) {
    PlannedSearch search = kMillion;
    search.has_filter = true;
    search.num_allowed = num_allowed;
    return search;
}

TEST(Planner, takes_the_tree_for_large_catalogues_and_the_scan_for_small_ones) {
    EXPECT_EQ(plan_search(kMillion), SearchPath::kTree);
    PlannedSearch small = kMillion;
    small.num_items = 2000;
    small.num_allowed = 2000;
    small.num_leaves = 90;
    small.knobs.num_leaves_to_search = 6;
    EXPECT_EQ(plan_search(small), SearchPath::kExact);
}

TEST(Planner, scans_what_narrow_filters_leave) {
    EXPECT_EQ(plan_search(filtered(500'000)), SearchPath::kTree);
    EXPECT_EQ(plan_search(filtered(100'000)), SearchPath::kTree);
    EXPECT_EQ(plan_search(filtered(5'000)), SearchPath::kExact);
    EXPECT_EQ(plan_search(filtered(1'000)), SearchPath::kExact);
    EXPECT_EQ(plan_search(filtered(0)), SearchPath::kExact);
}

TEST(Planner, scans_where_there_is_no_tree_or_all_are_wanted) {
    PlannedSearch flat = kMillion;
    flat.has_codes = false;
    EXPECT_EQ(plan_search(flat), SearchPath::kExact);
    PlannedSearch all = kMillion;
    all.k = all.num_items;
    EXPECT_EQ(plan_search(all), SearchPath::kExact);
}

TEST(Planner, follows_calibration_for_single_queries_without_a_filter) {
    PlannedSearch search = kMillion;
    search.calibrated = SearchPath::kExact;
    EXPECT_EQ(plan_search(search), SearchPath::kExact);
    search.num_queries = 64;
    EXPECT_EQ(plan_search(search), SearchPath::kTree);
    search = filtered(1'000);
    search.calibrated = SearchPath::kTree;
    EXPECT_EQ(plan_search(search), SearchPath::kExact);
}

TEST(Planner, leaves_the_tree_when_knobs_ask_for_most_of_it) {
    PlannedSearch search = kMillion;
    search.num_queries = 1000;
    EXPECT_EQ(plan_search(search), SearchPath::kTree);
    search.knobs.num_leaves_to_search = 4000;
    EXPECT_EQ(plan_search(search), SearchPath::kExact);
}

TEST(Planner, scans_where_most_rows_are_too_short_to_be_hits) {
    PlannedSearch search = kMillion;
    search.exact_share = 0.01;
    EXPECT_EQ(plan_search(search), SearchPath::kExact);
    EXPECT_LT(exact_cost(search), exact_cost(kMillion) / 5);
    // Batches read every row, and filters lower what a hit must reach.
    search.num_queries = 64;
    EXPECT_EQ(plan_search(search), SearchPath::kTree);
    search = filtered(500'000);
    search.exact_share = 0.01;
    EXPECT_EQ(plan_search(search), SearchPath::kTree);
}

TEST(Planner, costs_grow_with_what_is_read) {
    PlannedSearch search = kMillion;
    double exact = 0;
    double tree = 0;
    for (const std::size_t num_items : {1'000, 10'000, 1'000'000, 10'000'000}) {
        search.num_items = num_items;
        search.num_allowed = num_items;
        EXPECT_GT(exact_cost(search), exact);
        EXPECT_GT(tree_cost(search), tree);
        exact = exact_cost(search);
        tree = tree_cost(search);
    }
    search.num_queries = 64;
    EXPECT_LT(exact_cost(search), exact);
    EXPECT_LT(tree_cost(search), tree);
}

}  // namespace
}  // namespace segue
