#include "base/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "base/decimal.h"
#include "base/text.h"

namespace segue {

namespace {

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

/// Out of the way of writing, which seldom needs it.
[[gnu::noinline]] void grow(std::string& text, std::size_t least) {
    constexpr std::size_t kFirst = 256;
    constexpr std::size_t kMostOfKept = 1024;  // of memory that is there already
    text.resize(std::max({kFirst, 2 * text.size(), least, std::min(text.capacity(), kMostOfKept)}));
}

template <typename Word>
Word word_at(const char* place) {
    Word word = 0;
    std::memcpy(&word, place, sizeof(word));
    return word;
}

/// Copies up to 16 bytes without a call, as most texts are short: two words that may overlap.
inline char* copy_text(std::string_view text, char* place) {
    const auto copy_ends = [&](auto word) {
        using Word = decltype(word);
        const auto first = word_at<Word>(text.data());
        const auto last = word_at<Word>(text.data() + text.size() - sizeof(Word));
        std::memcpy(place, &first, sizeof(Word));
        std::memcpy(place + text.size() - sizeof(Word), &last, sizeof(Word));
    };
    if (text.size() > 2 * sizeof(std::uint64_t)) {
        std::memcpy(place, text.data(), text.size());
    } else if (text.size() >= sizeof(std::uint64_t)) {
        copy_ends(std::uint64_t{0});
    } else if (text.size() >= sizeof(std::uint32_t)) {
        copy_ends(std::uint32_t{0});
    } else {
        std::copy(text.begin(), text.end(), place);
    }
    return place + text.size();
}

/// The bytes of a text of up to 7, some of them twice, and spaces.
std::uint64_t short_word(std::string_view text) {
    if (text.size() >= sizeof(std::uint32_t)) {
        const char* const last = text.data() + text.size() - sizeof(std::uint32_t);
        return word_at<std::uint32_t>(text.data()) |
               static_cast<std::uint64_t>(word_at<std::uint32_t>(last)) << 32U;
    }
    std::uint64_t word = 0x2020202020202020U;
    for (const char letter : text) {
        word = word << 8U | static_cast<std::uint8_t>(letter);
    }
    return word;
}

/// Whether the text is ASCII without anything to escape: most texts are.
inline bool is_plain(std::string_view text) {
    const auto has_other = [](std::uint64_t word) {
        constexpr std::uint64_t kHighBits = 0x8080808080808080U;
        return ((word | bytes_below(word, 0x20) | bytes_equal(word, '"') |
                 bytes_equal(word, '\\')) &
                kHighBits) != 0;
    };
    if (text.size() >= sizeof(std::uint64_t)) {
        const char* const last = text.data() + text.size() - sizeof(std::uint64_t);
        for (const char* place = text.data(); place < last; place += sizeof(std::uint64_t)) {
            if (has_other(word_at<std::uint64_t>(place))) {
                return false;
            }
        }
        return !has_other(word_at<std::uint64_t>(last));
    }
    return !has_other(short_word(text));
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

/// The text as it stands between quotation marks.
std::string escaped(std::string_view text) {
    std::string in_json;
    append_escaped(in_json, is_valid_utf8(text) ? text : std::string_view(repaired(text)));
    return in_json;
}

}  // namespace

/// Where the next `size` bytes go, which count as written.
inline char* JsonWriter::room(std::size_t size) {
    if (text_.size() - size_ < size) {
        grow(text_, size_ + size);
    }
    char* const place = text_.data() + size_;
    size_ += size;
    return place;
}

const std::string& JsonWriter::text() {
    text_.resize(size_);
    return text_;
}

std::string JsonWriter::take() {
    text_.resize(std::exchange(size_, 0));
    return std::move(text_);
}

void JsonWriter::open(char bracket) {
    const std::size_t comma = needs_comma_ ? 1 : 0;
    char* const place = room(comma + 1);
    place[0] = ',';
    place[comma] = bracket;
    needs_comma_ = false;
}

void JsonWriter::close(char bracket) {
    *room(1) = bracket;
    needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
    open('{');
    return *this;
}

JsonWriter& JsonWriter::end_object() {
    close('}');
    return *this;
}

JsonWriter& JsonWriter::begin_array() {
    open('[');
    return *this;
}

JsonWriter& JsonWriter::end_array() {
    close(']');
    return *this;
}

/// With the comma before it and, behind a key, the colon.
void JsonWriter::append_text(std::string_view text, bool is_key) {
    std::string in_json;
    if (!is_plain(text)) {
        in_json = escaped(text);
        text = in_json;
    }
    const std::size_t comma = needs_comma_ ? 1 : 0;
    char* place = room(comma + text.size() + (is_key ? 3 : 2));
    *place = ',';
    place += comma;
    *place++ = '"';
    place = copy_text(text, place);
    *place = '"';
    if (is_key) {
        place[1] = ':';
    }
    needs_comma_ = !is_key;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    append_text(name, true);
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    append_text(text, false);
    return *this;
}

JsonWriter& JsonWriter::begin_entry(const JsonEntry& entry, std::string_view text, float number) {
    std::string in_json;
    if (!is_plain(text)) {
        in_json = escaped(text);
        text = in_json;
    }
    char* place =
        room(1 + entry.begin.size() + text.size() + entry.middle.size() + kMostFloatChars);
    const char* const end = text_.data() + size_;
    *place = ',';
    place = copy_text(entry.begin, place + (needs_comma_ ? 1 : 0));
    place = copy_text(entry.middle, copy_text(text, place));
    place = std::isfinite(number) ? write_decimal(number, place) : copy_text("null", place);
    size_ -= static_cast<std::size_t>(end - place);
    needs_comma_ = true;
    return *this;
}

template <typename Number>
void JsonWriter::append_number(Number number) {
    constexpr std::size_t kMostBytes = 32;  // of any number of 64 bits
    char* place = room(kMostBytes + 1);
    const char* const end = place + kMostBytes + 1;
    if (needs_comma_) {
        *place++ = ',';
    }
    if constexpr (std::is_same_v<Number, float>) {
        place = write_decimal(number, place);
    } else {
        place = std::to_chars(place, place + kMostBytes, number).ptr;
    }
    size_ -= static_cast<std::size_t>(end - place);
    needs_comma_ = true;
}

JsonWriter& JsonWriter::value(double number) {
    if (!std::isfinite(number)) {
        return null();
    }
    append_number(number);
    return *this;
}

JsonWriter& JsonWriter::value(float number) {
    if (!std::isfinite(number)) {
        return null();
    }
    append_number(number);
    return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
    append_number(number);
    return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
    append_number(number);
    return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
    return raw(truth ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
    return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    const std::size_t comma = needs_comma_ ? 1 : 0;
    char* const place = room(comma + json.size());
    if (needs_comma_) {
        *place = ',';
    }
    std::copy(json.begin(), json.end(), place + comma);
    needs_comma_ = true;
    return *this;
}

JsonWriter& JsonWriter::begin_raw(std::string_view json) {
    raw(json);
    needs_comma_ = false;
    return *this;
}

}  // namespace segue
