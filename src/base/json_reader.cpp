#include "base/json_reader.h"

#include <simdjson.h>

#include <set>

#include "base/json_writer.h"

namespace segue {

namespace {

namespace dom = simdjson::dom;

std::string text_of(simdjson::error_code error) {
    return simdjson::error_message(error);
}

/// The value as text; nothing for null, objects and arrays.
std::optional<std::string> scalar_text(const dom::element& value) {
    JsonWriter number;
    switch (value.type()) {
        case dom::element_type::STRING:
            return std::string(std::string_view(value.get_string().value_unsafe()));
        case dom::element_type::INT64:
            return number.value(std::int64_t{value.get_int64().value_unsafe()}).take();
        case dom::element_type::UINT64:
            return number.value(std::uint64_t{value.get_uint64().value_unsafe()}).take();
        case dom::element_type::DOUBLE:
            return number.value(value.get_double().value_unsafe()).take();
        case dom::element_type::BOOL:
            return number.value(value.get_bool().value_unsafe()).take();
        default:
            return std::nullopt;
    }
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> read_flat_json(std::string_view json) {
    dom::parser parser;
    dom::object object;
    if (const auto error = parser.parse(json.data(), json.size()).get(object)) {
        return invalid_argument("expected a JSON object: " + text_of(error));
    }
    std::vector<std::pair<std::string, std::string>> members;
    std::set<std::string, std::less<>> keys;
    for (const dom::key_value_pair member : object) {
        const std::string key(member.key);
        if (!keys.insert(key).second) {
            return invalid_argument("key '" + key + "' occurs twice");
        }
        dom::array array;
        if (member.value.get(array) != simdjson::SUCCESS) {
            std::optional<std::string> text = scalar_text(member.value);
            if (!text) {
                return invalid_argument(
                    "'" + key + "' must be a text, a number, true, false or a list of them");
            }
            members.emplace_back(key, std::move(*text));
            continue;
        }
        for (const dom::element element : array) {
            std::optional<std::string> text = scalar_text(element);
            if (!text) {
                return invalid_argument("the list '" + key +
                                        "' may hold texts, numbers, true and false only");
            }
            members.emplace_back(key, std::move(*text));
        }
    }
    return members;
}

Result<std::vector<std::string>> read_json_strings(std::string_view json) {
    dom::parser parser;
    dom::array array;
    if (const auto error = parser.parse(json.data(), json.size()).get(array)) {
        return invalid_argument("expected a JSON array: " + text_of(error));
    }
    std::vector<std::string> strings;
    for (const dom::element element : array) {
        std::string_view text;
        if (element.get(text) != simdjson::SUCCESS) {
            return invalid_argument("expected texts only in a JSON array");
        }
        strings.emplace_back(text);
    }
    return strings;
}

Status check_json_object(std::string_view json) {
    dom::parser parser;
    dom::object object;
    if (const auto error = parser.parse(json.data(), json.size()).get(object)) {
        return invalid_argument("expected a JSON object: " + text_of(error));
    }
    return Status();
}

}  // namespace segue
