#include "index/tree_path.h"

namespace segue {

void search_tree(const PreparedSearch& search, TreeBuffers& buffers,
                 std::vector<ScoredRow>& results, SearchTrace& trace) {
    search_exact(search, buffers.exact, results, trace);
}

Neighbours search_tree_batch(const PreparedBatch& batch, ThreadPool& pool,
                             const ProgressListener& progress) {
    return search_exact_batch(batch, pool, progress);
}

}  // namespace segue
