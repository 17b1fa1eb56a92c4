#pragma once

// Models that score all items by one linear map of a history: the score of j is the sum over the
// history's items i of M[i][j].

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "data/sparse.h"

namespace segue {

/// How lists are made of scores.
struct LinearListOptions {
    std::size_t k = 20;
    /// [num_items] that scores are multiplied by, finite, or empty for 1.
    std::span<const float> factors = {};
    /// The k scores farthest from 0 rather than the k largest: what sums of lists lose least by.
    bool by_magnitude = false;
};

/// Immutable, thread-safe.
class LinearModel {
public:
    LinearModel() = default;
    LinearModel(const LinearModel&) = delete;
    LinearModel& operator=(const LinearModel&) = delete;
    virtual ~LinearModel() = default;

    virtual std::size_t num_items() const = 0;

    /// The best k items for each history outside of it, best first, scores of 0 left out; values of
    /// histories do not count. The same for any number of threads. Requires: histories
    /// [.. x num_items] are well-formed, k > 0.
    virtual Neighbours lists(const SparseView& histories, const LinearListOptions& options,
                             ThreadPool& pool, const ProgressListener& progress = {}) const = 0;
};

/// Lists of the items named, as of histories of one item each.
Neighbours lists_of_items(const LinearModel& model, std::span<const std::uint32_t> item_rows,
                          const LinearListOptions& options, ThreadPool& pool,
                          const ProgressListener& progress = {});

/// Joins lists made one by one.
Neighbours join_lists(std::span<const std::vector<ScoredRow>> lists);

}  // namespace segue
