#pragma once

// Finding texts (titles, keys) by what people type: equal, containing it, or a few letters away. A
// scan over all of them, without an index: a million titles take some tens of milliseconds for an
// exact match.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/string_table.h"

namespace segue {

/// A text a search found.
struct TextMatch {
    std::uint32_t row = 0;
    /// Edit distance to what was asked, ASCII case ignored; 0 for an equal text.
    std::size_t distance = 0;
};

/// All rows whose text equals `text` but for ASCII case, most frequent first, then by row.
/// `frequencies` [texts.size()], or empty: all alike. An empty text equals nothing.
std::vector<TextMatch> find_equal_texts(StringTableView texts, std::string_view text,
                                        std::span<const std::uint32_t> frequencies);

/// At most `limit` rows that come near `text`: first those that contain it, most frequent first,
/// then those at a small edit distance (up to 3, fewer for short texts), nearest first. Equal texts
/// are not among them.
std::vector<TextMatch> find_near_texts(StringTableView texts, std::string_view text,
                                       std::span<const std::uint32_t> frequencies,
                                       std::size_t limit);

}  // namespace segue
