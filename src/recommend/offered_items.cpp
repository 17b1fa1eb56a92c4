#include "recommend/offered_items.h"

#include <algorithm>
#include <utility>

namespace segue {

OfferedItems::OfferedItems(const Model& model, std::vector<std::uint32_t> rows)
    : rows_(std::move(rows)), count_(rows_.size()) {
    if (is_few()) {
        return;
    }
    bitmap_.resize((model.num_items() + 63) / 64);
    for (const std::uint32_t row : rows_) {
        bitmap_[row / 64] |= std::uint64_t{1} << (row % 64);
    }
    rows_ = {};
    if (model.index() != nullptr) {
        Result<LeafFilter> filter = LeafFilter::from_bitmap(model.index()->tables(), bitmap_);
        if (filter.ok()) {
            filter_ = std::move(filter).value();
        }
    }
}

OfferedItems OfferedItems::of_rows(const Model& model, std::vector<std::uint32_t> rows) {
    return OfferedItems(model, std::move(rows));
}

OfferedItems OfferedItems::of_condition(const Model& model,
                                        const std::function<bool(std::uint32_t item_row)>& allows) {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < model.num_items(); ++row) {
        if (allows(row)) {
            rows.push_back(row);
        }
    }
    return OfferedItems(model, std::move(rows));
}

bool OfferedItems::contains(std::uint32_t item_row) const {
    return is_few() ? std::binary_search(rows_.begin(), rows_.end(), item_row)
                    : (bitmap_[item_row / 64] >> (item_row % 64) & 1) != 0;
}

std::size_t OfferedItems::num_bytes() const {
    // A filter has a bitmap of its own and the positions of what passes a narrow one.
    const std::size_t filter_bytes = filter_
                                         ? bitmap_.size() * 8 + filter_->positions().size() * 4 +
                                               filter_->leaf_entries().size() * 4
                                         : 0;
    return sizeof(*this) + rows_.capacity() * 4 + bitmap_.size() * 8 + filter_bytes;
}

std::shared_ptr<const OfferedItems> OfferedCache::find(const std::string& conditions) {
    const std::lock_guard lock(mutex_);
    const auto found = by_conditions_.find(conditions);
    if (found == by_conditions_.end()) {
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return entries_.front().items;
}

void OfferedCache::insert(std::string conditions, std::shared_ptr<const OfferedItems> items) {
    constexpr std::size_t kMostBytes = std::size_t{64} << 20;
    constexpr std::size_t kEntryBytes = 256;
    const auto bytes_of = [](const Entry& entry) {
        return entry.items->num_bytes() + 2 * entry.conditions.size() + kEntryBytes;
    };
    const std::lock_guard lock(mutex_);
    if (by_conditions_.contains(conditions)) {
        return;
    }
    entries_.push_front({std::move(conditions), std::move(items)});
    by_conditions_.emplace(entries_.front().conditions, entries_.begin());
    num_bytes_ += bytes_of(entries_.front());
    while (num_bytes_ > kMostBytes && entries_.size() > 1) {
        num_bytes_ -= bytes_of(entries_.back());
        by_conditions_.erase(entries_.back().conditions);
        entries_.pop_back();
    }
}

}  // namespace segue
