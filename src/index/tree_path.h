#pragma once

#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "index/exact_path.h"
#include "index/leaf_index.h"
#include "index/prepared_search.h"

namespace segue {

/// Memory of one thread's tree searches. Not thread-safe.
struct TreeBuffers {
    ExactBuffers exact;
};

/// Replaces `results`. Requires: the index has codes.
void search_tree(const PreparedSearch& search, TreeBuffers& buffers,
                 std::vector<ScoredRow>& results, SearchTrace& trace);

/// The list of each query, as search_tree gives it for each alone.
Neighbours search_tree_batch(const PreparedBatch& batch, ThreadPool& pool,
                             const ProgressListener& progress);

}  // namespace segue
