#include "base/json_writer.h"

#include <charconv>
#include <cmath>

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
    if (is_valid_utf8(text)) {
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
