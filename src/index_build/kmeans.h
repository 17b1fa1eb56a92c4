#pragma once

// k-means for the leaves of an index: centres learnt from a sample of the items.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "index_build/build_items.h"

namespace segue {

struct KMeansOptions {
    std::size_t num_centres = 1;
    /// Rows are compared by angle: centres have length 1, and the nearest is that of the largest
    /// product. Otherwise by Euclidean distance.
    bool spherical = false;
    std::uint32_t num_iterations = 10;
    std::uint64_t seed = 1;
};

/// Learns [num_centres x dim] centres from the items `rows`, from random ones of them on; zeros
/// without rows. A centre that is nearest to nothing begins anew at a random row, so that centres
/// go without rows only where few rows are different. The same bytes for any number of threads.
Matrix learn_centres(const BuildItems& items, std::span<const std::uint32_t> rows,
                     const KMeansOptions& options, ThreadPool& pool,
                     const ProgressListener& progress);

}  // namespace segue
