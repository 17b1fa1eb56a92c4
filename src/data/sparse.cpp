#include "data/sparse.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace segue {

namespace {

/// Counts in [1, n] become the offsets at which each row begins, in place.
void counts_to_offsets(std::vector<std::uint64_t>& offsets) {
    for (std::size_t row = 1; row < offsets.size(); ++row) {
        offsets[row] += offsets[row - 1];
    }
}

}  // namespace

SparseMatrix transpose(const SparseView& matrix) {
    SparseMatrix result;
    result.num_rows = matrix.num_columns;
    result.num_columns = matrix.num_rows;
    result.offsets.assign(matrix.num_columns + 1, 0);
    result.columns.resize(matrix.num_entries());
    result.values.resize(matrix.values.size());
    for (const std::uint32_t column : matrix.columns) {
        ++result.offsets[column + 1];
    }
    counts_to_offsets(result.offsets);
    std::vector<std::uint64_t> next(result.offsets.begin(), result.offsets.end() - 1);
    for (std::size_t row = 0; row < matrix.num_rows; ++row) {
        for (std::uint64_t entry = matrix.offsets[row]; entry < matrix.offsets[row + 1]; ++entry) {
            const std::uint64_t place = next[matrix.columns[entry]]++;
            result.columns[place] = static_cast<std::uint32_t>(row);
            if (!matrix.values.empty()) {
                result.values[place] = matrix.values[entry];
            }
        }
    }
    return result;
}

std::vector<std::uint32_t> column_counts(const SparseView& matrix) {
    std::vector<std::uint32_t> counts(matrix.num_columns, 0);
    for (const std::uint32_t column : matrix.columns) {
        ++counts[column];
    }
    return counts;
}

Status validate(const SparseView& matrix) {
    if (matrix.offsets.size() != matrix.num_rows + 1 || matrix.offsets.front() != 0 ||
        matrix.offsets.back() != matrix.num_entries()) {
        return corrupt("offsets of a sparse table do not span its " +
                       std::to_string(matrix.num_entries()) + " entries");
    }
    if (!matrix.values.empty() && matrix.values.size() != matrix.num_entries()) {
        return corrupt("a sparse table has " + std::to_string(matrix.values.size()) +
                       " values for " + std::to_string(matrix.num_entries()) + " entries");
    }
    for (std::size_t row = 0; row < matrix.num_rows; ++row) {
        const std::uint64_t begin = matrix.offsets[row];
        const std::uint64_t end = matrix.offsets[row + 1];
        if (begin > end || end > matrix.num_entries()) {
            return corrupt("offsets of a sparse table do not ascend at row " + std::to_string(row));
        }
        for (std::uint64_t entry = begin; entry < end; ++entry) {
            const bool in_range = matrix.columns[entry] < matrix.num_columns;
            const bool ascends =
                entry == begin || matrix.columns[entry - 1] < matrix.columns[entry];
            if (!in_range || !ascends) {
                return corrupt("columns of a sparse table are out of order or range at row " +
                               std::to_string(row));
            }
        }
    }
    if (!std::all_of(matrix.values.begin(), matrix.values.end(),
                     [](float value) { return std::isfinite(value); })) {
        return corrupt("a sparse table has a value that is not finite");
    }
    return Status();
}

SparseMatrix sparse_from_triplets(std::size_t num_rows, std::size_t num_columns,
                                  std::span<const Triplet> entries) {
    // Two counting sorts: by column, then by row, each keeping the order of equals.
    std::vector<std::uint64_t> starts(num_columns + 1, 0);
    for (const Triplet& entry : entries) {
        ++starts[entry.column + 1];
    }
    counts_to_offsets(starts);
    std::vector<Triplet> by_column(entries.size());
    for (const Triplet& entry : entries) {
        by_column[starts[entry.column]++] = entry;
    }
    SparseMatrix result;
    result.num_rows = num_rows;
    result.num_columns = num_columns;
    starts.assign(num_rows + 1, 0);
    for (const Triplet& entry : entries) {
        ++starts[entry.row + 1];
    }
    counts_to_offsets(starts);
    result.columns.resize(entries.size());
    result.values.resize(entries.size());
    std::vector<std::uint64_t> next(starts.begin(), starts.end() - 1);
    for (const Triplet& entry : by_column) {
        const std::uint64_t place = next[entry.row]++;
        result.columns[place] = entry.column;
        result.values[place] = entry.value;
    }
    // Merge equal columns of a row, moving everything up.
    result.offsets.assign(num_rows + 1, 0);
    std::size_t kept = 0;
    for (std::size_t row = 0; row < num_rows; ++row) {
        const std::size_t row_begin = kept;
        for (std::uint64_t entry = starts[row]; entry < starts[row + 1]; ++entry) {
            if (kept > row_begin && result.columns[kept - 1] == result.columns[entry]) {
                result.values[kept - 1] += result.values[entry];
            } else {
                result.columns[kept] = result.columns[entry];
                result.values[kept] = result.values[entry];
                ++kept;
            }
        }
        result.offsets[row + 1] = kept;
    }
    result.columns.resize(kept);
    result.values.resize(kept);
    if (std::all_of(result.values.begin(), result.values.end(), [](float v) { return v == 1; })) {
        result.values.clear();
        result.values.shrink_to_fit();
    }
    return result;
}

}  // namespace segue
