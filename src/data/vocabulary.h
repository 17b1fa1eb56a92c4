#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "data/string_table.h"

namespace segue {

/// Finds the row of a key in a table of distinct strings: open addressing over xxh3, 8 bytes a slot
/// at a load of at most one half. The table itself is passed to every call and must be the same
/// each time. Immutable while nobody inserts, then thread-safe.
class KeyIndex {
public:
    KeyIndex() = default;
    /// Indexes all of `keys`; where a key occurs twice its first row wins.
    explicit KeyIndex(StringTableView keys);

    std::optional<std::uint32_t> find(StringTableView keys, std::string_view key) const;
    /// The first row whose key an earlier row has, of the keys it was made from.
    std::optional<std::uint32_t> first_repeated() const { return first_repeated_; }

private:
    friend class Vocabulary;
    struct Slot {
        std::uint32_t fingerprint = 0;
        std::uint32_t row_plus_one = 0;
    };
    /// The slot that holds `key`, or the empty one where it belongs.
    std::size_t slot_of(StringTableView keys, std::string_view key, std::uint64_t hash) const;
    void reserve(StringTableView keys, std::size_t num_keys);
    std::vector<Slot> slots_;
    std::optional<std::uint32_t> first_repeated_;
};

/// Owns distinct keys, numbered from 0 in the order they came. Thread-compatible.
class Vocabulary {
public:
    /// The row of `key`, new or old. Requires: fewer than 2^32 - 1 keys.
    std::uint32_t insert(std::string_view key);
    std::optional<std::uint32_t> find(std::string_view key) const {
        return index_.find(keys(), key);
    }

    std::size_t size() const { return keys_.size(); }
    std::string_view operator[](std::size_t row) const { return keys_[row]; }
    /// Valid until the next insert.
    StringTableView keys() const { return keys_.view(); }

private:
    StringTable keys_;
    KeyIndex index_;
};

}  // namespace segue
