#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace segue {

/// Writes one JSON value, left to right, without white space. Strings are escaped as RFC 8259 asks;
/// bytes that are no UTF-8 become U+FFFD. Numbers take the fewest digits that read back to the same
/// value; a number that is not finite becomes null. Not thread-safe.
///
///     JsonWriter json;
///     json.begin_object().key("id").value("a").key("score").value(0.5f).end_object();
///     json.text();   // {"id":"a","score":0.5}
class JsonWriter {
public:
    JsonWriter() = default;
    /// Writes into the memory of `reused`, whose text is dropped.
    explicit JsonWriter(std::string reused) : text_(std::move(reused)) { text_.clear(); }

    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(double number);
    JsonWriter& value(float number);
    JsonWriter& value(std::int64_t number);
    JsonWriter& value(std::uint64_t number);
    JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
    JsonWriter& value(std::uint32_t number) { return value(static_cast<std::uint64_t>(number)); }
    JsonWriter& value(bool truth);
    JsonWriter& null();
    /// A value that is JSON already.
    JsonWriter& raw(std::string_view json);

    const std::string& text() const { return text_; }
    std::string take() { return std::move(text_); }

private:
    void separate();
    std::string text_;
    bool needs_comma_ = false;
};

}  // namespace segue
