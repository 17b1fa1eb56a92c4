#include "base/json_writer.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/text.h"

namespace segue {

namespace {

template <typename Number>
void append_number(std::string& text, Number number) {
    char digits[32];
    const auto [stop, error] = std::to_chars(digits, digits + sizeof(digits), number);
    static_cast<void>(error);  // 32 bytes hold every number of 64 bits
    text.append(digits, stop);
}

void append_escaped(std::string& text, std::string_view value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '"':
                text += "\\\"";
                break;
            case '\\':
                text += "\\\\";
                break;
            case '\n':
                text += "\\n";
                break;
            case '\r':
                text += "\\r";
                break;
            case '\t':
                text += "\\t";
                break;
            default:
                if (byte < 0x20) {
                    text += "\\u00";
                    text += kDigits[byte >> 4];
                    text += kDigits[byte & 15];
                } else {
                    text += c;
                }
        }
    }
}

/// Has a high bit exactly where some byte of the word is below `limit`, which is at most 0x80.
constexpr std::uint64_t bytes_below(std::uint64_t word, std::uint64_t limit) {
    return (word - 0x0101010101010101U * limit) & ~word;
}

constexpr std::uint64_t bytes_equal(std::uint64_t word, char letter) {
    return bytes_below(word ^ (0x0101010101010101U * static_cast<std::uint8_t>(letter)), 1);
}

/// Whether the text is ASCII without anything to escape: most texts are.
bool is_plain(std::string_view text) {
    const auto has_other = [](std::uint64_t word) {
        constexpr std::uint64_t kHighBits = 0x8080808080808080U;
        return ((word | bytes_below(word, 0x20) | bytes_equal(word, '"') |
                 bytes_equal(word, '\\')) &
                kHighBits) != 0;
    };
    std::uint64_t word = 0;
    for (; text.size() >= sizeof(word); text.remove_prefix(sizeof(word))) {
        std::memcpy(&word, text.data(), sizeof(word));
        if (has_other(word)) {
            return false;
        }
    }
    if (text.empty()) {  // perhaps of no memory at all
        return true;
    }
    word = 0x2020202020202020U;  // spaces behind the rest
    std::memcpy(&word, text.data(), text.size());
    return !has_other(word);
}

/// Every byte of 0x80 and above that is not part of a well-formed sequence, replaced.
std::string repaired(std::string_view value) {
    std::string text;
    while (!value.empty()) {
        std::size_t take = 1;
        while (take < 4 && take < value.size() && !is_valid_utf8(value.substr(0, take))) {
            ++take;
        }
        if (is_valid_utf8(value.substr(0, take))) {
            text += value.substr(0, take);
        } else {
            take = 1;
            text += "\xEF\xBF\xBD";
        }
        value.remove_prefix(take);
    }
    return text;
}

}  // namespace

void JsonWriter::separate() {
    if (needs_comma_) {
        text_ += ',';
    }
    needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
    separate();
    text_ += '{';
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::end_object() {
    text_ += '}';
    needs_comma_ = true;
    return *this;
}

JsonWriter& JsonWriter::begin_array() {
    separate();
    text_ += '[';
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::end_array() {
    text_ += ']';
    needs_comma_ = true;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    value(name);
    text_ += ':';
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    text_ += '"';
    if (is_plain(text)) {
        text_ += text;
    } else if (is_valid_utf8(text)) {
        append_escaped(text_, text);
    } else {
        append_escaped(text_, repaired(text));
    }
    text_ += '"';
    return *this;
}

JsonWriter& JsonWriter::value(double number) {
    if (!std::isfinite(number)) {
        return null();
    }
    separate();
    append_number(text_, number);
    return *this;
}

JsonWriter& JsonWriter::value(float number) {
    if (!std::isfinite(number)) {
        return null();
    }
    separate();
    append_number(text_, number);
    return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
    separate();
    append_number(text_, number);
    return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
    separate();
    append_number(text_, number);
    return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
    return raw(truth ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
    return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    text_ += json;
    return *this;
}

}  // namespace segue
