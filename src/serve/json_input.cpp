#include "serve/json_input.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace segue::serve {

namespace dom = simdjson::dom;

Result<JsonObject> JsonInput::parse_object(std::string_view text) {
    // The parser holds no memory for deeper nesting, and refuses what needs it.
    if (parser_.capacity() < text.size() || parser_.max_depth() != kMaxJsonDepth) {
        constexpr std::size_t kLeastCapacity = 4096;
        if (parser_.allocate(std::max(text.size(), kLeastCapacity), kMaxJsonDepth)) {
            return internal_error("no memory to read JSON");
        }
    }
    dom::element root;
    if (const auto error = parser_.parse(text.data(), text.size()).get(root)) {
        return invalid_argument(
            error == simdjson::DEPTH_ERROR
                ? fmt::format("the JSON is nested deeper than {} levels", kMaxJsonDepth)
                : fmt::format("the body is no JSON: {}", simdjson::error_message(error)));
    }
    JsonObject object;
    if (root.get(object) != simdjson::SUCCESS) {
        return invalid_argument("the body must be a JSON object");
    }
    return object;
}

Result<JsonObject> read_object(const JsonValue& value, std::string_view what) {
    JsonObject object;
    if (value.get(object) != simdjson::SUCCESS) {
        return invalid_argument(fmt::format("{} must be an object", what));
    }
    return object;
}

Result<JsonArray> read_array(const JsonValue& value, std::string_view what, std::size_t max_size) {
    JsonArray array;
    if (value.get(array) != simdjson::SUCCESS) {
        return invalid_argument(fmt::format("{} must be a list", what));
    }
    // size() stops counting at 2^24 - 1, far above every limit here.
    if (array.size() > max_size) {
        return invalid_argument(
            fmt::format("{} may hold {} elements, found {}", what, max_size, array.size()));
    }
    return array;
}

Result<std::string_view> read_text(const JsonValue& value, std::string_view what) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
        return invalid_argument(fmt::format("{} must be a text", what));
    }
    if (text.size() > kMaxTextBytes) {
        return invalid_argument(
            fmt::format("{} may have {} bytes, found {}", what, kMaxTextBytes, text.size()));
    }
    return text;
}

Status read_key(const JsonValue& value, std::string_view what, std::string& key) {
    if (value.is<std::int64_t>()) {
        key = std::to_string(value.get_int64().value_unsafe());
        return Status();
    }
    if (value.is<std::uint64_t>()) {
        key = std::to_string(value.get_uint64().value_unsafe());
        return Status();
    }
    if (!value.is<std::string_view>()) {
        return invalid_argument(fmt::format("{} must be a text or a whole number", what));
    }
    const Result<std::string_view> text = read_text(value, what);
    if (!text.ok()) {
        return text.status();
    }
    if (text->empty()) {
        return invalid_argument(fmt::format("{} must not be empty", what));
    }
    key = *text;
    return Status();
}

Result<std::string> read_key(const JsonValue& value, std::string_view what) {
    std::string key;
    Status status = read_key(value, what, key);
    return status.ok() ? Result<std::string>(std::move(key))
                       : Result<std::string>(std::move(status));
}

Result<std::vector<std::string>> read_keys(const JsonValue& value, std::string_view what,
                                           std::size_t max_size) {
    const Result<JsonArray> array = read_array(value, what, max_size);
    if (!array.ok()) {
        return array.status();
    }
    std::vector<std::string> keys;
    keys.reserve(array->size());
    for (const JsonValue element : *array) {
        Result<std::string> key = read_key(element, what);
        if (!key.ok()) {
            return key.status();
        }
        keys.push_back(std::move(*key));
    }
    return keys;
}

Result<double> read_number(const JsonValue& value, std::string_view what) {
    double number = 0;
    if (value.get(number) != simdjson::SUCCESS) {
        return invalid_argument(fmt::format("{} must be a number", what));
    }
    return number;
}

Result<float> read_float(const JsonValue& value, std::string_view what) {
    const Result<double> number = read_number(value, what);
    if (!number.ok()) {
        return number.status();
    }
    const auto rounded = static_cast<float>(*number);
    if (!std::isfinite(rounded)) {
        return invalid_argument(fmt::format("{} is beyond the range of a float", what));
    }
    return rounded;
}

Result<std::size_t> read_count(const JsonValue& value, std::string_view what, std::size_t max) {
    std::uint64_t count = 0;
    if (value.get(count) != simdjson::SUCCESS || count > max) {
        return invalid_argument(fmt::format("{} must be a whole number from 0 to {}", what, max));
    }
    return static_cast<std::size_t>(count);
}

Result<bool> read_truth(const JsonValue& value, std::string_view what) {
    bool truth = false;
    if (value.get(truth) != simdjson::SUCCESS) {
        return invalid_argument(fmt::format("{} must be true or false", what));
    }
    return truth;
}

Status read_vector(const JsonValue& value, std::string_view what, std::size_t max_size,
                   std::vector<float>& vector) {
    const Result<JsonArray> array = read_array(value, what, max_size);
    if (!array.ok()) {
        return array.status();
    }
    vector.clear();
    vector.reserve(array->size());
    for (const JsonValue element : *array) {
        const Result<float> number = read_float(element, what);
        if (!number.ok()) {
            return number.status();
        }
        vector.push_back(*number);
    }
    if (vector.empty()) {
        return invalid_argument(fmt::format("{} must not be empty", what));
    }
    return Status();
}

Result<std::vector<float>> read_vector(const JsonValue& value, std::string_view what,
                                       std::size_t max_size) {
    std::vector<float> vector;
    Status status = read_vector(value, what, max_size, vector);
    return status.ok() ? Result<std::vector<float>>(std::move(vector))
                       : Result<std::vector<float>>(std::move(status));
}

}  // namespace segue::serve
