#include "cooc/counting_plan.h"

#include <gtest/gtest.h>

#include <limits>

#include "cooc/cooc_test_tables.h"
#include "cooc/group_limit.h"

namespace segue {
namespace {

TEST(CountingPlan, counts_the_pairs_a_counter_will_add) {
    const RandomTable table = random_table(41, 100, 300, 30, false);
    const auto counter = PairCounter::create(table.input(), {}, Partners::kLater);
    const CountingPlan plan = plan_counting(table.interactions.view(), {}, 2);
    EXPECT_EQ(plan.num_pairs, counter->num_updates());
    EXPECT_GT(plan.memory_bytes, 16 * table.interactions.num_entries());
    EXPECT_GT(plan.seconds, 0);
    EXPECT_LT(plan.seconds, plan_counting(table.interactions.view(), {}, 1).seconds);
}

TEST(CountingPlan, bounds_the_pairs_of_a_window) {
    const RandomTable table = random_table(42, 100, 300, 30, false);
    const CountOptions options = {.window = 3};
    const auto counter = PairCounter::create(table.input(), options, Partners::kAll);
    const std::uint64_t pairs = (counter->num_updates() - table.interactions.num_entries()) / 2;
    const CountingPlan plan = plan_counting(table.interactions.view(), options, 1);
    EXPECT_GE(plan.num_pairs, pairs);
    EXPECT_LT(plan.num_pairs, plan_counting(table.interactions.view(), {}, 1).num_pairs);
}

TEST(CountingPlan, does_not_overflow) {
    // Only the sizes of groups are looked at: two groups of 2^33 and 2^34 entries nobody has to
    // hold.
    const std::vector<std::uint64_t> offsets = {0, std::uint64_t{1} << 33, std::uint64_t{3} << 33};
    const SparseView table = {
        .num_rows = 2, .num_columns = 4000000000, .offsets = offsets, .columns = {}, .values = {}};
    const CountingPlan plan = plan_counting(table, {}, 1);
    EXPECT_EQ(plan.num_pairs, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(plan.max_distinct_pairs, std::uint64_t{4000000000} * 3999999999 / 2);
    EXPECT_FALSE(plan.to_text().empty());
}

TEST(CountingPlan, speaks_of_nothing) {
    EXPECT_EQ(plan_counting(table_of(0, {}).view(), {}, 0).to_text(),
              "0 pairs, about 0.1 s and 0 MB");
}

TEST(GroupLimit, drops_groups_above_it_and_keeps_those_at_it) {
    const SparseMatrix table = table_of(5, {{0, 1, 2}, {0, 1, 2, 3}, {4}});
    const auto limited = limit_groups({table.view(), {}}, {.max_group_size = 3});
    ASSERT_TRUE(limited.ok());
    EXPECT_EQ(limited->interactions.offsets, (std::vector<std::uint64_t>{0, 3, 3, 4}));
    EXPECT_EQ(limited->interactions.columns, (std::vector<std::uint32_t>{0, 1, 2, 4}));
    EXPECT_EQ(limited->num_groups_limited, 1u);
    EXPECT_EQ(limited->num_entries_removed, 4u);
    EXPECT_EQ(limited->num_pairs_removed, 6u);
}

TEST(GroupLimit, cuts_groups_to_a_sample_that_the_seed_alone_decides) {
    const RandomTable table = random_table(43, 50, 400, 60, true);
    const GroupLimit limit = {.max_group_size = 10, .long_groups = LongGroups::kCut, .seed = 5};
    const auto limited = limit_groups(table.input(), limit);
    ASSERT_TRUE(limited.ok());
    const SparseView before = table.interactions.view();
    const SparseView after = limited->interactions.view();
    ASSERT_TRUE(validate(after).ok());
    std::uint64_t pairs_before = 0;
    std::uint64_t pairs_after = 0;
    for (std::size_t group = 0; group < 50; ++group) {
        const std::size_t size = before.row_size(group);
        EXPECT_EQ(after.row_size(group), std::min<std::size_t>(size, 10));
        pairs_before += size * (size - (size > 0 ? 1 : 0)) / 2;
        pairs_after += after.row_size(group) * (after.row_size(group) - (size > 0 ? 1 : 0)) / 2;
        for (std::uint64_t entry = after.offsets[group]; entry < after.offsets[group + 1];
             ++entry) {
            // Values and positions still belong to their items.
            const auto columns = before.row_columns(group);
            const auto place =
                std::lower_bound(columns.begin(), columns.end(), after.columns[entry]) -
                columns.begin();
            const std::uint64_t origin = before.offsets[group] + place;
            EXPECT_EQ(before.columns[origin], after.columns[entry]);
            EXPECT_EQ(before.values[origin], after.values[entry]);
            EXPECT_EQ(table.positions[origin], limited->positions[entry]);
        }
    }
    EXPECT_EQ(limited->num_pairs_removed, pairs_before - pairs_after);
    EXPECT_EQ(limit_groups(table.input(), limit)->interactions.columns,
              limited->interactions.columns);
    GroupLimit other_seed = limit;
    other_seed.seed = 6;
    EXPECT_NE(limit_groups(table.input(), other_seed)->interactions.columns,
              limited->interactions.columns);
}

TEST(GroupLimit, of_zero_is_none) {
    const RandomTable table = random_table(44, 20, 30, 15, false);
    const auto limited = limit_groups(table.input(), {});
    ASSERT_TRUE(limited.ok());
    EXPECT_EQ(limited->interactions.columns, table.interactions.columns);
    EXPECT_EQ(limited->num_groups_limited, 0u);
}

}  // namespace
}  // namespace segue
