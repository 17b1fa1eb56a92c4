#pragma once

// Answers of models that add up neighbour lists (AnswerBy::kLists): the score of item j is the sum
// over the query's items i of weight_i * score(i, j). Where they come from, the first that applies:
//
//   one item                   its stored list, at the exponent it is stored with and when it is
//                              long enough
//   a score that is a product  the stored histories, in full
//   another score              the stored lists of the items, if at least k items are in them
//   otherwise                  pairs counted from the stored histories; without histories the
//                              stored lists
//
// For scores own(i) * c_w(i, j) * other(j) no pair is counted at all: with n_g the size of group g,
//
//   sum_i weight_i score(i, j) = other(j) *
//       sum over groups g of j: n_g^-a * sum over i in g: weight_i * own(i)
//
// which is one pass over the groups of the query's items and one over the items of those groups.

#include <memory>

#include "model/model.h"
#include "recommend/answer_maker.h"

namespace segue {

/// Only items that were ever together with one of the query's are offered.
class ListAnswers final : public AnswerMaker {
public:
    explicit ListAnswers(const Model& model);
    ~ListAnswers() override;

    Status answer(const ResolvedQuery& query, Combine combine, QueryBuffers& buffers,
                  Answer& answer) const override;
    Result<Neighbours> recommend_histories(const SparseView& histories, const BatchOptions& options,
                                           ThreadPool& pool,
                                           const ProgressListener& progress) const override;
    Result<Neighbours> similar_items(std::span<const std::uint32_t> item_rows,
                                     const BatchOptions& options, ThreadPool& pool,
                                     const ProgressListener& progress) const override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace segue
