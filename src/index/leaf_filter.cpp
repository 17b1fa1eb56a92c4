#include "index/leaf_filter.h"

#include <fmt/core.h>

namespace segue {

Result<LeafFilter> LeafFilter::from_bitmap(const IndexTables& tables,
                                           std::span<const std::uint64_t> allowed) {
    const std::size_t words = (tables.num_items + 63) / 64;
    if (allowed.size() != words) {
        return invalid_argument(
            fmt::format("the bitmap of allowed items has {} words; {} items need {}",
                        allowed.size(), tables.num_items, words));
    }
    LeafFilter filter;
    filter.num_items_ = tables.num_items;
    filter.bits_ = AlignedBuffer<std::uint64_t>(tables.num_items / 64 + 2);
    for (std::size_t position = 0; position < tables.num_items; ++position) {
        const std::uint32_t row = tables.item_rows[position];
        const std::uint64_t bit = allowed[row / 64] >> (row % 64) & 1;
        filter.bits_[position / 64] |= bit << (position % 64);
        filter.count_ += bit;
    }
    return filter;
}

}  // namespace segue
