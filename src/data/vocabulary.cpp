#include "data/vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/checksum.h"
#include "base/give_way.h"
#include "base/status.h"

namespace segue {

namespace {
constexpr std::size_t kFewestSlots = 16;
constexpr std::size_t kKeysAhead = 32;

std::uint32_t fingerprint_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32);
}
}  // namespace

KeyIndex::KeyIndex(StringTableView keys) {
    reserve({}, keys.size());
    // Slots lie anywhere in a table much larger than the caches: some are asked for ahead.
    std::array<std::uint64_t, kKeysAhead> hashes = {};
    for (std::size_t begin = 0; begin < keys.size(); begin += kKeysAhead) {
        const std::size_t count = std::min(kKeysAhead, keys.size() - begin);
        for (std::size_t ahead = 0; ahead < count; ++ahead) {
            hashes[ahead] = xxh3_64(keys[begin + ahead]);
            __builtin_prefetch(&slots_[hashes[ahead] & (slots_.size() - 1)], 1);
        }
        for (std::size_t ahead = 0; ahead < count; ++ahead) {
            const std::size_t row = begin + ahead;
            Slot& slot = slots_[slot_of(keys, keys[row], hashes[ahead])];
            if (slot.row_plus_one == 0) {
                slot = {fingerprint_of(hashes[ahead]), static_cast<std::uint32_t>(row + 1)};
            } else if (!first_repeated_) {
                first_repeated_ = static_cast<std::uint32_t>(row);
            }
        }
        give_way();
    }
}

std::optional<std::uint32_t> KeyIndex::find(StringTableView keys, std::string_view key) const {
    if (slots_.empty()) {
        return std::nullopt;
    }
    const Slot& slot = slots_[slot_of(keys, key, xxh3_64(key))];
    if (slot.row_plus_one == 0) {
        return std::nullopt;
    }
    return slot.row_plus_one - 1;
}

std::size_t KeyIndex::slot_of(StringTableView keys, std::string_view key,
                              std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t index = hash & mask;
    for (;; index = (index + 1) & mask) {
        const Slot& slot = slots_[index];
        if (slot.row_plus_one == 0 ||
            (slot.fingerprint == fingerprint_of(hash) && keys[slot.row_plus_one - 1] == key)) {
            return index;
        }
    }
}

void KeyIndex::reserve(StringTableView keys, std::size_t num_keys) {
    const std::size_t wanted = std::bit_ceil(std::max(kFewestSlots, 2 * num_keys));
    if (wanted <= slots_.size()) {
        return;
    }
    std::vector<Slot> old(wanted);
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
        if (slot.row_plus_one == 0) {
            continue;
        }
        std::size_t index = xxh3_64(keys[slot.row_plus_one - 1]) & mask;
        while (slots_[index].row_plus_one != 0) {
            index = (index + 1) & mask;
        }
        slots_[index] = slot;
    }
}

std::uint32_t Vocabulary::insert(std::string_view key) {
    index_.reserve(keys(), keys_.size() + 1);
    const std::uint64_t hash = xxh3_64(key);
    KeyIndex::Slot& slot = index_.slots_[index_.slot_of(keys(), key, hash)];
    if (slot.row_plus_one != 0) {
        return slot.row_plus_one - 1;
    }
    SEGUE_ASSERT(keys_.size() < UINT32_MAX - 1);
    const auto row = static_cast<std::uint32_t>(keys_.size());
    keys_.append(key);
    slot = {fingerprint_of(hash), row + 1};
    return row;
}

}  // namespace segue
