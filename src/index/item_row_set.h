#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace segue {

/// A small set of item rows, for the items a query may not be given. Open addressing; its memory is
/// kept from query to query. Not thread-safe.
class ItemRowSet {
public:
    /// Replaces the set by `rows`, in any order; those not below `num_items` are left out.
    void assign(std::span<const std::uint32_t> rows, std::size_t num_items) {
        // Emptied slot by slot, so that one long list does not make every later query slow.
        for (const std::uint32_t slot : used_) {
            slots_[slot] = kEmpty;
        }
        used_.clear();
        if (rows.empty()) {
            return;
        }
        const std::size_t wanted = std::bit_ceil(rows.size() * 2 + 2);
        if (slots_.size() < wanted) {
            slots_.assign(wanted, kEmpty);
        }
        for (const std::uint32_t row : rows) {
            if (row < num_items) {
                insert(row);
            }
        }
    }

    bool contains(std::uint32_t row) const {
        if (used_.empty()) {
            return false;
        }
        std::size_t slot = first_slot(row);
        while (slots_[slot] != kEmpty && slots_[slot] != row) {
            slot = (slot + 1) & (slots_.size() - 1);
        }
        return slots_[slot] == row;
    }

    /// Distinct rows.
    std::size_t size() const { return used_.size(); }

private:
    /// No index has an item of this row.
    static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

    std::size_t first_slot(std::uint32_t row) const {
        // Fibonacci hashing: neighbouring rows, which are common, end far apart.
        const std::uint64_t mixed = row * 0x9E3779B97F4A7C15u;
        return static_cast<std::size_t>(mixed >> 32) & (slots_.size() - 1);
    }

    void insert(std::uint32_t row) {
        std::size_t slot = first_slot(row);
        while (slots_[slot] != kEmpty) {
            if (slots_[slot] == row) {
                return;
            }
            slot = (slot + 1) & (slots_.size() - 1);
        }
        slots_[slot] = row;
        used_.push_back(static_cast<std::uint32_t>(slot));
    }

    std::vector<std::uint32_t> slots_;  // a power of two of them, at most half of them used
    std::vector<std::uint32_t> used_;
};

}  // namespace segue
