#pragma once

// The exact answers that approximate ones are judged by.

#include <span>

#include "base/thread_pool.h"
#include "vector_sets.h"

namespace segue::bench {

/// The best 100 of every query by f32 dot product; the item a query is left out. Rows behind the
/// number of items are 0xFFFFFFFF, with scores of minus infinity.
Result<SetTruth> compute_truth(const VectorSet& set, ThreadPool& pool);

/// Of sets of unit vectors with at least 100 items; else zeros.
IntrinsicDimension intrinsic_dimension(const VectorSet& set, const SetTruth& truth);

/// The share of the `k` true neighbours that answers reach, over all queries: an answer counts when
/// its exact score reaches that of the k-th true neighbour within a thousandth of it, so that ties
/// are not held against anyone (ann-benchmarks' rule, there 1e-3 of a distance). `answers`
/// [num_queries x k], 0xFFFFFFFF for none; an answer given twice counts once.
double recall_by_score(const VectorSet& set, const SetTruth& truth,
                       std::span<const std::uint32_t> answers, std::size_t k);

/// The same by identity of items.
double recall_by_row(const SetTruth& truth, std::span<const std::uint32_t> answers, std::size_t k);

}  // namespace segue::bench
