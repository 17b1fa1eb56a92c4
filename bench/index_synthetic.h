#pragma once

// Vectors as matrix factorisation leaves them, drawn from a seed: a decaying spectrum, genres,
// niches of uneven popularity around them, and within a niche a few directions that items spread
// along. The parameters set the local intrinsic dimension, which is what makes search hard.

#include <cstdint>

#include "base/thread_pool.h"
#include "vector_sets.h"

namespace segue::bench {

struct SyntheticShape {
    std::size_t num_items = 0;
    std::size_t num_queries = 0;
    std::size_t dim = 0;
    double spectrum_decay = 0;    // axis i has variance proportional to (i + 1)^-decay
    std::size_t num_genres = 0;   // centres of the first level
    std::size_t num_niches = 0;   // centres of the second level, around a genre each
    double niche_spread = 0;      // of niches around their genre
    std::size_t local_dims = 0;   // directions that items of a niche spread along
    double local_spread = 0;      // how far, along these
    double isotropic_spread = 0;  // how far in all others
    std::uint64_t seed = 1;
};

/// Items and queries of one distribution, all of length 1. The same for any number of threads.
VectorSet make_synthetic(const SyntheticShape& shape, ThreadPool& pool);

}  // namespace segue::bench
