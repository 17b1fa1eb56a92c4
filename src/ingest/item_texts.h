#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

/// The greatest text seen for each item, in the order of bytes; empty text counts as none. Not
/// thread-safe.
class ItemTexts {
public:
    /// Whether `text` was the item's greatest before.
    bool see(std::uint32_t item, std::string_view text);
    /// Empty when none was seen. Valid until the next see().
    std::string_view of(std::uint32_t item) const {
        return item < best_.size() ? view(best_[item]) : std::string_view();
    }

private:
    /// A piece of bytes_.
    struct Piece {
        std::uint64_t begin = 0;
        std::uint64_t size = 0;
    };
    std::string_view view(const Piece& piece) const {
        return {bytes_.data() + piece.begin, static_cast<std::size_t>(piece.size)};
    }

    /// Every text that was once the best of an item; begin and size lie together because the rows
    /// of a large table ask for items in no order, and each further place in memory costs a cache
    /// miss.
    std::string bytes_;
    std::vector<Piece> best_;
};

}  // namespace segue
