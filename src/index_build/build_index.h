#pragma once

// Builds an index: k-means leaves, int8 rows in leaf order, 4-bit codes of the residuals with the
// anisotropic loss of Guo et al. (arXiv 1908.10396), each item also in a second leaf where asked
// (SOAR, arXiv 2404.00774).

#include <cstdint>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "index_build/index_tables.h"

namespace segue {

/// What an index is built with; the names are ScaNN's. Zeros mean: chosen from the data.
struct IndexBuildOptions {
    Measure measure = Measure::kDot;
    /// gamma the index is fastest for: x_j = j / ||j||^gamma. Only for kDot.
    double popularity_exponent = 0;
    /// 0: about 4 sqrt(num_items): with 2 sqrt searches score half more entries, with 8 sqrt the
    /// centres cost as much as the entries do. 1: no tree, exact search alone. More than num_items
    /// are num_items.
    std::uint32_t num_leaves = 0;
    /// T: residuals along x count (d - 1) T^2 / (1 - T^2) times those across it, never less; 0
    /// counts both alike. In [0, 1).
    float anisotropic_quantization_threshold = 0.2F;
    /// lambda of SOAR; 0: every item in one leaf only. 1 spares a search of word vectors a sixth of
    /// the entries for twice the codes, and gains nothing where leaves are easily told apart.
    float soar_lambda = 0;
    /// Rows k-means learns from; 0: 100 a leaf at most.
    std::uint64_t training_sample_size = 0;
    std::uint32_t num_iterations = 10;
    std::uint64_t seed = 1;

    Status validate() const;
};

/// Builds in memory of about the size of the index beside the vectors. The same bytes for any
/// number of threads. Items that are zero or not finite are stored and never lost: the former score
/// 0, the latter are never results. Returns an error if: the options are invalid, the dimension is
/// 0 or above 4096, or there are 2^32 - 1 rows or more.
Result<IndexParts> build_index(const MatrixView& items, const IndexBuildOptions& options,
                               ThreadPool& pool, const ProgressListener& progress = {});

}  // namespace segue
