#pragma once

// JSON from outside, read strictly: limits before anything is copied, one meaning for each type.
// Every message names what it is about.

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace segue::serve {

using JsonValue = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

/// Arrays and objects within each other.
inline constexpr std::size_t kMaxJsonDepth = 16;
/// Bytes of a key, a name or a value of a filter.
inline constexpr std::size_t kMaxTextBytes = 512;

/// Parses one text at a time, in memory it keeps. Not thread-safe.
class JsonInput {
public:
    /// Valid until the next call. Returns an error if: the text is no JSON object (RFC 8259, UTF-8)
    /// or is nested too deep.
    Result<JsonObject> parse_object(std::string_view text);

private:
    simdjson::dom::parser parser_;
};

/// Each of these returns an error if: the value has another type or is out of bounds; `what` is how
/// messages call it.
Result<JsonObject> read_object(const JsonValue& value, std::string_view what);
Result<JsonArray> read_array(const JsonValue& value, std::string_view what, std::size_t max_size);
/// At most kMaxTextBytes.
Result<std::string_view> read_text(const JsonValue& value, std::string_view what);
/// A text, or a whole number as its decimal text, put in place of what was in `key`; not empty.
Status read_key(const JsonValue& value, std::string_view what, std::string& key);
Result<std::string> read_key(const JsonValue& value, std::string_view what);
Result<std::vector<std::string>> read_keys(const JsonValue& value, std::string_view what,
                                           std::size_t max_size);
Result<double> read_number(const JsonValue& value, std::string_view what);
/// A number that is finite as float.
Result<float> read_float(const JsonValue& value, std::string_view what);
Result<std::size_t> read_count(const JsonValue& value, std::string_view what, std::size_t max);
Result<bool> read_truth(const JsonValue& value, std::string_view what);
/// Not empty; put in place of what was in `vector`.
Status read_vector(const JsonValue& value, std::string_view what, std::size_t max_size,
                   std::vector<float>& vector);
Result<std::vector<float>> read_vector(const JsonValue& value, std::string_view what,
                                       std::size_t max_size);

}  // namespace segue::serve
