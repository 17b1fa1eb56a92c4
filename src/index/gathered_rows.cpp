#include "index/gathered_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace segue {

bool AllowedPositions::take(std::size_t count, std::vector<std::uint32_t>& out) {
    out.clear();
    while (next_ < end_ && out.size() < count) {
        const std::uint64_t word = bits_[next_ / 64] >> (next_ % 64);
        if (word == 0) {
            next_ = (next_ / 64 + 1) * 64;
            continue;
        }
        next_ += static_cast<std::size_t>(std::countr_zero(word));
        if (next_ < end_) {
            out.push_back(static_cast<std::uint32_t>(next_));
        }
        ++next_;
    }
    return !out.empty();
}

bool gathers_rows(std::size_t num_allowed, std::size_t num_items) {
    constexpr std::size_t kOneInSo = 4;
    return num_allowed < num_items / kOneInSo;
}

std::size_t gathered_rows_per_call(std::size_t row_bytes) {
    constexpr std::size_t kBytes = 256 * 1024;
    return std::clamp<std::size_t>(kBytes / row_bytes, 64, 1024);
}

void gather_rows(const std::uint8_t* rows, std::size_t row_bytes,
                 std::span<const std::uint32_t> positions, std::uint8_t* out) {
    // About as many misses as memory takes at a time.
    constexpr std::size_t kPrefetched = 24;
    constexpr std::size_t kLineBytes = 64;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        if (i + kPrefetched < positions.size()) {
            const std::uint8_t* row = rows + positions[i + kPrefetched] * row_bytes;
            for (std::size_t byte = 0; byte < row_bytes; byte += kLineBytes) {
                __builtin_prefetch(row + byte);
            }
        }
        std::memcpy(out + i * row_bytes, rows + positions[i] * row_bytes, row_bytes);
    }
}

}  // namespace segue
