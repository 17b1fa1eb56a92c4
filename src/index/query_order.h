#pragma once

// How the queries of a batch go about the leaves they read.

#include <cstdint>
#include <vector>

#include "base/thread_pool.h"
#include "index/prepared_search.h"

namespace segue {

/// Whether those that read the same leaf had better share its codes: where they are many and each
/// reads much. Otherwise they are searched one after the other.
bool shares_codes(const PreparedBatch& batch);

/// The numbers of the queries, those that read the same leaves one after the other: what one has
/// read from memory the next finds in the caches. The same for any number of threads.
std::vector<std::uint32_t> order_queries(const PreparedBatch& batch, ThreadPool& pool);

}  // namespace segue
