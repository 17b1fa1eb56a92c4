#include "ingest/key_numbers.h"

#include <bit>

namespace segue {

namespace {
constexpr std::size_t kFewestSlots = 1024;

/// Keys from here on are hashed; below, 4 bytes a key at most 16 MiB.
constexpr std::int64_t kFewestLargeKeys = std::int64_t{1} << 22;

/// 2^64 / golden ratio: spreads ids that ascend by a constant (Knuth, multiplicative hashing).
constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
}  // namespace

std::uint32_t KeyNumbers::number_of(std::string_view key) {
    if (keys_.size() == 0 || keys_[last_number_] != key) {
        last_number_ = keys_.insert(key);
    }
    return last_number_;
}

std::uint32_t KeyNumbers::number_of(std::int64_t key) {
    if (key == last_key_ && keys_.size() > 0) {
        return last_number_;
    }
    std::uint32_t& number_plus_one = number_plus_one_of(key);
    if (number_plus_one == 0) {
        number_plus_one = keys_.insert(DecimalText(key).view()) + 1;
    }
    last_key_ = key;
    last_number_ = number_plus_one - 1;
    return last_number_;
}

std::uint32_t& KeyNumbers::number_plus_one_of(std::int64_t key) {
    if (key >= 0 && key < kFewestLargeKeys) {
        const auto place = static_cast<std::size_t>(key);
        if (place >= small_numbers_plus_one_.size()) {
            small_numbers_plus_one_.resize(std::bit_ceil(place + 1), 0);
        }
        return small_numbers_plus_one_[place];
    }
    if (2 * (num_slots_used_ + 1) > slots_.size()) {
        grow();
    }
    Slot& slot = slots_[slot_of(key)];
    if (slot.number_plus_one == 0) {
        slot.key = key;
        ++num_slots_used_;
    }
    return slot.number_plus_one;
}

std::size_t KeyNumbers::slot_of(std::int64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t index = (static_cast<std::uint64_t>(key) * kMultiplier >> 32) & mask;
    while (slots_[index].number_plus_one != 0 && slots_[index].key != key) {
        index = (index + 1) & mask;
    }
    return index;
}

void KeyNumbers::grow() {
    std::vector<Slot> old(slots_.empty() ? kFewestSlots : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
        if (slot.number_plus_one != 0) {
            slots_[slot_of(slot.key)] = slot;
        }
    }
}

}  // namespace segue
