#pragma once

// Words for people: lists, near misses, safe printing, widths.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace segue::cli {

std::string join(std::span<const std::string> words, std::string_view separator);

/// "a, b, c and 7 more": the first words, shortened, of `total` there are (0: as many as `words`).
std::string named(std::span<const std::string> words, std::size_t total = 0);

/// The one of `candidates` with the fewest edits from `word` (ASCII case ignored), the first of
/// equals; "" when none is within a third of its length.
std::string nearest_word(std::string_view word, std::span<const std::string_view> candidates);

/// The text as it may go to a terminal: control characters become \xNN, bytes that are no UTF-8
/// U+FFFD. The result is one line.
std::string printable(std::string_view text);

/// Columns a terminal uses for UTF-8 text: wide East Asian characters and emoji take two, combining
/// marks none.
std::size_t display_width(std::string_view text);

/// The text cut to `width` columns, the last one "…" when something was cut.
std::string clipped(std::string_view text, std::size_t width);

/// The text as one word of a POSIX shell command.
std::string shell_quoted(std::string_view text);

/// One entry of a help page: the head indented by two, the body wrapped in a second column.
std::string indented_entry(std::string_view head, std::string_view body);

/// "0.02 s", "12.3 s", "2 min 05 s".
std::string seconds_text(double seconds);

/// "812 B", "3.1 MB", "2.4 GB" (powers of 1000).
std::string bytes_text(double num_bytes);

}  // namespace segue::cli
