#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace segue {

/// One neighbour of an item, or one answer to a query.
struct ScoredRow {
    std::uint32_t item_row = 0;
    float score = 0;
};

/// Best first: by score descending, ties by row ascending. The one order of every list in Segue.
constexpr bool comes_before(const ScoredRow& left, const ScoredRow& right) {
    return left.score != right.score ? left.score > right.score : left.item_row < right.item_row;
}

/// Views the lists of neighbours of every item, best first, the item itself not among them.
struct NeighboursView {
    std::span<const std::uint64_t> offsets;    // [num_items + 1]
    std::span<const std::uint32_t> item_rows;  // [num_entries]
    std::span<const float> scores;             // [num_entries]
    std::span<const std::uint32_t>
        together;  // [num_entries] groups both are in (the evidence), or empty

    std::size_t num_items() const { return offsets.empty() ? 0 : offsets.size() - 1; }
    std::size_t list_size(std::size_t item_row) const {
        return static_cast<std::size_t>(offsets[item_row + 1] - offsets[item_row]);
    }
};

/// Owns lists of neighbours. Thread-compatible.
struct Neighbours {
    std::vector<std::uint64_t> offsets = {0};
    std::vector<std::uint32_t> item_rows;
    std::vector<float> scores;
    std::vector<std::uint32_t> together;

    NeighboursView view() const { return {offsets, item_rows, scores, together}; }
};

}  // namespace segue
