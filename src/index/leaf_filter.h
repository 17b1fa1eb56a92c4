#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "index_build/index_tables.h"

namespace segue {

/// A set of items that may be offered, as searches want it: one bit a position, in leaf order.
/// Made once, used by any number of queries. Move-only. Immutable, thread-safe.
class LeafFilter {
public:
    /// `allowed`: bit r % 64 of word r / 64 set: item row r may be offered. [(num_items + 63) / 64]
    /// Returns an error if: it has another size.
    static Result<LeafFilter> from_bitmap(const IndexTables& tables,
                                          std::span<const std::uint64_t> allowed);

    /// [num_items / 64 + 2] bit p % 64 of word p / 64: position p may be offered; zeros behind the
    /// last, so that 64 bits can be read from any position.
    std::span<const std::uint64_t> bits() const { return bits_.span(); }
    /// [count()] the positions that may be offered, ascending, where they are so few that searching
    /// brings their rows together; else empty.
    std::span<const std::uint32_t> positions() const { return positions_; }
    bool is_narrow() const { return is_narrow(count_, num_items_); }
    static bool is_narrow(std::size_t count, std::size_t num_items) {
        constexpr std::size_t kOneInSo = 10;
        return count < num_items / kOneInSo;
    }

    /// [num_leaves] entries of each leaf's codes that may be offered; empty where there are no
    /// codes.
    std::span<const std::uint32_t> leaf_entries() const { return leaf_entries_; }

    /// Items that may be offered.
    std::size_t count() const { return count_; }
    std::size_t num_items() const { return num_items_; }

private:
    void count_entries(const IndexTables& tables);

    AlignedBuffer<std::uint64_t> bits_;
    std::vector<std::uint32_t> leaf_entries_;
    std::vector<std::uint32_t> positions_;
    std::size_t count_ = 0;
    std::size_t num_items_ = 0;
};

}  // namespace segue
