#pragma once

// Answers of models that have a vector for every item (AnswerBy::kFoldIn and kVectors): the query
// becomes one vector, and one search finds the items.
//
// The similarity of a query vector q to item j is (q . v_j) / ||v_j||^gamma. Several parts of a
// query are put together as unit vectors, so that q . v_j is the sum of the parts' similarities.
// Every score that leaves here is computed once more from q and v_j by one function: a query has
// the same scores through the neighbour table, the search of one query and that of a batch, with
// and without an index.

#include <memory>

#include "model/model.h"
#include "recommend/answer_maker.h"

namespace segue {

/// Vectors are searched for through the model's index; without one every item is scored, and the
/// norms of all items are computed when the first query needs them, as their Gram matrix is.
class VectorAnswers final : public AnswerMaker {
public:
    explicit VectorAnswers(const Model& model);
    ~VectorAnswers() override;

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
