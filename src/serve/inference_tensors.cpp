#include "serve/inference_tensors.h"

#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "serve/member_reader.h"
#include "serve/query_json.h"

namespace segue::serve {

static_assert(std::endian::native == std::endian::little, "raw tensors are little-endian");

namespace {

constexpr std::size_t kMaxDimensions = 2;

/// An input as declared; `data` or the next `num_raw_bytes` of the body hold its elements.
struct Input {
    std::string name;
    std::string datatype;
    std::vector<std::size_t> shape;
    std::optional<JsonValue> data;
    std::optional<std::size_t> num_raw_bytes;
};

/// Takes the next bytes off the front of `raw`.
std::optional<std::string_view> take_bytes(std::string_view& raw, std::size_t num_bytes) {
    if (num_bytes > raw.size()) {
        return std::nullopt;
    }
    const std::string_view taken = raw.substr(0, num_bytes);
    raw.remove_prefix(num_bytes);
    return taken;
}

Result<std::vector<std::size_t>> read_shape(const JsonValue& value) {
    const Result<JsonArray> array = read_array(value, "shape", kMaxDimensions);
    if (!array.ok()) {
        return array.status();
    }
    std::vector<std::size_t> shape;
    for (const JsonValue element : *array) {
        const Result<std::size_t> size =
            read_count(element, "a size of a shape", kMaxVectorNumbers);
        if (!size.ok()) {
            return size.status();
        }
        shape.push_back(*size);
    }
    return shape;
}

Result<Input> read_input(const JsonValue& value) {
    const Result<JsonObject> object = read_object(value, "an input");
    if (!object.ok()) {
        return object.status();
    }
    Input input;
    MemberReader reader(*object, "an input");
    reader.require("name")
        .require("shape")
        .require("datatype")
        .take("name", input.name, [](const JsonValue& text) { return read_text(text, "name"); })
        .take("datatype", input.datatype,
              [](const JsonValue& text) { return read_text(text, "datatype"); })
        .take("shape", input.shape, read_shape)
        .member("data",
                [&](const JsonValue& data) {
                    input.data = data;
                    return Status();
                })
        .member("parameters", [&](const JsonValue& parameters) {
            const Result<JsonObject> members = read_object(parameters, "parameters");
            if (!members.ok()) {
                return members.status();
            }
            MemberReader inner(*members, "parameters of an input");
            inner.take("binary_data_size", input.num_raw_bytes, [](const JsonValue& size) {
                return read_count(size, "binary_data_size", std::size_t{1} << 30);
            });
            return inner.finish();
        });
    if (Status status = reader.finish(); !status.ok()) {
        return status;
    }
    if (input.data.has_value() == input.num_raw_bytes.has_value()) {
        return invalid_argument(
            fmt::format("input '{}' needs either data or binary_data_size", input.name));
    }
    return input;
}

/// Elements of nested or flat JSON, row-major.
Status flatten(const JsonValue& value, std::size_t max_size, std::vector<JsonValue>& elements) {
    JsonArray array;
    if (value.get(array) != simdjson::SUCCESS) {
        if (elements.size() == max_size) {
            return invalid_argument("data has more elements than its shape says");
        }
        elements.push_back(value);
        return Status();
    }
    for (const JsonValue element : array) {
        if (Status status = flatten(element, max_size, elements); !status.ok()) {
            return status;
        }
    }
    return Status();
}

/// Each element is four bytes of length and so many bytes of text.
Status read_raw_texts(std::string_view raw, std::vector<std::string>& texts) {
    while (!raw.empty()) {
        std::uint32_t size = 0;
        const std::optional<std::string_view> head = take_bytes(raw, sizeof size);
        if (head) {
            std::memcpy(&size, head->data(), sizeof size);
        }
        const std::optional<std::string_view> text =
            head ? take_bytes(raw, size) : std::optional<std::string_view>();
        if (!text) {
            return invalid_argument("the raw texts end in the middle of one");
        }
        if (text->empty() || text->size() > kMaxTextBytes) {
            return invalid_argument(fmt::format("an item must have 1 to {} bytes", kMaxTextBytes));
        }
        texts.emplace_back(*text);
    }
    return Status();
}

Status read_items(const Input& input, std::string_view raw, std::vector<std::string>& items) {
    const std::vector<std::size_t>& shape = input.shape;
    const bool is_column = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
    if (input.datatype != "BYTES" || !is_column || shape[0] == 0 || shape[0] > kMaxQueriesOfBatch) {
        return invalid_argument(
            fmt::format("input 'item' must be BYTES of shape [n] or [n, 1], n from 1 to {}",
                        kMaxQueriesOfBatch));
    }
    if (input.data) {
        std::vector<JsonValue> elements;
        if (Status status = flatten(*input.data, shape[0], elements); !status.ok()) {
            return status;
        }
        for (const JsonValue& element : elements) {
            Result<std::string> key = read_key(element, "an item");
            if (!key.ok()) {
                return key.status();
            }
            items.push_back(std::move(*key));
        }
    } else if (Status status = read_raw_texts(raw, items); !status.ok()) {
        return status;
    }
    return items.size() == shape[0]
               ? Status()
               : invalid_argument(fmt::format("input 'item' has {} elements, its shape says {}",
                                              items.size(), shape[0]));
}

template <typename Number>
std::vector<float> raw_numbers(std::string_view raw) {
    std::vector<float> numbers;
    numbers.reserve(raw.size() / sizeof(Number));
    for (std::size_t at = 0; at + sizeof(Number) <= raw.size(); at += sizeof(Number)) {
        Number number = 0;
        std::memcpy(&number, raw.data() + at, sizeof(Number));
        numbers.push_back(static_cast<float>(number));
    }
    return numbers;
}

Result<std::vector<float>> read_numbers(const Input& input, std::string_view raw,
                                        std::size_t num_numbers) {
    std::vector<float> numbers;
    if (input.data) {
        std::vector<JsonValue> elements;
        if (Status status = flatten(*input.data, num_numbers, elements); !status.ok()) {
            return status;
        }
        for (const JsonValue& element : elements) {
            const Result<float> number = read_float(element, "a number of 'vector'");
            if (!number.ok()) {
                return number.status();
            }
            numbers.push_back(*number);
        }
    } else {
        const std::size_t width = input.datatype == "FP32" ? sizeof(float) : sizeof(double);
        if (raw.size() % width == 0) {
            numbers = width == sizeof(float) ? raw_numbers<float>(raw) : raw_numbers<double>(raw);
        }
    }
    if (numbers.size() != num_numbers) {
        return invalid_argument(fmt::format("input 'vector' has {} numbers, its shape says {}",
                                            numbers.size(), num_numbers));
    }
    for (const float number : numbers) {
        if (!std::isfinite(number)) {
            return invalid_argument("input 'vector' has a number that is not finite");
        }
    }
    return numbers;
}

Status read_vectors(const Input& input, std::string_view raw,
                    std::vector<std::vector<float>>& vectors) {
    const std::vector<std::size_t>& shape = input.shape;
    if ((input.datatype != "FP32" && input.datatype != "FP64") || shape.size() != 2 ||
        shape[0] == 0 || shape[0] > kMaxQueriesOfBatch || shape[1] == 0) {
        return invalid_argument(
            fmt::format("input 'vector' must be FP32 or FP64 of shape [n, dim], n from 1 to {}",
                        kMaxQueriesOfBatch));
    }
    const Result<std::vector<float>> numbers = read_numbers(input, raw, shape[0] * shape[1]);
    if (!numbers.ok()) {
        return numbers.status();
    }
    for (std::size_t row = 0; row < shape[0]; ++row) {
        const auto begin = numbers->begin() + static_cast<std::ptrdiff_t>(row * shape[1]);
        vectors.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(shape[1]));
    }
    return Status();
}

Status read_inputs(const JsonValue& value, std::string_view raw, ColumnQuery& query) {
    const Result<JsonArray> array = read_array(value, "inputs", 1);
    if (!array.ok()) {
        return array.status();
    }
    for (const JsonValue element : *array) {
        const Result<Input> input = read_input(element);
        if (!input.ok()) {
            return input.status();
        }
        const std::optional<std::string_view> bytes =
            take_bytes(raw, input->num_raw_bytes.value_or(0));
        if (!bytes) {
            return invalid_argument(
                fmt::format("the body ends before the raw data of input '{}'", input->name));
        }
        Status status;
        if (input->name == "item") {
            status = read_items(*input, *bytes, query.items);
        } else if (input->name == "vector") {
            status = read_vectors(*input, *bytes, query.vectors);
        } else {
            status = invalid_argument("the inputs are called 'item' and 'vector'");
        }
        if (!status.ok()) {
            return status;
        }
    }
    if (!raw.empty()) {
        return invalid_argument(fmt::format("{} raw bytes belong to no input", raw.size()));
    }
    return query.size() > 0 ? Status() : invalid_argument("inputs must not be empty");
}

Result<bool> read_binary_parameter(const JsonValue& parameters) {
    const Result<JsonObject> members = read_object(parameters, "parameters");
    if (!members.ok()) {
        return members.status();
    }
    bool is_binary = false;
    MemberReader reader(*members, "parameters of an output");
    reader.take("binary_data", is_binary,
                [](const JsonValue& truth) { return read_truth(truth, "binary_data"); });
    Status status = reader.finish();
    return status.ok() ? Result<bool>(is_binary) : Result<bool>(std::move(status));
}

Status read_outputs(const JsonValue& value, bool is_binary, std::vector<WantedOutput>& outputs) {
    constexpr std::size_t kNumOutputs = 3;
    const Result<JsonArray> array = read_array(value, "outputs", kNumOutputs);
    if (!array.ok()) {
        return array.status();
    }
    for (const JsonValue element : *array) {
        const Result<JsonObject> object = read_object(element, "an output");
        if (!object.ok()) {
            return object.status();
        }
        WantedOutput output = {{}, is_binary};
        MemberReader reader(*object, "an output");
        reader.require("name")
            .take("name", output.name,
                  [](const JsonValue& text) { return read_text(text, "name"); })
            .take("parameters", output.is_binary, read_binary_parameter);
        if (Status status = reader.finish(); !status.ok()) {
            return status;
        }
        if (output.name != "ids" && output.name != "scores" && output.name != "counts") {
            return invalid_argument("the outputs are called 'ids', 'scores' and 'counts'");
        }
        outputs.push_back(std::move(output));
    }
    return Status();
}

}  // namespace

Result<Inference> read_inference(const JsonObject& object, std::string_view raw) {
    Inference asked;
    bool is_binary = false;
    MemberReader reader(object, "an infer request");
    reader.take("id", asked.id, [](const JsonValue& text) { return read_text(text, "id"); })
        .member("parameters",
                [&](const JsonValue& parameters) {
                    const Result<JsonObject> members = read_object(parameters, "parameters");
                    if (!members.ok()) {
                        return members.status();
                    }
                    MemberReader inner(*members, "parameters");
                    inner
                        .take("k", asked.query.k,
                              [](const JsonValue& k) { return read_count(k, "k", kMaxResults); })
                        .take("binary_data_output", is_binary, [](const JsonValue& truth) {
                            return read_truth(truth, "binary_data_output");
                        });
                    return inner.finish();
                })
        .require("inputs")
        .member("inputs",
                [&](const JsonValue& value) { return read_inputs(value, raw, asked.query); })
        .member("outputs", [&](const JsonValue& value) {
            return read_outputs(value, is_binary, asked.outputs);
        });
    if (Status status = reader.finish(); !status.ok()) {
        return status;
    }
    if (asked.outputs.empty()) {
        asked.outputs = {{"ids", is_binary}, {"scores", is_binary}, {"counts", is_binary}};
    }
    return asked;
}

}  // namespace segue::serve
