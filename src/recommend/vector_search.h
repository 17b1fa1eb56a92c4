#pragma once

// The best items for a vector: through the model's index, or by a scan of all item vectors where
// there is none.

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/neighbours.h"
#include "data/sparse.h"
#include "index/exact_index.h"
#include "index/leaf_index.h"
#include "model/model.h"
#include "recommend/recommend.h"
#include "recommend/resolve_query.h"
#include "recommend/scratch_pool.h"

namespace segue {

/// Views the model, which must outlive it. Immutable from outside, thread-safe.
class VectorSearch {
public:
    explicit VectorSearch(const Model& model);

    /// Replaces `rows` by the best items for the vector by dot / ||j||^exponent, with the k, the
    /// exclusions and the choice of the query. Requires: what the query offers is not few. Returns
    /// an error if: the vector is not finite.
    Status best(std::span<const float> vector, const ResolvedQuery& query, double exponent,
                std::vector<ScoredRow>& rows, SearchTrace& trace) const;

    /// The list of each query, without the items of its row of `excluded`.
    Result<Neighbours> best_of_all(const Matrix& queries, const SparseView& excluded,
                                   const BatchOptions& options, double exponent,
                                   ThreadPool& pool) const;

private:
    const ExactIndex& scan() const;

    const Model& model_;
    const LeafIndex* index_ = nullptr;
    mutable ScratchPool<SearchScratch> scratches_;
    mutable std::once_flag scan_made_;
    mutable std::unique_ptr<ExactIndex> scan_;
};

}  // namespace segue
