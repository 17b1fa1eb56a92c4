#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "index_build/build_items.h"
#include "index_build/index_tables.h"

namespace segue {

/// A second leaf for each position: of the leaves around its own the one with the least
/// ||r'||^2 + lambda (r . r' / ||r||)^2, where r and r' are what the centres of the first and the
/// second leave of x (SOAR, arXiv 2404.00774): where the first is a poor guess of the score, the
/// second tends not to be. Its own leaf where there is no other. Requires: leaf_offsets,
/// leaf_centres and item_rows are there. [num_items] The same for any number of threads.
std::vector<std::uint32_t> second_leaves(const BuildItems& items, const IndexParts& parts,
                                         float lambda, ThreadPool& pool);

}  // namespace segue
