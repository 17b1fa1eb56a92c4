#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace segue {

namespace {

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Bytes of the well-formed sequence at the start of `text`, 0 when there is none (Unicode 15,
/// table 3-7).
std::size_t utf8_sequence_bytes(std::string_view text) {
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const auto continues = [&](std::size_t index) { return (byte(index) & 0xC0) == 0x80; };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return text.size() >= 2 && continues(1) ? 2 : 0;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        if (text.size() < 3 || !continues(1) || !continues(2)) {
            return 0;
        }
        const bool overlong = first == 0xE0 && byte(1) < 0xA0;
        const bool surrogate = first == 0xED && byte(1) >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (text.size() < 4 || !continues(1) || !continues(2) || !continues(3)) {
            return 0;
        }
        const bool overlong = first == 0xF0 && byte(1) < 0x90;
        const bool too_large = first == 0xF4 && byte(1) >= 0x90;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080u;
    while (!text.empty()) {
        std::uint64_t eight = 0;
        if (text.size() >= sizeof eight) {
            std::memcpy(&eight, text.data(), sizeof eight);
            if ((eight & kHighBits) == 0) {
                text.remove_prefix(sizeof eight);
                continue;
            }
        }
        const std::size_t bytes = utf8_sequence_bytes(text);
        if (bytes == 0) {
            return false;
        }
        text.remove_prefix(bytes);
    }
    return true;
}

std::string to_lower_ascii(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered) {
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c - 'A' + 'a');
        }
    }
    return lowered;
}

std::vector<std::string_view> split_on_space(std::string_view text) {
    std::vector<std::string_view> pieces;
    std::size_t begin = 0;
    while (begin < text.size()) {
        while (begin < text.size() && is_space(text[begin])) {
            ++begin;
        }
        std::size_t end = begin;
        while (end < text.size() && !is_space(text[end])) {
            ++end;
        }
        if (end > begin) {
            pieces.push_back(text.substr(begin, end - begin));
        }
        begin = end;
    }
    return pieces;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    for (;;) {
        const std::size_t end = text.find(separator);
        pieces.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return pieces;
        }
        text.remove_prefix(end + 1);
    }
}

std::optional<double> parse_double(std::string_view text) {
    double value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size() || !std::isfinite(value)) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
    std::uint64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit) {
    const std::size_t longer = std::max(left.size(), right.size());
    if (longer - std::min(left.size(), right.size()) > limit) {
        return limit + 1;
    }
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t column = 0; column <= right.size(); ++column) {
        row[column] = column;
    }
    for (std::size_t line = 1; line <= left.size(); ++line) {
        std::size_t diagonal = row[0];
        row[0] = line;
        std::size_t smallest = row[0];
        for (std::size_t column = 1; column <= right.size(); ++column) {
            const std::size_t substituted =
                diagonal + (left[line - 1] != right[column - 1] ? 1 : 0);
            diagonal = row[column];
            row[column] = std::min({row[column] + 1, row[column - 1] + 1, substituted});
            smallest = std::min(smallest, row[column]);
        }
        if (smallest > limit) {
            return limit + 1;
        }
    }
    return std::min(row[right.size()], limit + 1);
}

std::string shortened(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) {
        return std::string(text);
    }
    std::size_t end = limit;
    // At most three bytes continue a character; more of them are no UTF-8 and may be cut anywhere.
    while (end > 0 && limit - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
        --end;
    }
    return std::string(text.substr(0, end)) + "…";
}

std::string with_commas(std::uint64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t place = digits.size(); place > 3; place -= 3) {
        digits.insert(place - 3, 1, ',');
    }
    return digits;
}

}  // namespace segue
