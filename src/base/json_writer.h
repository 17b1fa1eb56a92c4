#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace segue {

/// What is written around the text and in front of the number of an object, as JSON:
/// {R"({"id":")", R"(","score":)"}
struct JsonEntry {
    std::string_view begin;
    std::string_view middle;
};

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
    explicit JsonWriter(std::string reused) : text_(std::move(reused)) {}

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
    /// A value, or members of an object, that is JSON already.
    JsonWriter& raw(std::string_view json);
    /// The same up to where a value goes: {"ids":[  or  "count":
    JsonWriter& begin_raw(std::string_view json);
    /// Begins an object with a text and a number, and leaves it open: what long lists are made of.
    JsonWriter& begin_entry(const JsonEntry& entry, std::string_view text, float number);

    /// Valid until the next value.
    const std::string& text();
    std::string take();

private:
    char* room(std::size_t size);
    void open(char bracket);
    void close(char bracket);
    void append_text(std::string_view text, bool is_key);
    template <typename Number>
    void append_number(Number number);

    std::string text_;      // what is written, and room for more
    std::size_t size_ = 0;  // of what is written
    bool needs_comma_ = false;
};

}  // namespace segue
