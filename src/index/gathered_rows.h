#pragma once

// Rows that pass a filter, brought together before they are multiplied.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/leaf_filter.h"

namespace segue {

/// Walks the positions a filter allows, ascending. Views the filter. Not thread-safe.
class AllowedPositions {
public:
    explicit AllowedPositions(const LeafFilter& filter)
        : AllowedPositions(filter, 0, filter.num_items()) {}
    AllowedPositions(const LeafFilter& filter, std::size_t begin, std::size_t end)
        : bits_(filter.bits()), next_(begin), end_(end) {}

    /// Replaces `out` by the next ones, `count` at most. Returns false if there are none.
    bool take(std::size_t count, std::vector<std::uint32_t>& out);

private:
    std::span<const std::uint64_t> bits_;
    std::size_t next_;
    std::size_t end_;
};

/// Whether a filter lets so few items pass that their rows are brought together; what wider ones
/// forbid is multiplied too, and dropped.
bool gathers_rows(std::size_t num_allowed, std::size_t num_items);
inline bool gathers_rows(const LeafFilter* filter) {
    return filter != nullptr && gathers_rows(filter->count(), filter->num_items());
}

/// As many as stay in the second level of cache, 1024 at most.
std::size_t gathered_rows_per_call(std::size_t row_bytes);

/// Copies the rows at the positions to `out` [positions.size() x row_bytes].
void gather_rows(const std::uint8_t* rows, std::size_t row_bytes,
                 std::span<const std::uint32_t> positions, std::uint8_t* out);

}  // namespace segue
