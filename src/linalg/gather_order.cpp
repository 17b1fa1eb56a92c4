#include "linalg/gather_order.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace segue {

namespace {

/// One kind of vertex: rows, or columns.
struct Side {
    explicit Side(const SparseView& matrix) : neighbours(matrix), is_found(matrix.num_rows) {}

    SparseView neighbours;  // of each vertex, on the other side
    std::vector<bool> is_found;
    std::vector<std::uint32_t> order;
    std::size_t num_expanded = 0;

    void find(std::uint32_t vertex) {
        is_found[vertex] = true;
        order.push_back(vertex);
    }
};

void sort_by_size(const SparseView& matrix, std::vector<std::uint32_t>& rows) {
    std::ranges::sort(rows, {},
                      [&](std::uint32_t row) { return std::pair(matrix.row_size(row), row); });
}

/// Puts what the vertices of `from` lead to behind what was found of `to`.
void expand(Side& from, Side& to, std::vector<std::uint32_t>& fresh) {
    for (; from.num_expanded < from.order.size(); ++from.num_expanded) {
        fresh.clear();
        for (const std::uint32_t vertex :
             from.neighbours.row_columns(from.order[from.num_expanded])) {
            if (!to.is_found[vertex]) {
                fresh.push_back(vertex);
            }
        }
        sort_by_size(to.neighbours, fresh);
        for (const std::uint32_t vertex : fresh) {
            to.find(vertex);
        }
    }
}

}  // namespace

GatherOrder gather_order(const SparsePair& matrix) {
    Side rows(matrix.by_row);
    Side columns(matrix.by_column);
    std::vector<std::uint32_t> starts(matrix.by_row.num_rows);
    std::iota(starts.begin(), starts.end(), 0U);
    sort_by_size(matrix.by_row, starts);
    std::vector<std::uint32_t> fresh;
    for (const std::uint32_t start : starts) {
        if (!rows.is_found[start]) {
            rows.find(start);
        }
        while (rows.num_expanded < rows.order.size()) {
            expand(rows, columns, fresh);
            expand(columns, rows, fresh);
        }
    }
    for (std::uint32_t column = 0; column < columns.is_found.size(); ++column) {
        if (!columns.is_found[column]) {
            columns.find(column);
        }
    }
    return {std::move(rows.order), std::move(columns.order)};
}

std::vector<std::uint32_t> places_in(std::span<const std::uint32_t> order) {
    std::vector<std::uint32_t> places(order.size());
    for (std::uint32_t place = 0; place < order.size(); ++place) {
        places[order[place]] = place;
    }
    return places;
}

SparseMatrix renumbered(const SparseView& matrix, const GatherOrder& order) {
    const std::vector<std::uint32_t> places = places_in(order.columns);
    SparseMatrix result;
    result.num_rows = matrix.num_rows;
    result.num_columns = matrix.num_columns;
    result.offsets.reserve(matrix.num_rows + 1);
    result.columns.reserve(matrix.num_entries());
    result.values.reserve(matrix.values.size());
    for (const std::uint32_t row : order.rows) {
        for (const std::uint32_t column : matrix.row_columns(row)) {
            result.columns.push_back(places[column]);
        }
        const std::span<const float> values = matrix.row_values(row);
        result.values.insert(result.values.end(), values.begin(), values.end());
        result.offsets.push_back(result.columns.size());
    }
    return result;
}

}  // namespace segue
