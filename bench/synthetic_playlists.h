#pragma once

// Seeded playlists with topics, of the shape of the blueprint's data: what co-occurrence counting
// is timed on.

#include <cstdint>

#include "data/sparse.h"

namespace segue::bench {

struct PlaylistShape {
    const char* name = "";
    std::uint32_t num_groups = 0;
    std::uint32_t num_items = 0;
    double mean_group_size = 0;
    std::uint32_t max_group_size = 100;
};

/// [groups x items]. Group sizes are log-normal (sigma 1, 2 to the maximum). A group has one topic,
/// drawn by Zipf's law; three of four items come from the 150 of its topic, the others from all,
/// both by Zipf's law.
SparseMatrix synthetic_playlists(const PlaylistShape& shape, std::uint64_t seed);

}  // namespace segue::bench
