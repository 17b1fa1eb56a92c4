#include "recommend/list_sums.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"

namespace segue {

void WholePowers::set_exponent(double exponent) {
    if (exponent != exponent_) {
        exponent_ = exponent;
        std::fill(powers_.begin(), powers_.end(), kUnknown);
    }
}

double WholePowers::operator()(std::uint64_t number) {
    if (number >= powers_.size()) {
        return std::pow(static_cast<double>(number), exponent_);
    }
    double& power = powers_[number];
    if (power == kUnknown) {
        power = std::pow(static_cast<double>(number), exponent_);
    }
    return power;
}

std::span<const float> PopularityFactors::of(std::span<const std::uint32_t> frequencies,
                                             double exponent) {
    if (factors_.size() != frequencies.size() || exponent != exponent_) {
        exponent_ = exponent;
        powers_.set_exponent(exponent);
        factors_.clear();
        for (const std::uint32_t frequency : frequencies) {
            // An item nobody has is never offered; no infinity shall come of it.
            factors_.push_back(frequency == 0 ? 1 : static_cast<float>(powers_(frequency)));
        }
    }
    return factors_;
}

GroupSums::GroupSums(std::size_t num_groups, std::size_t num_items)
    : num_items_(num_items), group_sums_(num_groups), item_sums_(num_items) {}

void GroupSums::add_item(std::span<const std::uint32_t> groups_of_item, double value) {
    all_positive_ = all_positive_ && value > 0;
    for (const std::uint32_t group : groups_of_item) {
        if (group_sums_[group] == 0) {
            groups_.push_back(group);
        }
        group_sums_[group] += value;
    }
}

/// Calls add(items, amount) for each group added to and takes its sum back to 0.
template <typename Add>
void GroupSums::spread(const SparseView& interactions, WholePowers& size_powers, const Add& add) {
    // Rows of groups are anywhere in memory; asked for this many groups ahead they have arrived.
    constexpr std::size_t kGroupsAhead = 4;
    for (std::size_t place = 0; place < groups_.size(); ++place) {
        if (place + kGroupsAhead < groups_.size()) {
            const std::uint64_t begin = interactions.offsets[groups_[place + kGroupsAhead]];
            __builtin_prefetch(interactions.columns.data() + begin);
            __builtin_prefetch(interactions.columns.data() + begin + 16);
            __builtin_prefetch(interactions.columns.data() + begin + 32);
        }
        const std::uint32_t group = groups_[place];
        const std::span<const std::uint32_t> items = interactions.row_columns(group);
        add(items, static_cast<float>(group_sums_[group] * size_powers(items.size())));
        group_sums_[group] = 0;
    }
    groups_.clear();
}

void GroupSums::offer_items(const SparseView& interactions, std::span<const std::uint32_t> excluded,
                            std::span<const float> factors, WholePowers& size_powers,
                            BestPartners& best) {
    std::uint64_t num_updates = 0;
    for (const std::uint32_t group : groups_) {
        num_updates += interactions.row_size(group);
    }
    // A scan reads some ten items in the time it takes to remember one that was touched.
    constexpr std::uint64_t kItemsScanned = 10;
    const bool by_scan = num_updates * kItemsScanned > num_items_;
    float* const sums = item_sums_.data();
    if (by_scan) {
        spread(interactions, size_powers,
               [sums](std::span<const std::uint32_t> items, float amount) {
                   for (const std::uint32_t item_row : items) {
                       sums[item_row] += amount;
                   }
               });
    } else {
        touched_.resize(num_updates);
        std::uint32_t* next = touched_.data();
        spread(interactions, size_powers, [&](std::span<const std::uint32_t> items, float amount) {
            for (const std::uint32_t item_row : items) {
                *next = item_row;
                next += sums[item_row] == 0 ? 1 : 0;
                sums[item_row] += amount;
            }
        });
        touched_.resize(static_cast<std::size_t>(next - touched_.data()));
    }
    for (const std::uint32_t item_row : excluded) {
        sums[item_row] = 0;
    }
    by_scan ? offer_by_scan(factors, best) : offer_touched(factors, best);
    all_positive_ = true;
}

void GroupSums::offer_touched(std::span<const float> factors, BestPartners& best) {
    for (const std::uint32_t item_row : touched_) {
        // 0: excluded, or listed twice and offered already.
        const float score = item_sums_[item_row] * factors[item_row];
        if (item_sums_[item_row] != 0 && std::isfinite(score)) {
            best.offer({item_row, score});
        }
        item_sums_[item_row] = 0;
    }
}

void GroupSums::offer_by_scan(std::span<const float> factors, BestPartners& best) {
    constexpr std::size_t kBlock = 1024;
    const kernels::KernelTable& kernels = kernels::active_kernels();
    float scores[kBlock];
    std::uint32_t selected[kBlock + kernels::kLanePadding];
    for (std::size_t begin = 0; begin < num_items_; begin += kBlock) {
        const std::size_t count = std::min(kBlock, num_items_ - begin);
        for (std::size_t place = 0; place < count; ++place) {
            scores[place] = item_sums_[begin + place] * factors[begin + place];
        }
        // Items nothing was added to score 0; so may others where weights are negative.
        const float threshold = all_positive_ ? std::max(best.threshold(), 0.0F) : best.threshold();
        const std::size_t num_selected = kernels.select_above(scores, count, threshold, selected);
        for (std::size_t place = 0; place < num_selected; ++place) {
            const std::size_t item_row = begin + selected[place];
            const float score = scores[selected[place]];
            if (item_sums_[item_row] != 0 && std::isfinite(score)) {
                best.offer({static_cast<std::uint32_t>(item_row), score});
            }
        }
        std::fill_n(item_sums_.data() + begin, count, 0.0F);
    }
}

}  // namespace segue
