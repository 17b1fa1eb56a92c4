#include "cooc/row_accumulator.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace segue {

namespace {

constexpr std::size_t kWordBits = 64;

// A scan reads a cell in a third of the time a listed cell takes to be sorted, read and cleared;
// partners repeat, so a row of this many updates for each cell touches about a quarter of the
// cells.
constexpr std::uint64_t kCellsPerUpdateToScan = 3;

std::size_t num_words(std::size_t bits) {
    return (bits + kWordBits - 1) / kWordBits;
}

}  // namespace

RowAccumulator::RowAccumulator(std::size_t num_items, CellKind kind)
    : num_items_(num_items),
      kind_(kind),
      counts_(kind == CellKind::kCounts ? num_items : 0),
      sums_(kind == CellKind::kSums ? num_items : 0),
      touched_(num_items + 1),
      bits_(num_words(num_items)),
      words_with_bits_(num_words(num_words(num_items))),
      partners_(num_items + 1),
      together_(num_items + 1),
      weighted_(kind == CellKind::kSums ? num_items + 1 : 0) {}

void RowAccumulator::begin(std::uint64_t num_updates) {
    scan_ = num_updates >= num_items_ / kCellsPerUpdateToScan;
    num_touched_ = 0;
}

void RowAccumulator::put_in_order() {
    std::uint64_t* const bits = bits_.data();
    for (std::size_t index = 0; index < num_touched_; ++index) {
        const std::uint32_t cell = touched_[index];
        bits[cell / kWordBits] |= std::uint64_t{1} << (cell % kWordBits);
        const std::size_t word = cell / kWordBits;
        words_with_bits_[word / kWordBits] |= std::uint64_t{1} << (word % kWordBits);
    }
    std::size_t num_ordered = 0;
    for (std::size_t group = 0; group < words_with_bits_.size(); ++group) {
        for (std::uint64_t words = words_with_bits_[group]; words != 0; words &= words - 1) {
            const std::size_t word = group * kWordBits + std::countr_zero(words);
            for (std::uint64_t left = bits[word]; left != 0; left &= left - 1) {
                touched_[num_ordered++] =
                    static_cast<std::uint32_t>(word * kWordBits + std::countr_zero(left));
            }
            bits[word] = 0;
        }
        words_with_bits_[group] = 0;
    }
    num_touched_ = num_ordered;
}

PairRow RowAccumulator::finish(std::uint32_t item_row, std::uint32_t first_partner) {
    const auto read = [&](auto* cells, auto&& write) {
        using Cell = std::remove_reference_t<decltype(cells[0])>;
        if (item_row < num_items_) {
            cells[item_row] = Cell{};
        }
        std::size_t num_partners = 0;
        if (scan_) {
            for (std::size_t cell = first_partner; cell < num_items_; ++cell) {
                partners_[num_partners] = static_cast<std::uint32_t>(cell);
                num_partners += write(num_partners, cells[cell]) ? 1 : 0;
            }
            std::memset(static_cast<void*>(cells), 0, num_items_ * sizeof(Cell));
            return num_partners;
        }
        put_in_order();
        for (std::size_t index = 0; index < num_touched_; ++index) {
            const std::uint32_t cell = touched_[index];
            partners_[num_partners] = cell;
            const bool counted = write(num_partners, cells[cell]);
            num_partners += counted && cell >= first_partner ? 1 : 0;
            cells[cell] = Cell{};
        }
        return num_partners;
    };
    std::size_t num_partners = 0;
    if (kind_ == CellKind::kCounts) {
        num_partners = read(counts_.data(), [this](std::size_t place, std::uint32_t count) {
            together_[place] = static_cast<double>(count);
            return count != 0;
        });
    } else {
        num_partners = read(sums_.data(), [this](std::size_t place, const Sums& sums) {
            together_[place] = sums.together;
            weighted_[place] = sums.weighted;
            return sums.together != 0;
        });
    }
    const std::span<const double> together = together_.span().first(num_partners);
    return {.item_row = item_row,
            .partners = partners_.span().first(num_partners),
            .together = together,
            .weighted = kind_ == CellKind::kSums
                            ? std::span<const double>(weighted_.span().first(num_partners))
                            : together};
}

}  // namespace segue
