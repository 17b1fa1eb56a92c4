#pragma once

// Rows that pass a filter, brought together before they are multiplied.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/leaf_filter.h"
#include "index/score_bounds.h"
#include "index_build/index_tables.h"

namespace segue {

/// As many as stay in the second level of cache, 1024 at most.
std::size_t gathered_rows_per_call(std::size_t row_bytes);

/// Copies the int8 rows at the positions to `out` [positions.size() x row_bytes], and brings their
/// scales and the limits of their blocks into the cache.
void gather_rows(const IndexTables& tables, const IndexBounds& bounds,
                 std::span<const std::uint32_t> positions, std::uint8_t* out);

}  // namespace segue
