#pragma once

#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "data/sparse.h"

namespace segue {

/// Fills `together` of every list entry: in how many groups the two items both are. `by_item`
/// [items x groups] is the transposed interactions. Marks the groups of an item once and looks up
/// each neighbour's groups among them: time is the sum of the neighbours' frequencies. The same for
/// any number of threads.
void count_evidence(const SparseView& by_item, ThreadPool& pool, Neighbours& neighbours);

}  // namespace segue
