#pragma once

// Answers of models that have a vector for every item (AnswerBy::kFoldIn and kVectors): the query
// becomes one vector, and one search finds the items.
//
// The similarity of a query vector q to item j is (q . v_j) / ||v_j||^gamma. Several parts of a
// query are put together as unit vectors, so that q . v_j is the sum of the parts' similarities.
// Every score that leaves here is computed once more from q and v_j by one function: a query has
// the same scores through the neighbour table, the search of one query and that of a batch, with
// and without an index.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "data/sparse.h"
#include "model/model.h"
#include "recommend/answer_scratch.h"
#include "recommend/recommend.h"
#include "recommend/resolve_query.h"

namespace segue {

/// Views the model, which must outlive it. Vectors are searched for through the model's index;
/// without one every item is scored, and the norms of all items are computed when the first query
/// needs them, as their Gram matrix is. Immutable from outside, thread-safe.
class VectorAnswers {
public:
    explicit VectorAnswers(const Model& model);
    ~VectorAnswers();

    /// Writes the results, source and search of an Answer. Requires: query.k > 0, answer.results
    /// are empty.
    Status answer(const ResolvedQuery& query, Combine combine, QueryBuffers& buffers,
                  Answer& answer) const;
    /// See Recommender. Requires: histories are well-formed and as wide as the model.
    Result<Neighbours> recommend_histories(const SparseView& histories, const BatchOptions& options,
                                           ThreadPool& pool,
                                           const ProgressListener& progress) const;
    /// See Recommender. Requires: rows are in range.
    Result<Neighbours> similar_items(std::span<const std::uint32_t> item_rows,
                                     const BatchOptions& options, ThreadPool& pool,
                                     const ProgressListener& progress) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace segue
