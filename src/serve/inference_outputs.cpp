#include <bit>
#include <cstring>

#include "serve/inference_tensors.h"

namespace segue::serve {

static_assert(std::endian::native == std::endian::little, "raw tensors are little-endian");

namespace {

template <typename Number>
void add_raw(Number number, std::string& raw) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    raw.append(bytes, sizeof number);
}

/// Calls put(list, place), place beyond the end for what is filled up.
template <typename Put>
void for_each_place(const ColumnAnswer& answer, const Put& put) {
    const std::size_t width = answer.width();
    for (const std::vector<ScoredRow>& list : answer.lists) {
        for (std::size_t place = 0; place < width; ++place) {
            put(list, place);
        }
    }
}

/// What of an output is written where.
struct OutputPlace {
    bool is_binary = false;
    JsonWriter& json;
    std::string& raw;
};

void put_ids(const ColumnAnswer& answer, const Model& model, const OutputPlace& out) {
    for_each_place(answer, [&](const std::vector<ScoredRow>& list, std::size_t place) {
        const std::string_view key =
            place < list.size() ? model.item_keys()[list[place].item_row] : std::string_view();
        if (out.is_binary) {
            add_raw(static_cast<std::uint32_t>(key.size()), out.raw);
            out.raw += key;
        } else {
            out.json.value(key);
        }
    });
}

void put_scores(const ColumnAnswer& answer, const OutputPlace& out) {
    for_each_place(answer, [&](const std::vector<ScoredRow>& list, std::size_t place) {
        const float score = place < list.size() ? list[place].score : 0;
        if (out.is_binary) {
            add_raw(score, out.raw);
        } else {
            out.json.value(score);
        }
    });
}

void put_counts(const ColumnAnswer& answer, const OutputPlace& out) {
    for (const std::vector<ScoredRow>& list : answer.lists) {
        const auto count = static_cast<std::int32_t>(list.size());
        if (out.is_binary) {
            add_raw(count, out.raw);
        } else {
            out.json.value(count);
        }
    }
}

}  // namespace

void write_outputs(const Inference& asked, const ColumnAnswer& answer, const Model& model,
                   JsonWriter& json, std::string& raw) {
    json.key("outputs").begin_array();
    for (const WantedOutput& output : asked.outputs) {
        const bool is_counts = output.name == "counts";
        json.begin_object().key("name").value(output.name).key("datatype");
        json.value(is_counts ? "INT32" : output.name == "ids" ? "BYTES" : "FP32");
        json.key("shape").begin_array().value(std::uint64_t{answer.lists.size()});
        if (!is_counts) {
            json.value(std::uint64_t{answer.width()});
        }
        json.end_array();
        const std::size_t raw_begin = raw.size();
        if (!output.is_binary) {
            json.key("data").begin_array();
        }
        const OutputPlace out = {output.is_binary, json, raw};
        if (is_counts) {
            put_counts(answer, out);
        } else if (output.name == "ids") {
            put_ids(answer, model, out);
        } else {
            put_scores(answer, out);
        }
        if (output.is_binary) {
            json.key("parameters").begin_object().key("binary_data_size");
            json.value(std::uint64_t{raw.size() - raw_begin}).end_object();
        } else {
            json.end_array();
        }
        json.end_object();
    }
    json.end_array();
}

}  // namespace segue::serve
