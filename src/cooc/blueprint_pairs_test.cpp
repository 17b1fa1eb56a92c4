#include "cooc/blueprint_pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cooc/cooc_test_tables.h"

namespace segue {
namespace {

// The blueprint's worked example with its filters done: groups A{1,2,3} B{1,2} C{2,3} D{1,4}, item
// n at row n - 1.
SparseMatrix worked_example() {
    return table_of(4, {{0, 1, 2}, {0, 1}, {1, 2}, {0, 3}});
}

struct Expected {
    std::uint32_t item1_row, item2_row;
    double together, pmi, score;
};

std::vector<Expected> worked_rows() {
    std::vector<Expected> rows = {{0, 0, 3, 1.584963, 4.754888}, {1, 1, 3, 1.584963, 4.754888},
                                  {2, 2, 2, 2.169925, 4.339850}, {3, 3, 1, 3.169925, 3.169925},
                                  {0, 1, 2, 1.000000, 2.000000}, {0, 2, 1, 0.584963, 0.584963},
                                  {0, 3, 1, 1.584963, 1.584963}, {1, 2, 2, 1.584963, 3.169925}};
    for (std::size_t row = 4; row < 8; ++row) {
        Expected mirrored = rows[row];
        std::swap(mirrored.item1_row, mirrored.item2_row);
        rows.push_back(mirrored);
    }
    return rows;
}

TEST(BlueprintPairs, gives_the_twelve_rows_of_the_worked_example) {
    const SparseMatrix table = worked_example();
    ThreadPool pool(1);
    const auto rows = cooccurrence_rows({table.view(), {}}, {}, pool);
    const auto matrix = blueprint_pairs({table.view(), {}}, {}, pool);
    ASSERT_TRUE(rows.ok());
    ASSERT_TRUE(matrix.ok());
    ASSERT_TRUE(validate(matrix->view()).ok());
    ASSERT_EQ(rows->size(), 12u);
    ASSERT_EQ(matrix->num_entries(), 12u);
    const std::vector<std::uint32_t> frequencies = {3, 3, 2, 1};
    for (const Expected& expected : worked_rows()) {
        const auto row = std::find_if(rows->begin(), rows->end(), [&](const CooccurrenceRow& r) {
            return r.item1_row == expected.item1_row && r.item2_row == expected.item2_row;
        });
        ASSERT_NE(row, rows->end());
        EXPECT_EQ(row->together, expected.together);
        EXPECT_EQ(row->frequency1, frequencies[expected.item1_row]);
        EXPECT_EQ(row->frequency2, frequencies[expected.item2_row]);
        EXPECT_NEAR(row->pmi, expected.pmi, 1e-6);
        EXPECT_NEAR(row->score, expected.score, 1e-6);
        const auto entry = static_cast<std::size_t>(row - rows->begin());
        EXPECT_EQ(matrix->columns[entry], expected.item2_row);
        EXPECT_EQ(matrix->values[entry], static_cast<float>(row->score));
    }
}

TEST(BlueprintPairs, are_symmetric_and_their_diagonal_sums_to_the_total) {
    const RandomTable table = random_table(21, 300, 80, 20, false);
    ThreadPool pool(2);
    const auto rows = cooccurrence_rows(table.input(), {}, pool);
    ASSERT_TRUE(rows.ok());
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> together;
    double diagonal = 0;
    for (const CooccurrenceRow& row : *rows) {
        together[{row.item1_row, row.item2_row}] = row.together;
        diagonal += row.item1_row == row.item2_row ? row.together : 0;
    }
    ASSERT_EQ(together.size(), rows->size());
    for (const auto& [pair, count] : together) {
        EXPECT_EQ((together[{pair.second, pair.first}]), count);
    }
    EXPECT_EQ(diagonal, static_cast<double>(table.interactions.num_entries()));
    const auto matrix = blueprint_pairs(table.input(), {}, pool);
    ASSERT_TRUE(matrix.ok());
    const SparseMatrix mirrored = transpose(matrix->view());
    EXPECT_TRUE(std::ranges::equal(mirrored.columns, matrix->columns));
    EXPECT_TRUE(std::ranges::equal(mirrored.values, matrix->values));
}

TEST(BlueprintPairs, agree_with_brute_force) {
    for (const bool with_values : {false, true}) {
        const RandomTable table = random_table(22, 120, 50, 15, with_values);
        const CountOptions options = {.values_are_counts = with_values};
        const auto frequencies = item_frequencies(table.interactions.view(), with_values);
        double total = 0;
        for (const std::uint32_t frequency : *frequencies) {
            total += frequency;
        }
        BruteTable expected = brute_force_counts(table.input(), options);
        for (std::uint32_t item = 0; item < 50; ++item) {
            if ((*frequencies)[item] > 0) {
                expected[{item, item}].together = (*frequencies)[item];
            }
        }
        ThreadPool pool(1);
        const auto rows = cooccurrence_rows(table.input(), options, pool);
        ASSERT_TRUE(rows.ok());
        ASSERT_EQ(rows->size(), expected.size());
        std::size_t place = 0;
        for (const auto& [pair, sums] : expected) {
            const CooccurrenceRow& row = (*rows)[place++];
            EXPECT_EQ(row.item1_row, pair.first);
            EXPECT_EQ(row.item2_row, pair.second);
            EXPECT_EQ(row.together, sums.together);
            const double ratio = sums.together * total / row.frequency1 / row.frequency2;
            EXPECT_NEAR(row.pmi, std::log2(ratio), 1e-9);
            EXPECT_NEAR(row.score, sums.together * std::log2(ratio), 1e-6);
        }
    }
}

TEST(BlueprintPairs, are_mirrored_across_blocks_of_rows) {
    const RandomTable table = random_table(25, 400, 20000, 40, false);
    ThreadPool pool(2);
    const auto matrix = blueprint_pairs(table.input(), {}, pool);
    ASSERT_TRUE(matrix.ok());
    ASSERT_TRUE(validate(matrix->view()).ok());
    std::size_t num_expected = 0;
    for (const auto& [pair, sums] : brute_force_counts(table.input(), {})) {
        const auto columns = matrix->view().row_columns(pair.first);
        EXPECT_TRUE(std::binary_search(columns.begin(), columns.end(), pair.second));
        ++num_expected;
    }
    for (const std::uint32_t frequency : column_counts(table.interactions.view())) {
        num_expected += frequency > 0 ? 1 : 0;
    }
    EXPECT_EQ(matrix->num_entries(), num_expected);
    const SparseMatrix mirrored = transpose(matrix->view());
    EXPECT_TRUE(std::ranges::equal(mirrored.columns, matrix->columns));
    EXPECT_TRUE(std::ranges::equal(mirrored.values, matrix->values));
}

TEST(BlueprintPairs, are_the_same_bytes_for_any_number_of_threads) {
    const RandomTable table = random_table(23, 600, 500, 25, false);
    ThreadPool one(1);
    const auto expected = blueprint_pairs(table.input(), {}, one);
    ASSERT_TRUE(expected.ok());
    for (const unsigned num_threads : {2u, 5u}) {
        ThreadPool pool(num_threads);
        const auto matrix = blueprint_pairs(table.input(), {}, pool);
        ASSERT_TRUE(matrix.ok());
        EXPECT_EQ(matrix->offsets, expected->offsets);
        EXPECT_EQ(matrix->columns, expected->columns);
        EXPECT_EQ(matrix->values, expected->values);
    }
}

TEST(BlueprintPairs, stream_the_rows_they_would_keep_and_stop_when_told) {
    const RandomTable table = random_table(24, 100, 90, 10, false);
    ThreadPool pool(1);
    const auto expected = cooccurrence_rows(table.input(), {}, pool);
    ASSERT_TRUE(expected.ok());
    std::size_t place = 0;
    const Status streamed =
        stream_cooccurrence_rows(table.input(), {}, [&](std::span<const CooccurrenceRow> rows) {
            for (const CooccurrenceRow& row : rows) {
                EXPECT_EQ(row.item2_row, (*expected)[place].item2_row);
                EXPECT_EQ(row.score, (*expected)[place].score);
                ++place;
            }
            return Status();
        });
    EXPECT_TRUE(streamed.ok());
    EXPECT_EQ(place, expected->size());
    int calls = 0;
    const Status stopped =
        stream_cooccurrence_rows(table.input(), {}, [&](std::span<const CooccurrenceRow>) {
            ++calls;
            return io_error("disk full");
        });
    EXPECT_EQ(stopped.code(), StatusCode::kIo);
    EXPECT_EQ(calls, 1);
}

TEST(BlueprintPairs, are_sorted_by_score_then_by_keys) {
    const SparseMatrix table = worked_example();
    ThreadPool pool(1);
    auto rows = cooccurrence_rows({table.view(), {}}, {}, pool);
    ASSERT_TRUE(rows.ok());
    const std::vector<std::uint32_t> key_ranks = {3, 2, 1, 0};
    sort_by_score(*rows, key_ranks);
    for (std::size_t place = 1; place < rows->size(); ++place) {
        EXPECT_GE((*rows)[place - 1].score, (*rows)[place].score);
    }
    EXPECT_EQ((*rows)[0].item1_row,
              1u);  // (2,2) and (1,1) have one score; key 2 sorts before key 1 here
    EXPECT_EQ((*rows)[1].item1_row, 0u);
    sort_by_score(*rows, {});
    EXPECT_EQ((*rows)[0].item1_row, 0u);
}

TEST(BlueprintPairs, of_nothing_are_nothing) {
    ThreadPool pool(2);
    for (const SparseMatrix& table : {table_of(0, {}), table_of(3, {}), table_of(3, {{}, {}})}) {
        const auto matrix = blueprint_pairs({table.view(), {}}, {}, pool);
        ASSERT_TRUE(matrix.ok());
        EXPECT_EQ(matrix->num_entries(), 0u);
        EXPECT_TRUE(validate(matrix->view()).ok());
        EXPECT_TRUE(cooccurrence_rows({table.view(), {}}, {}, pool)->empty());
    }
    EXPECT_FALSE(blueprint_pairs({table_of(1, {}).view(), {}}, {.group_exponent = 1}, pool).ok());
}

}  // namespace
}  // namespace segue
