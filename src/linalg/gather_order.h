#pragma once

// In which order the rows of a sparse matrix are best worked on when each gathers rows of a large
// table: near each other those that gather the same ones, which then come from cache.

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/singular_vectors.h"

namespace segue {

/// Permutations of the rows of a matrix and of its transpose.
struct GatherOrder {
    std::vector<std::uint32_t> rows;     // of by_row
    std::vector<std::uint32_t> columns;  // of by_column
};

/// Breadth first over the graph of rows and columns, from the rows of fewest entries, neighbours of
/// fewer entries first (Cuthill and McKee 1969). Depends on the matrix alone.
GatherOrder gather_order(const SparsePair& matrix);

/// At which place of `order`, a permutation, each number is.
std::vector<std::uint32_t> places_in(std::span<const std::uint32_t> order);

/// A matrix with its rows and columns numbered anew, so that rows of a table that are gathered one
/// after the other lie near each other too: row r is row order.rows[r] of `matrix`, and column c
/// its column order.columns[c]. Entries of a row keep their order. Requires: `order` has
/// permutations of its rows and columns.
SparseMatrix renumbered(const SparseView& matrix, const GatherOrder& order);

}  // namespace segue
