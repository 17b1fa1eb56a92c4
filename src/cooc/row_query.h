#pragma once

// Counts at query time, straight from the stored histories: the partners of one item for another
// score than the stored lists have, and the evidence for any two items.

#include <cstdint>

#include "cooc/row_accumulator.h"
#include "data/sparse.h"

namespace segue {

struct RowCountParams {
    double group_exponent = 0.5;     // a: a group of n items adds n^-a to c_w
    bool values_are_counts = false;  // see CountOptions
};

/// A scratch for count_row; reuse it, it is num_items * 36 bytes. `num_items` of the table.
RowAccumulator make_row_scratch(std::size_t num_items);

/// The partners of one item, ascending, without itself; equal to the row of a PairCounter with the
/// same exponent. Views `scratch`. Takes some 5 ns for each item of each group of `item_row`.
/// `interactions` [groups x items] and `interactions_by_item`, its transpose. Requires: both
/// well-formed, item_row in range.
PairRow count_row(const SparseView& interactions, const SparseView& interactions_by_item,
                  std::uint32_t item_row, const RowCountParams& params, RowAccumulator& scratch);

/// How many groups both items are in, or the sum of the products of their values where those are
/// counts. Requires: rows in range.
double together_count(const SparseView& interactions_by_item, std::uint32_t left_row,
                      std::uint32_t right_row, bool values_are_counts = false);

}  // namespace segue
