#include "cli/wording.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/text.h"

namespace segue::cli {
namespace {

/// One code point at the front of `text`, or one byte that is no UTF-8.
struct CodePoint {
    std::uint32_t value = 0;
    std::size_t num_bytes = 1;
    bool valid = false;
};

CodePoint front_code_point(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t num_bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (num_bytes > text.size() || !is_valid_utf8(text.substr(0, num_bytes))) {
        return {};
    }
    std::uint32_t value = num_bytes == 1 ? lead : lead & (0xFFU >> (num_bytes + 1));
    for (std::size_t i = 1; i < num_bytes; ++i) {
        value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    return {value, num_bytes, true};
}

std::size_t width_of(std::uint32_t code_point) {
    const auto within = [code_point](std::uint32_t low, std::uint32_t high) {
        return code_point >= low && code_point <= high;
    };
    if (within(0x300, 0x36F) || within(0x200B, 0x200F) || within(0x20D0, 0x20FF) ||
        within(0xFE00, 0xFE0F)) {
        return 0;
    }
    const bool wide = within(0x1100, 0x115F) || within(0x2E80, 0xA4CF) || within(0xAC00, 0xD7A3) ||
                      within(0xF900, 0xFAFF) || within(0xFE30, 0xFE6F) || within(0xFF00, 0xFF60) ||
                      within(0xFFE0, 0xFFE6) || within(0x1F300, 0x1FAFF) ||
                      within(0x20000, 0x3FFFD);
    return wide ? 2 : 1;
}

}  // namespace

std::string join(std::span<const std::string> words, std::string_view separator) {
    std::string text;
    for (const std::string& word : words) {
        if (&word != words.data()) {
            text += separator;
        }
        text += word;
    }
    return text;
}

std::string named(std::span<const std::string> words, std::size_t total) {
    constexpr std::size_t kMostNamed = 10;
    const std::size_t num_named = std::min(words.size(), kMostNamed);
    std::string text;
    for (std::size_t i = 0; i < num_named; ++i) {
        text += fmt::format("{}{}", i == 0 ? "" : ", ", shortened(words[i]));
    }
    total = std::max(total, words.size());
    return total == num_named ? text
                              : fmt::format("{} and {} more", text, with_commas(total - num_named));
}

std::string nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string lowered = to_lower_ascii(word);
    std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
    std::string nearest;
    for (const std::string_view candidate : candidates) {
        const std::string lowered_candidate = to_lower_ascii(candidate);
        const bool begins = lowered.size() >= 3 && lowered_candidate.starts_with(lowered);
        const std::size_t distance = begins ? 1 : edit_distance(lowered, lowered_candidate, best);
        if (distance < best && distance < candidate.size()) {
            best = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

std::string printable(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const CodePoint front = front_code_point(text);
        const bool control = front.value < 0x20 || (front.value >= 0x7F && front.value < 0xA0);
        const bool line_break = front.value == 0x2028 || front.value == 0x2029;
        // U+202A..2E and 2066..69 reorder the text around them.
        const bool reorders = (front.value >= 0x202A && front.value <= 0x202E) ||
                              (front.value >= 0x2066 && front.value <= 0x2069);
        if (!front.valid) {
            safe += "\xEF\xBF\xBD";
        } else if (control || line_break || reorders) {
            safe += fmt::format("\\x{:02x}", front.value);
        } else {
            safe += text.substr(0, front.num_bytes);
        }
        text.remove_prefix(front.num_bytes);
    }
    return safe;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const CodePoint front = front_code_point(text);
        width += front.valid ? width_of(front.value) : 1;
        text.remove_prefix(front.num_bytes);
    }
    return width;
}

std::string clipped(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) {
        return std::string(text);
    }
    std::string kept;
    std::size_t used = 0;
    while (!text.empty()) {
        const CodePoint front = front_code_point(text);
        const std::size_t next = used + (front.valid ? width_of(front.value) : 1);
        if (next + 1 > width) {
            break;
        }
        used = next;
        kept += text.substr(0, front.num_bytes);
        text.remove_prefix(front.num_bytes);
    }
    return width == 0 ? kept : kept + "…";
}

std::string shell_quoted(std::string_view text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_./=:,+-").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) {
        return std::string(text);
    }
    std::string quoted = "'";
    for (const char c : text) {
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return quoted + "'";
}

std::string indented_entry(std::string_view head, std::string_view body) {
    constexpr std::size_t kBodyColumn = 30;
    constexpr std::size_t kWidth = 100;
    std::string text = fmt::format("  {}", head);
    std::size_t column = text.size();
    if (column + 2 > kBodyColumn) {
        text += '\n';
        column = 0;
    }
    text.append(kBodyColumn - column, ' ');
    column = kBodyColumn;
    bool first = true;
    for (const std::string_view word : split_on_space(body)) {
        if (!first && column + 1 + word.size() > kWidth) {
            text += '\n';
            text.append(kBodyColumn, ' ');
            column = kBodyColumn;
        } else if (!first) {
            text += ' ';
            ++column;
        }
        text += word;
        column += word.size();
        first = false;
    }
    return text + '\n';
}

std::string seconds_text(double seconds) {
    if (seconds < 60) {
        return fmt::format("{:.{}f} s", seconds, seconds < 10 ? 2 : 1);
    }
    const auto whole = static_cast<std::uint64_t>(std::llround(std::min(seconds, 1e15)));
    return fmt::format("{} min {:02} s", with_commas(whole / 60), whole % 60);
}

std::string bytes_text(double num_bytes) {
    constexpr std::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    std::size_t unit = 0;
    while (num_bytes >= 1000 && unit + 1 < std::size(kUnits)) {
        num_bytes /= 1000;
        ++unit;
    }
    return unit == 0 ? fmt::format("{:.0f} B", num_bytes)
                     : fmt::format("{:.1f} {}", num_bytes, kUnits[unit]);
}

}  // namespace segue::cli
