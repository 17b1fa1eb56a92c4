#pragma once

// Lists that somebody else made, for the judge.

#include "data/sparse.h"
#include "eval/judge.h"

namespace segue {

/// The list of a group is its row of `scores` [num_groups x num_items], greatest value first, ties
/// by row; without values in order of rows. Views it.
GroupListMaker given_group_lists(const SparseView& scores);

/// Likewise of an item: its row of `scores` [num_items x num_items].
ItemListMaker given_item_lists(const SparseView& scores);

}  // namespace segue
