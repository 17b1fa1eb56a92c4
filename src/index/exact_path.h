#pragma once

// Every item is scored by its int8 row. Those whose score could, by a bound of the error, be among
// the best are scored again by their f32 vectors: the results are those of ExactIndex, to the last
// bit of every score.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/progress.h"
#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "index/admission.h"
#include "index/leaf_index.h"
#include "index/prepared_search.h"
#include "index/score_bounds.h"
#include "index_build/top_k.h"

namespace segue {

/// Memory of one thread's exact searches. Not thread-safe.
struct ExactBuffers {
    QuantisedQuery quantised;
    LevelFactors factors;
    Admission admission;
    TopK best;  // of a query that is zero
    std::vector<std::int16_t> query;
    std::vector<float> scales;
    std::vector<float> biases;
    std::vector<kernels::RowHit> hits;
    std::vector<float> leaf_products;   // [num_leaves] query . centre
    std::vector<float> block_greatest;  // [blocks] no score is above, in units; empty: not known
    // Rows that pass a narrow filter, brought together.
    std::vector<std::uint32_t> positions;
    AlignedBuffer<std::uint8_t> rows;
};

/// All dot products with such a query are 0, and all items tie.
bool is_zero(std::span<const float> query);

/// Replaces `results` by the best k of all items, fewer where fewer may be offered.
void search_exact(const PreparedSearch& search, ExactBuffers& buffers,
                  std::vector<ScoredRow>& results, SearchTrace& trace);

/// The list of each query, as search_exact gives it for each alone. The same bytes for any number
/// of threads.
Neighbours search_exact_batch(const PreparedBatch& batch, ThreadPool& pool,
                              const ProgressListener& progress);

}  // namespace segue
