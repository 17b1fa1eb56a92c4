#pragma once

// What counting a table will take, before it starts.

#include <cstdint>
#include <string>

#include "cooc/pair_counter.h"
#include "data/sparse.h"

namespace segue {

/// Numbers that do not fit 64 bits are the largest that do.
struct CountingPlan {
    std::uint64_t num_pairs = 0;  // P: sum of n (n - 1) / 2 over groups of n; with a window at most
    std::uint64_t max_distinct_pairs = 0;  // no more pairs of items than this can have a count
    std::uint64_t memory_bytes = 0;        // while counting, without the result
    double seconds = 0;  // wall time, on a machine like the one in docs/numerics.md

    /// "28,000,000 pairs, about 0.2 s and 41 MB".
    std::string to_text() const;
};

CountingPlan plan_counting(const SparseView& interactions, const CountOptions& options,
                           unsigned num_threads);

}  // namespace segue
