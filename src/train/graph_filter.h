#pragma once

// Filters of the graph of groups and items: histories are smoothed by walks over it, and sharpened.
// After GF-CF (Shen et al. 2021) and BSPM (Choi et al. 2023); docs/numerics.md has the formulas.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/sparse.h"
#include "train/linear_model.h"

namespace segue {

struct GraphFilterParams {
    double group_exponent = 0.5;   // a: a group of n items counts n^-a
    double item_exponent = 0.5;    // b: an item of f groups counts f^-b
    double low_rank_weight = 0.2;  // beta
    std::size_t low_rank_dim = 256;
    double sharpening = 1;  // T
    /// Of the iteration that finds singular vectors; with few of them the low-rank part fades out
    /// smoothly where singular values are small, which ranks better than a sharp end.
    std::uint32_t iterations = 3;
    std::uint64_t seed = 1;

    /// Returns an error if: a number is not finite or out of its range.
    Status validate() const;
};

/// Memory of a filter with what scoring by it takes, the table left out.
std::uint64_t graph_filter_bytes(const SparseView& interactions, const GraphFilterParams& params,
                                 unsigned num_threads);

/// `interactions` [groups x items]; values do not count. The model keeps what it needs of them. The
/// same bytes for any number of threads. Returns an error if: parameters are invalid, or there are
/// no entries.
Result<std::unique_ptr<const LinearModel>> train_graph_filter(
    const SparseView& interactions, const GraphFilterParams& params, ThreadPool& pool,
    const ProgressListener& progress = {});

}  // namespace segue
