#include "linalg/gather_order.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace segue {
namespace {

SparseMatrix matrix_of(const std::vector<std::vector<std::uint32_t>>& rows, std::size_t columns) {
    SparseMatrix matrix;
    matrix.num_rows = rows.size();
    matrix.num_columns = columns;
    for (const std::vector<std::uint32_t>& row : rows) {
        matrix.columns.insert(matrix.columns.end(), row.begin(), row.end());
        matrix.offsets.push_back(matrix.columns.size());
    }
    return matrix;
}

GatherOrder order_of(const SparseMatrix& matrix) {
    const SparseMatrix transposed = transpose(matrix.view());
    return gather_order({matrix.view(), transposed.view()});
}

/// How far apart in the order the two ends of every entry are, on average.
double mean_distance(const SparseMatrix& matrix, const GatherOrder& order) {
    std::vector<double> row_places(matrix.num_rows);
    std::vector<double> column_places(matrix.num_columns);
    for (std::size_t place = 0; place < order.rows.size(); ++place) {
        row_places[order.rows[place]] =
            static_cast<double>(place) / static_cast<double>(matrix.num_rows);
    }
    for (std::size_t place = 0; place < order.columns.size(); ++place) {
        column_places[order.columns[place]] =
            static_cast<double>(place) / static_cast<double>(matrix.num_columns);
    }
    double distance = 0;
    for (std::size_t row = 0; row < matrix.num_rows; ++row) {
        for (const std::uint32_t column : matrix.view().row_columns(row)) {
            distance += std::abs(row_places[row] - column_places[column]);
        }
    }
    return distance / static_cast<double>(matrix.columns.size());
}

TEST(GatherOrder, follows_a_chain_from_its_end) {
    // Rows 2 - 0 - 3 - 1, each with the next by one column.
    const SparseMatrix chain = matrix_of({{0, 1}, {2}, {0}, {1, 2}}, 3);
    const GatherOrder order = order_of(chain);
    EXPECT_EQ(order.rows, (std::vector<std::uint32_t>{1, 3, 0, 2}));
    EXPECT_EQ(order.columns, (std::vector<std::uint32_t>{2, 1, 0}));
}

TEST(GatherOrder, has_every_row_and_column_once_also_those_without_entries) {
    const SparseMatrix matrix = matrix_of({{}, {1, 4}, {4}, {2}, {}}, 6);
    GatherOrder order = order_of(matrix);
    std::ranges::sort(order.rows);
    std::ranges::sort(order.columns);
    EXPECT_EQ(order.rows, (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
    EXPECT_EQ(order.columns, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}));
}

TEST(GatherOrder, brings_together_what_was_scattered) {
    // 20 neighbourhoods of 20 rows and columns, numbered at random.
    constexpr std::size_t kRows = 400;
    std::vector<std::vector<std::uint32_t>> rows(kRows);
    for (std::uint32_t row = 0; row < kRows; ++row) {
        Random random(7, row);
        for (int entry = 0; entry < 8; ++entry) {
            rows[row].push_back(
                static_cast<std::uint32_t>(row % 20 + 20 * (random.next() % (kRows / 20))));
        }
        std::ranges::sort(rows[row]);
        rows[row].erase(std::unique(rows[row].begin(), rows[row].end()), rows[row].end());
    }
    const SparseMatrix matrix = matrix_of(rows, kRows);
    GatherOrder as_it_is;
    for (std::uint32_t row = 0; row < kRows; ++row) {
        as_it_is.rows.push_back(row);
        as_it_is.columns.push_back(row);
    }
    EXPECT_LT(mean_distance(matrix, order_of(matrix)), 0.2 * mean_distance(matrix, as_it_is));
}

TEST(GatherOrder, numbers_rows_and_columns_anew) {
    SparseMatrix matrix = matrix_of({{0, 2}, {}, {1}}, 3);
    matrix.values = {5, 6, 7};
    const GatherOrder order = {.rows = {2, 0, 1}, .columns = {1, 2, 0}};
    EXPECT_EQ(places_in(order.columns), (std::vector<std::uint32_t>{2, 0, 1}));
    const SparseMatrix result = renumbered(matrix.view(), order);
    EXPECT_EQ(result.num_rows, 3U);
    EXPECT_EQ(result.num_columns, 3U);
    EXPECT_EQ(result.offsets, (std::vector<std::uint64_t>{0, 1, 3, 3}));
    EXPECT_EQ(result.columns, (std::vector<std::uint32_t>{0, 2, 1}));
    EXPECT_EQ(result.values, (std::vector<float>{7, 5, 6}));
}

}  // namespace
}  // namespace segue
