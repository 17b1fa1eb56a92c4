#pragma once

// One way to answer questions about a model: by its lists (list_answers.h) or by its vectors
// (vector_answers.h). Recommender checks what is asked and picks the way.

#include <cstdint>
#include <span>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "data/sparse.h"
#include "recommend/answer_scratch.h"
#include "recommend/recommend.h"
#include "recommend/resolve_query.h"

namespace segue {

/// Views the model, which must outlive it. Immutable from outside, thread-safe.
class AnswerMaker {
public:
    AnswerMaker() = default;
    AnswerMaker(const AnswerMaker&) = delete;
    AnswerMaker& operator=(const AnswerMaker&) = delete;
    virtual ~AnswerMaker() = default;

    /// Writes the results, source and search of an Answer; `combine` says how several vectors are
    /// put together. Requires: query.k > 0, answer.results are empty.
    virtual Status answer(const ResolvedQuery& query, Combine combine, QueryBuffers& buffers,
                          Answer& answer) const = 0;
    /// See Recommender. Requires: histories are well-formed and as wide as the model.
    virtual Result<Neighbours> recommend_histories(const SparseView& histories,
                                                   const BatchOptions& options, ThreadPool& pool,
                                                   const ProgressListener& progress) const = 0;
    /// See Recommender. Requires: rows are in range.
    virtual Result<Neighbours> similar_items(std::span<const std::uint32_t> item_rows,
                                             const BatchOptions& options, ThreadPool& pool,
                                             const ProgressListener& progress) const = 0;
};

}  // namespace segue
