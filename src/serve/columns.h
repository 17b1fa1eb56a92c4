#pragma once

// Questions as tensors: a column of items or a matrix of vectors in, a column of lists out. Shared
// by TensorFlow Serving's column form and the Open Inference Protocol.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "data/neighbours.h"
#include "serve/json_input.h"
#include "serve/served_model.h"

namespace segue::serve {

/// Exactly one of the two is not empty: each element is a question.
struct ColumnQuery {
    std::vector<std::string> items;
    std::vector<std::vector<float>> vectors;
    std::size_t k = 10;

    std::size_t size() const { return items.size() + vectors.size(); }
};

struct ColumnAnswer {
    std::vector<std::vector<ScoredRow>> lists;  // in the order asked

    /// Length of the longest list.
    std::size_t width() const;
};

/// {"item":["a","b"],"k":10}, {"vector":[[...],[...]]}, or a list of items. Returns an error if:
/// it is anything else or beyond the limits of query_json.h.
Result<ColumnQuery> read_columns(const JsonValue& value);

/// Returns an error if: sizes are beyond the limits of query_json.h, or a question fails; an
/// unknown item is not_found.
Result<ColumnAnswer> answer_columns(const ColumnQuery& query, const ServedModel& served);

/// {"ids":[[...],...],"scores":[[...],...]}; lists may have different lengths.
void write_columns(const ColumnAnswer& answer, const Model& model, JsonWriter& json);

}  // namespace segue::serve
