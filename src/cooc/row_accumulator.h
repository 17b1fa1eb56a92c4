#pragma once

// Sums over the partners of one item at a time: a dense array of cells, the list of those touched,
// and a row of sums read out of them in ascending order.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"

namespace segue {

/// The partners of one item, ascending, with what was counted of each pair. Valid until the
/// accumulator that gave it is used again.
struct PairRow {
    std::uint32_t item_row = 0;
    std::span<const std::uint32_t> partners;  // [num_partners]
    std::span<const double> together;         // [num_partners] c
    std::span<const double>
        weighted;  // [num_partners] c_w; the same memory as `together` where equal
};

/// What a cell holds: whole counts alone (4 bytes), or c and c_w (16 bytes).
enum class CellKind { kCounts, kSums };

/// Use: begin(), any number of add(), finish(); then the next item. Not thread-safe: one for each
/// worker.
class RowAccumulator {
public:
    RowAccumulator(std::size_t num_items, CellKind kind);

    /// `num_updates`: how many partners will be added in all; an estimate is enough. Rows that
    /// touch a good part of the cells are read out by a scan of them all, others by the list of
    /// those touched.
    void begin(std::uint64_t num_updates);

    /// Each partner once more. Requires: kCounts; partners are distinct and less than num_items.
    void add(std::span<const std::uint32_t> partners) {
        std::uint32_t* const counts = counts_.data();
        if (scan_) {
            for (const std::uint32_t partner : partners) {
                ++counts[partner];
            }
            return;
        }
        std::uint32_t* const touched = touched_.data();
        std::size_t num_touched = num_touched_;
        for (const std::uint32_t partner : partners) {
            const std::uint32_t count = counts[partner];
            touched[num_touched] = partner;
            num_touched += count == 0 ? 1 : 0;
            counts[partner] = count + 1;
        }
        num_touched_ = num_touched;
    }

    /// Each partner once more with `weight`. Requires: kSums, and as above.
    void add(std::span<const std::uint32_t> partners, double weight) {
        add_sums(partners, [weight](std::size_t) { return Sums{1, weight}; });
    }

    /// Partner p counts own_count * counts[p], with `weight` each. Requires: kSums, counts > 0, and
    /// as above.
    void add(std::span<const std::uint32_t> partners, std::span<const float> counts,
             double own_count, double weight) {
        add_sums(partners, [&](std::size_t index) {
            // At least 1, as counts are: a cell that stayed 0 would be listed again and again, and
            // the values of a file may be anything.
            const double product = std::max(1.0, own_count * static_cast<double>(counts[index]));
            return Sums{product, product * weight};
        });
    }

    /// The sums of all partners from `first_partner` on but `item_row` itself; all cells are zero
    /// again after.
    PairRow finish(std::uint32_t item_row, std::uint32_t first_partner);

private:
    struct Sums {
        double together = 0;
        double weighted = 0;
    };

    template <typename AmountOf>
    void add_sums(std::span<const std::uint32_t> partners, const AmountOf& amount_of) {
        Sums* const sums = sums_.data();
        std::uint32_t* const touched = touched_.data();
        std::size_t num_touched = num_touched_;
        if (scan_) {
            for (std::size_t index = 0; index < partners.size(); ++index) {
                const Sums amount = amount_of(index);
                Sums& sum = sums[partners[index]];
                sum.together += amount.together;
                sum.weighted += amount.weighted;
            }
            return;
        }
        for (std::size_t index = 0; index < partners.size(); ++index) {
            const std::uint32_t partner = partners[index];
            const Sums amount = amount_of(index);
            Sums& sum = sums[partner];
            touched[num_touched] = partner;
            num_touched += sum.together == 0 ? 1 : 0;
            sum.together += amount.together;
            sum.weighted += amount.weighted;
        }
        num_touched_ = num_touched;
    }

    void put_in_order();

    std::size_t num_items_;
    CellKind kind_;
    bool scan_ = false;
    AlignedBuffer<std::uint32_t> counts_;   // [num_items] or empty
    AlignedBuffer<Sums> sums_;              // [num_items] or empty
    AlignedBuffer<std::uint32_t> touched_;  // [num_items + 1]
    std::size_t num_touched_ = 0;
    // Which cells were touched, one bit each, and which words of that have bits: what puts them in
    // order.
    AlignedBuffer<std::uint64_t> bits_;
    AlignedBuffer<std::uint64_t> words_with_bits_;
    AlignedBuffer<std::uint32_t> partners_;  // [num_items + 1] the row read out
    AlignedBuffer<double> together_;         // [num_items + 1]
    AlignedBuffer<double> weighted_;         // [num_items + 1] or empty
};

}  // namespace segue
