#pragma once

// Rows of (column, value): groups x items, items x items. Compressed sparse rows.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace segue {

/// Views a sparse matrix [num_rows x num_columns]: row r has the entries [offsets[r], offsets[r +
/// 1]) of `columns`, ascending and distinct, and of `values`, which is empty when every value is 1.
struct SparseView {
    std::size_t num_rows = 0;
    std::size_t num_columns = 0;
    std::span<const std::uint64_t> offsets;  // [num_rows + 1]
    std::span<const std::uint32_t> columns;  // [num_entries()]
    std::span<const float> values;           // [num_entries()] or empty

    std::size_t num_entries() const { return columns.size(); }
    std::size_t row_size(std::size_t row) const {
        return static_cast<std::size_t>(offsets[row + 1] - offsets[row]);
    }
    std::span<const std::uint32_t> row_columns(std::size_t row) const {
        return columns.subspan(static_cast<std::size_t>(offsets[row]), row_size(row));
    }
    /// Rows [begin, end). Views the same entries: offsets begin where they do in the whole.
    SparseView rows_between(std::size_t begin, std::size_t end) const {
        return {end - begin, num_columns, offsets.subspan(begin, end - begin + 1), columns, values};
    }
    /// Empty when every value is 1.
    std::span<const float> row_values(std::size_t row) const {
        return values.empty()
                   ? values
                   : values.subspan(static_cast<std::size_t>(offsets[row]), row_size(row));
    }
};

/// Owns a sparse matrix. Thread-compatible.
struct SparseMatrix {
    std::size_t num_rows = 0;
    std::size_t num_columns = 0;
    std::vector<std::uint64_t> offsets = {0};
    std::vector<std::uint32_t> columns;
    std::vector<float> values;

    std::size_t num_entries() const { return columns.size(); }
    SparseView view() const { return {num_rows, num_columns, offsets, columns, values}; }
};

/// Rows become columns; columns of the result ascend within each row.
SparseMatrix transpose(const SparseView& matrix);

/// The number of entries of each column, [num_columns].
std::vector<std::uint32_t> column_counts(const SparseView& matrix);

/// Returns an error if: offsets do not ascend from 0 to the number of entries, a column is out of
/// range or not ascending within its row, or a value is not finite. For matrices from outside.
Status validate(const SparseView& matrix);

/// One (row, column, value) entry before it is in its place.
struct Triplet {
    std::uint32_t row = 0;
    std::uint32_t column = 0;
    float value = 1;
};

/// Sorts entries into rows; the values of equal (row, column) are added in the order they come.
/// `values` of the result is empty when every sum is 1. Requires: rows and columns in range.
SparseMatrix sparse_from_triplets(std::size_t num_rows, std::size_t num_columns,
                                  std::span<const Triplet> entries);

}  // namespace segue
