#include "cooc/pair_counter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "cooc/cooc_test_tables.h"
#include "cooc/row_query.h"

namespace segue {
namespace {

BruteTable counted(const CountInput& input, const CountOptions& options, Partners partners) {
    const Result<PairCounter> counter = PairCounter::create(input, options, partners);
    EXPECT_TRUE(counter.ok()) << counter.status().message();
    BruteTable counts;
    RowAccumulator scratch = counter->make_scratch();
    for (std::uint32_t item = 0; item < counter->num_items(); ++item) {
        const PairRow row = counter->count(item, scratch);
        EXPECT_EQ(row.item_row, item);
        EXPECT_TRUE(std::is_sorted(row.partners.begin(), row.partners.end()));
        for (std::size_t place = 0; place < row.partners.size(); ++place) {
            counts[{item, row.partners[place]}] = {row.together[place], row.weighted[place]};
        }
    }
    return counts;
}

void expect_same(const BruteTable& found, const BruteTable& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [pair, sums] : expected) {
        const auto place = found.find(pair);
        ASSERT_NE(place, found.end()) << pair.first << ", " << pair.second;
        EXPECT_EQ(place->second.together, sums.together);
        EXPECT_NEAR(place->second.weighted, sums.weighted, 1e-12 * sums.weighted);
    }
}

BruteTable later_only(BruteTable counts) {
    std::erase_if(counts, [](const auto& entry) { return entry.first.first > entry.first.second; });
    return counts;
}

TEST(PairCounter, agrees_with_brute_force_for_every_option) {
    // Few items fill their rows and are read by a scan; many items are read from the list of
    // touched cells.
    for (const std::size_t num_items : {7u, 90u, 5000u}) {
        for (const bool with_values : {false, true}) {
            const RandomTable table = random_table(num_items, 60, num_items, 30, with_values);
            for (const double group_exponent : {0.0, 0.5, -1.0}) {
                for (const std::uint32_t window : {0u, 1u, 4u, 100u}) {
                    const CountOptions options = {.group_exponent = group_exponent,
                                                  .values_are_counts = with_values,
                                                  .window = window};
                    const BruteTable expected = brute_force_counts(table.input(), options);
                    expect_same(counted(table.input(), options, Partners::kAll), expected);
                    expect_same(counted(table.input(), options, Partners::kLater),
                                later_only(expected));
                }
            }
        }
    }
}

TEST(PairCounter, ignores_values_that_are_weights) {
    const RandomTable table = random_table(5, 40, 50, 20, true);
    RandomTable bare = table;
    bare.interactions.values.clear();
    expect_same(counted(table.input(), {}, Partners::kAll), brute_force_counts(bare.input(), {}));
}

TEST(PairCounter, multiplies_rows_that_were_kept_twice) {
    // Group 0 has item 0 twice and item 1 three times: six pairs of rows.
    SparseMatrix table = table_of(2, {{0, 1}, {0, 1}});
    table.values = {2, 3, 1, 1};
    const CountOptions options = {.values_are_counts = true};
    const BruteTable counts = counted({table.view(), {}}, options, Partners::kLater);
    ASSERT_EQ(counts.size(), 1u);
    EXPECT_EQ(counts.begin()->second.together, 7);
    EXPECT_EQ(*item_frequencies(table.view(), true), (std::vector<std::uint32_t>{3, 4}));
    EXPECT_EQ(*item_frequencies(table.view(), false), (std::vector<std::uint32_t>{2, 2}));
}

TEST(PairCounter, counts_pairs_before_they_are_counted) {
    const SparseMatrix table = table_of(6, {{0, 1, 2}, {3}, {}, {4, 5}});
    EXPECT_EQ(PairCounter::create({table.view(), {}}, {}, Partners::kLater)->num_updates(), 4u);
    EXPECT_EQ(PairCounter::create({table.view(), {}}, {}, Partners::kAll)->num_updates(), 14u);
}

TEST(PairCounter, finds_nothing_in_empty_tables_and_groups_of_one) {
    for (const SparseMatrix& table : {table_of(0, {}), table_of(3, {}), table_of(3, {{}, {}}),
                                      table_of(1, {{0}, {0}}), table_of(3, {{0}, {2}, {0}})}) {
        for (const Partners partners : {Partners::kAll, Partners::kLater}) {
            EXPECT_TRUE(counted({table.view(), {}}, {}, partners).empty());
            EXPECT_TRUE(counted({table.view(), {}}, {.group_exponent = 1}, partners).empty());
        }
    }
}

TEST(PairCounter, refuses_a_window_without_positions) {
    const SparseMatrix table = table_of(3, {{0, 1, 2}});
    const auto counter = PairCounter::create({table.view(), {}}, {.window = 2}, Partners::kAll);
    ASSERT_FALSE(counter.ok());
    EXPECT_EQ(counter.status().code(), StatusCode::kInvalidArgument);
}

TEST(PairCounter, refuses_counts_that_are_no_whole_numbers) {
    for (const float value : {0.5f, 0.0f, -1.0f, 1.5f, std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
        SparseMatrix table = table_of(2, {{0, 1}});
        table.values = {1, value};
        EXPECT_FALSE(
            PairCounter::create({table.view(), {}}, {.values_are_counts = true}, Partners::kAll)
                .ok());
    }
}

TEST(PairCounter, refuses_groups_too_long_to_count) {
    // Nothing is read of a group before its size is.
    const std::vector<std::uint64_t> offsets = {0, std::uint64_t{1} << 24};
    const SparseView table = {
        .num_rows = 1, .num_columns = 3, .offsets = offsets, .columns = {}, .values = {}};
    const auto counter = PairCounter::create({table, {}}, {}, Partners::kAll);
    EXPECT_EQ(counter.status().code(), StatusCode::kResourceLimit);
}

TEST(PairCounter, refuses_exponents_out_of_range) {
    const SparseMatrix table = table_of(2, {{0, 1}});
    for (const double exponent : {4.5, -5.0, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_FALSE(
            PairCounter::create({table.view(), {}}, {.group_exponent = exponent}, Partners::kAll)
                .ok());
    }
}

TEST(PairCounter, visits_every_row_once_and_tells_how_far_it_is) {
    const RandomTable table = random_table(3, 200, 700, 12, false);
    const auto counter = PairCounter::create(table.input(), {}, Partners::kAll);
    ASSERT_TRUE(counter.ok());
    ThreadPool pool(3);
    std::vector<int> visits(700, 0);
    std::uint64_t last_done = 0;
    count_all_rows(
        *counter, pool,
        [&](const Progress& progress) {
            EXPECT_LE(progress.done, progress.total);
            last_done = progress.done;
        },
        [&](std::size_t chunk, unsigned worker, const PairRow& row) {
            EXPECT_EQ(chunk, row.item_row / kItemsPerChunk);
            EXPECT_LT(worker, 3u);
            ++visits[row.item_row];
        });
    EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), 700);
    EXPECT_LE(last_done, 700u);
}

TEST(CountTotals, leave_out_groups_without_items) {
    const SparseMatrix table = table_of(4, {{0, 1}, {}, {1}});
    const auto frequencies = item_frequencies(table.view(), false);
    const CountTotals totals = count_totals(table.view(), *frequencies);
    EXPECT_EQ(totals.total_frequency, 3);
    EXPECT_EQ(totals.num_groups, 2);
}

TEST(RowQuery, gives_the_row_a_counter_gives) {
    for (const bool with_values : {false, true}) {
        const RandomTable table = random_table(11, 80, 60, 25, with_values);
        const SparseMatrix by_item = transpose(table.interactions.view());
        const CountOptions options = {.group_exponent = 0.5, .values_are_counts = with_values};
        const auto counter = PairCounter::create(table.input(), options, Partners::kAll);
        ASSERT_TRUE(counter.ok());
        RowAccumulator counter_scratch = counter->make_scratch();
        RowAccumulator scratch = make_row_scratch(60);
        for (std::uint32_t item = 0; item < 60; ++item) {
            const PairRow expected = counter->count(item, counter_scratch);
            const PairRow row =
                count_row(table.interactions.view(), by_item.view(), item,
                          {.group_exponent = 0.5, .values_are_counts = with_values}, scratch);
            ASSERT_EQ(row.partners.size(), expected.partners.size());
            EXPECT_TRUE(
                std::equal(row.partners.begin(), row.partners.end(), expected.partners.begin()));
            EXPECT_TRUE(
                std::equal(row.together.begin(), row.together.end(), expected.together.begin()));
            EXPECT_TRUE(
                std::equal(row.weighted.begin(), row.weighted.end(), expected.weighted.begin()));
        }
    }
}

TEST(RowQuery, stays_within_its_memory_whatever_the_values_are) {
    // 40 groups of the same two items among many: cells that never left 0 would be listed 40 times.
    SparseMatrix table = table_of(1000, std::vector<std::vector<std::uint32_t>>(40, {0, 1}));
    for (const float value : {0.0f, -3.0f, std::numeric_limits<float>::quiet_NaN(),
                              std::numeric_limits<float>::infinity()}) {
        table.values.assign(table.num_entries(), value);
        const SparseMatrix by_item = transpose(table.view());
        RowAccumulator scratch = make_row_scratch(1000);
        const PairRow row = count_row(table.view(), by_item.view(), 0,
                                      {.group_exponent = 0.5, .values_are_counts = true}, scratch);
        ASSERT_EQ(row.partners.size(), 1u);
        EXPECT_EQ(row.partners[0], 1u);
        EXPECT_GE(row.together[0], 40);
    }
}

TEST(RowQuery, counts_any_two_items_together) {
    for (const bool with_values : {false, true}) {
        const RandomTable table = random_table(13, 80, 30, 12, with_values);
        const SparseMatrix by_item = transpose(table.interactions.view());
        BruteTable expected = brute_force_counts(table.input(), {.values_are_counts = with_values});
        for (std::uint32_t left = 0; left < 30; ++left) {
            for (std::uint32_t right = 0; right < 30; ++right) {
                if (left != right) {
                    EXPECT_EQ(together_count(by_item.view(), left, right, with_values),
                              (expected[{left, right}].together));
                }
            }
        }
    }
}

}  // namespace
}  // namespace segue
