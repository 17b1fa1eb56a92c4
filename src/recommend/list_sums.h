#pragma once

// Sums of scores over the items of one query, in tables as long as the catalogue that are lent from
// query to query.

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "cooc/best_partners.h"
#include "data/sparse.h"

namespace segue {

/// n^exponent for whole numbers n, each small one worked out once. Not thread-safe.
class WholePowers {
public:
    WholePowers() : powers_(kRemembered, kUnknown) {}

    /// What the powers are of from now on.
    void set_exponent(double exponent);
    double operator()(std::uint64_t number);

private:
    static constexpr std::size_t kRemembered = 4096;
    static constexpr double kUnknown = -1;
    double exponent_ = 0;
    std::vector<double> powers_;
};

/// frequency^exponent of all items, worked out again when the exponent changes. Not thread-safe.
class PopularityFactors {
public:
    /// [frequencies.size()], valid until the next call. Requires: the same frequencies each time.
    std::span<const float> of(std::span<const std::uint32_t> frequencies, double exponent);

private:
    double exponent_ = 0;
    WholePowers powers_;
    std::vector<float> factors_;
};

/// Scores of all items while one query is answered. Not thread-safe.
class ScoreSums {
public:
    explicit ScoreSums(std::size_t num_items) : sums_(num_items), seen_(num_items) {}

    /// sums[items[n]] becomes weight * scores[n] where that is more, or the item is new.
    template <typename Score>
    void raise(std::span<const std::uint32_t> items, std::span<const Score> scores, double weight) {
        for (std::size_t place = 0; place < items.size(); ++place) {
            const std::uint32_t item_row = items[place];
            const double score = weight * static_cast<double>(scores[place]);
            if (seen_[item_row] == 0) {
                seen_[item_row] = 1;
                touched_.push_back(item_row);
                sums_[item_row] = score;
            }
            sums_[item_row] = std::max(sums_[item_row], score);
        }
    }

    /// sums[items[n]] += weight * scores[n]
    template <typename Score>
    void add(std::span<const std::uint32_t> items, std::span<const Score> scores, double weight) {
        for (std::size_t place = 0; place < items.size(); ++place) {
            const std::uint32_t item_row = items[place];
            if (seen_[item_row] == 0) {
                seen_[item_row] = 1;
                touched_.push_back(item_row);
            }
            sums_[item_row] += weight * static_cast<double>(scores[place]);
        }
    }

    /// Calls take(item_row, sum) for each item added to but those excluded, and is empty again.
    template <typename Take>
    void drain(std::span<const std::uint32_t> excluded, const Take& take) {
        for (const std::uint32_t item_row : excluded) {
            seen_[item_row] = kExcluded;
        }
        for (const std::uint32_t item_row : touched_) {
            if (seen_[item_row] != kExcluded) {
                take(item_row, sums_[item_row]);
            }
            sums_[item_row] = 0;
            seen_[item_row] = 0;
        }
        for (const std::uint32_t item_row : excluded) {
            seen_[item_row] = 0;
        }
        touched_.clear();
    }

private:
    static constexpr std::uint8_t kExcluded = 2;
    AlignedBuffer<double> sums_;
    AlignedBuffer<std::uint8_t> seen_;
    std::vector<std::uint32_t> touched_;
};

/// Sums over the groups of the query's items, for scores that are a product. Not thread-safe.
class GroupSums {
public:
    GroupSums(std::size_t num_groups, std::size_t num_items);

    /// Adds `value` to every group of an item.
    void add_item(std::span<const std::uint32_t> groups_of_item, double value);

    /// Spreads what was added over the items of each group, times size_powers(group size), and
    /// offers every item that got something, but those excluded, with its sum times
    /// factors[item_row]. Is empty again. `factors` [num_items] > 0.
    void offer_items(const SparseView& interactions, std::span<const std::uint32_t> excluded,
                     std::span<const float> factors, WholePowers& size_powers, BestPartners& best);

private:
    template <typename Add>
    void spread(const SparseView& interactions, WholePowers& size_powers, const Add& add);
    void offer_touched(std::span<const float> factors, BestPartners& best);
    void offer_by_scan(std::span<const float> factors, BestPartners& best);

    std::size_t num_items_;
    AlignedBuffer<double> group_sums_;
    AlignedBuffer<float> item_sums_;
    std::vector<std::uint32_t> groups_;   // those added to; twice where a sum came back to 0
    std::vector<std::uint32_t> touched_;  // items, likewise
    bool all_positive_ = true;
};

}  // namespace segue
