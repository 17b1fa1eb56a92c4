#pragma once

// Seeded tables of the shape of well-known data sets, for timing only.

#include <cstdint>

#include "data/sparse.h"

namespace segue::bench {

struct TableShape {
    std::size_t num_rows = 0;
    std::size_t num_columns = 0;
    std::uint64_t num_entries = 0;  // aimed at; what comes out is a little less
};

inline constexpr TableShape kMovieLens20M = {138'287, 20'720, 9'995'410};
inline constexpr TableShape kLastFm360k = {358'868, 292'385, 17'535'655};

/// Row lengths are log-normal (sigma 1.05, at least 5), columns are drawn by a flattened Zipf law
/// and shuffled.
SparseMatrix synthetic_interactions(const TableShape& shape, std::uint64_t seed);

}  // namespace segue::bench
