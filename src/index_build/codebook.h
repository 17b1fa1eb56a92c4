#pragma once

// Codes of residuals: 16 codewords for every subspace of two dimensions, chosen for the scores of
// queries like the vector itself (the anisotropic loss of arXiv 1908.10396).

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "data/matrix.h"

namespace segue {

/// Learns codewords [num_subspaces x 2 x 16] (index_tables.h) by k-means in every subspace. The
/// same bytes for any number of threads. Requires: all residuals finite.
std::vector<float> learn_codebook(const MatrixView& residuals, std::uint64_t seed,
                                  ThreadPool& pool);

/// eta: how much errors along x count for each across it. Not below 1.
float parallel_weight(float anisotropic_threshold, std::size_t dim);

}  // namespace segue
