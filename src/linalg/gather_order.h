#pragma once

// In which order the rows of a sparse matrix are best worked on when each gathers rows of a large
// table: near each other those that gather the same ones, which then come from cache.

#include <cstdint>
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

/// A matrix whose rows were put in another order.
struct OrderedRows {
    SparseMatrix matrix;
    std::vector<std::uint32_t> rows;  // row r of `matrix` was this one
};

/// Requires: `order` is a permutation of the rows of `matrix`, which has values.
OrderedRows in_order(const SparseView& matrix, std::vector<std::uint32_t> order);

}  // namespace segue
