#pragma once

// The `cooc` recipe: for every item, the partners with the best pair scores.

#include <cstddef>
#include <cstdint>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "cooc/pair_counter.h"
#include "cooc/pair_scores.h"
#include "data/neighbours.h"

namespace segue {

struct NeighbourListParams {
    PairScoreParams score = {};
    std::size_t list_length = 100;   // at most this many partners of each item
    std::uint32_t min_together = 1;  // pairs counted less often are left out
    bool values_are_counts = false;  // see CountOptions
    std::uint32_t window = 0;        // see CountOptions

    /// Returns an error if: a part of it is out of range, or list_length is 0.
    Status validate() const;
};

/// Lists of all items, best first by comes_before, scores in f32 from f64 sums, and how often each
/// pair was together (products of multiplicities are cut at 2^32 - 1). The same bytes for any
/// number of threads. Returns an error if: the parameters or the input do not validate. Requires:
/// interactions are well-formed.
Result<Neighbours> cooc_neighbours(const CountInput& input, const NeighbourListParams& params,
                                   ThreadPool& pool, const ProgressListener& listener = {});

}  // namespace segue
