#pragma once

// The items that may be offered, as searches for vectors want them: a condition costs a search then
// what the search costs, however few items fulfil it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "index/leaf_filter.h"
#include "model/model.h"

namespace segue {

/// A set of items of one model, which must outlive it. Immutable, thread-safe.
class OfferedItems {
public:
    /// So few that comparing each costs no more than a search does.
    static constexpr std::size_t kFewItems = 4096;

    /// `rows`: distinct, ascending, of the model.
    static OfferedItems of_rows(const Model& model, std::vector<std::uint32_t> rows);
    /// Those of all items for which `allows` is true.
    static OfferedItems of_condition(const Model& model,
                                     const std::function<bool(std::uint32_t item_row)>& allows);

    bool contains(std::uint32_t item_row) const;
    std::size_t count() const { return count_; }
    bool is_few() const { return count_ <= kFewItems; }
    /// [count()] ascending, where is_few(); else empty.
    std::span<const std::uint32_t> rows() const { return rows_; }
    /// Bit r % 64 of word r / 64: item row r; empty where is_few().
    std::span<const std::uint64_t> bitmap() const { return bitmap_; }
    /// Of the model's index. Null where there is none, and where is_few().
    const LeafFilter* filter() const { return filter_ ? &*filter_ : nullptr; }
    std::size_t num_bytes() const;

private:
    OfferedItems(const Model& model, std::vector<std::uint32_t> rows);

    std::vector<std::uint32_t> rows_;
    std::vector<std::uint64_t> bitmap_;
    std::optional<LeafFilter> filter_;
    std::size_t count_ = 0;
};

/// Sets that were made for conditions which may be asked again: those used last, within a bound of
/// memory. Thread-safe.
class OfferedCache {
public:
    /// Null where there is none.
    std::shared_ptr<const OfferedItems> find(const std::string& conditions);
    void insert(std::string conditions, std::shared_ptr<const OfferedItems> items);

private:
    struct Entry {
        std::string conditions;
        std::shared_ptr<const OfferedItems> items;
    };
    std::mutex mutex_;
    std::list<Entry> entries_;  // last used first
    std::unordered_map<std::string, std::list<Entry>::iterator> by_conditions_;
    std::size_t num_bytes_ = 0;
};

}  // namespace segue
