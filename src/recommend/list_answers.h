#pragma once

// Answers of models that add up neighbour lists (AnswerBy::kLists): the score of item j is the sum
// over the query's items i of weight_i * score(i, j). Where they come from, the first that applies:
//   one item                     its stored list, at the model's popularity exponent and when it is
//   long enough a score that is a product    the stored histories, in full another score the stored
//   lists of the items, if at least k items are in them otherwise                    pairs counted
//   from the stored histories; without histories the stored lists
// For scores own(i) * c_w(i, j) * other(j) no pair is counted at all: with n_g the size of group g,
//   sum_i weight_i score(i, j) = other(j) * sum over groups g of j: n_g^-a * sum over i in g:
//   weight_i * own(i)
// which is one pass over the groups of the query's items and one over the items of those groups.

#include <cstdint>
#include <memory>
#include <span>

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

/// Views the model, which must outlive it. Immutable from outside, thread-safe.
class ListAnswers {
public:
    explicit ListAnswers(const Model& model);
    ~ListAnswers();

    /// Writes the results and source of an Answer. Only items that were ever together with one of
    /// the query's are offered. Requires: query.k > 0, answer.results are empty.
    Status answer(const ResolvedQuery& query, QueryBuffers& buffers, Answer& answer) const;
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
