#include "index/leaf_filter.h"

#include <fmt/core.h>

#include <bit>

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
    if (filter.is_narrow()) {
        filter.positions_.reserve(filter.count_);
        for (std::size_t word = 0; word < filter.bits_.size(); ++word) {
            for (std::uint64_t rest = filter.bits_[word]; rest != 0; rest &= rest - 1) {
                const auto bit = static_cast<std::size_t>(std::countr_zero(rest));
                filter.positions_.push_back(static_cast<std::uint32_t>(word * 64 + bit));
            }
        }
    }
    if (tables.has_codes()) {
        filter.count_entries(tables);
    }
    return filter;
}

void LeafFilter::count_entries(const IndexTables& tables) {
    const auto bit = [this](std::size_t position) {
        return static_cast<std::uint32_t>(bits_[position / 64] >> (position % 64) & 1);
    };
    leaf_entries_.resize(tables.num_leaves());
    for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
        std::uint32_t count = 0;
        if (tables.code_positions.empty()) {
            for (std::size_t position = tables.leaf_offsets[leaf];
                 position < tables.leaf_offsets[leaf + 1]; ++position) {
                count += bit(position);
            }
        } else {
            const std::size_t end = tables.code_offsets[leaf + 1] * kBlockPositions;
            for (std::size_t entry = tables.code_offsets[leaf] * kBlockPositions; entry < end;
                 ++entry) {
                const std::size_t position = tables.code_positions[entry];
                count += position < tables.num_items ? bit(position) : 0;
            }
        }
        leaf_entries_[leaf] = count;
    }
}

}  // namespace segue
