#pragma once

// The baseline every recipe stands beside: everybody is offered what most groups have.

#include "data/sparse.h"
#include "eval/judge.h"

namespace segue {

/// Lists of the most frequent items of `train`, ties by row; a group's own items left out, items in
/// no group never offered.
GroupListMaker popularity_group_lists(const SparseView& train);

/// The same list for every item, without the item itself.
ItemListMaker popularity_item_lists(const SparseView& train);

}  // namespace segue
