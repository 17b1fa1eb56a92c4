#include "index/gathered_rows.h"

#include <algorithm>
#include <cstring>

namespace segue {

std::size_t gathered_rows_per_call(std::size_t row_bytes) {
    constexpr std::size_t kBytes = std::size_t{256} * 1024;
    return std::clamp<std::size_t>(kBytes / row_bytes, 64, 1024);
}

void gather_rows(const IndexTables& tables, const IndexBounds& bounds,
                 std::span<const std::uint32_t> positions, std::uint8_t* out) {
    // About as many misses as memory takes at a time.
    constexpr std::size_t kPrefetched = 24;
    constexpr std::size_t kLineBytes = 64;
    const std::size_t row_bytes = int8_row_bytes(tables.dim);
    const std::uint8_t* rows = tables.rows.data();
    for (std::size_t i = 0; i < positions.size(); ++i) {
        if (i + kPrefetched < positions.size()) {
            const std::size_t position = positions[i + kPrefetched];
            for (std::size_t byte = 0; byte < row_bytes; byte += kLineBytes) {
                __builtin_prefetch(rows + position * row_bytes + byte);
            }
            __builtin_prefetch(&tables.row_scales[position]);
            __builtin_prefetch(&bounds.blocks[position / kBlockPositions]);
        }
        std::memcpy(out + i * row_bytes, rows + positions[i] * row_bytes, row_bytes);
    }
}

}  // namespace segue
