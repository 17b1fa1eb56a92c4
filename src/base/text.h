#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_valid_utf8(std::string_view text);

/// The text with ASCII letters lowered; other bytes stay.
std::string to_lower_ascii(std::string_view text);

/// Pieces between single bytes of white space (space, tab, line ends); empty pieces are left out.
std::vector<std::string_view> split_on_space(std::string_view text);

/// Pieces between `separator`s, empty ones included; one empty piece for an empty text.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The whole text as a finite number; nothing for anything else.
std::optional<double> parse_double(std::string_view text);
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

/// Levenshtein distance in bytes; stops counting above `limit` and returns limit + 1.
std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit);

/// Bytes of a key, name or cell from outside that a message quotes.
inline constexpr std::size_t kQuotedBytes = 60;

/// The text when it has at most `limit` bytes; else the whole characters within its first `limit`
/// bytes and "…". For what messages quote: a key may have megabytes.
std::string shortened(std::string_view text, std::size_t limit = kQuotedBytes);

/// 1234567 as "1,234,567".
std::string with_commas(std::uint64_t value);

}  // namespace segue
