#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "data/vocabulary.h"

namespace segue {

/// The decimal text of a whole number, without allocating.
class DecimalText {
public:
    explicit DecimalText(std::int64_t number)
        : end_(std::to_chars(digits_, digits_ + sizeof(digits_), number).ptr) {}
    std::string_view view() const { return {digits_, static_cast<std::size_t>(end_ - digits_)}; }

private:
    char digits_[20];
    char* end_;
};

/// Numbers keys from 0 in the order they come: text, or whole numbers whose text is made only once.
/// Keys of one column are of one kind; text and numbers are not to be mixed. Not thread-safe.
class KeyNumbers {
public:
    std::uint32_t number_of(std::string_view key);
    std::uint32_t number_of(std::int64_t key);
    std::size_t size() const { return keys_.size(); }
    const Vocabulary& keys() const { return keys_; }
    Vocabulary take() { return std::move(keys_); }

private:
    struct Slot {
        std::int64_t key = 0;
        std::uint32_t number_plus_one = 0;
    };
    /// Where the number of a whole number is kept, plus one; 0 when it has none yet.
    std::uint32_t& number_plus_one_of(std::int64_t key);
    std::size_t slot_of(std::int64_t key) const;
    void grow();

    Vocabulary keys_;
    /// Small numbers, by themselves: most tables count their ids from 0 or 1.
    std::vector<std::uint32_t> small_numbers_plus_one_;
    std::vector<Slot> slots_;
    std::size_t num_slots_used_ = 0;
    /// Rows of a group often follow each other.
    std::uint32_t last_number_ = 0;
    std::int64_t last_key_ = 0;
};

}  // namespace segue
