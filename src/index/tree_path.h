#pragma once

// ScaNN's family of search: the leaves whose centres are best, the codes of their entries scored by
// lookups into one buffer, one selection, int8 and then f32 rescoring. Where that cannot find k
// results that exist, more leaves are read, and in the end every item is scored.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "index/exact_path.h"
#include "index/leaf_index.h"
#include "index/prepared_search.h"
#include "index/tree_query.h"
#include "index/tree_rescore.h"
#include "index/tree_select.h"

namespace segue {

/// Memory of one thread's tree searches. Not thread-safe.
struct TreeBuffers {
    TreeQuery query;
    TreeQueryScratch scratch;
    BestEntries best;
    Rescorer rescorer;
    std::vector<kernels::CodeSegment> segments;
    std::vector<std::uint32_t> first_entries;  // [blocks of scores] number of the first entry
    AlignedBuffer<std::int16_t> scores;
    ExactBuffers exact;
};

/// How much of the tree one attempt reads.
struct TreeReach {
    std::size_t num_leaves = 0;
    std::size_t num_candidates = 0;
    /// Candidates scored by f32 beside k and the excluded.
    std::size_t surplus = 0;

    /// Nothing is left to read.
    bool is_all(const TreeTables& tree) const {
        return num_leaves >= tree.num_filled_leaves && num_candidates >= tree.num_entries;
    }
    TreeReach widened() const;
};

/// What a search reads at first: its knobs, or what usually finds .95 of the best 10; more where
/// items are excluded, filtered out, or in several leaves.
TreeReach first_reach(const SearchTerms& terms, std::size_t num_excluded);

/// Whether leaves that were not read promise better items than the last of the results, of which
/// there are k or as many as reach the least score; chooses them beside the others. Requires: the
/// query was started with this scratch.
bool reads_too_little(const SearchTerms& terms, std::span<const ScoredRow> results,
                      TreeQueryScratch& scratch, TreeQuery& query);

/// The codes of a leaf.
kernels::CodeSegment segment_of(const SearchTerms& terms, std::uint32_t leaf, std::int32_t bias);

/// Replaces `results`. Requires: the index has codes.
void search_tree(const PreparedSearch& search, TreeBuffers& buffers,
                 std::vector<ScoredRow>& results, SearchTrace& trace);

/// The list of each query, as search_tree gives it for each alone. The same bytes for any number of
/// threads.
Neighbours search_tree_batch(const PreparedBatch& batch, ThreadPool& pool,
                             const ProgressListener& progress);

}  // namespace segue
