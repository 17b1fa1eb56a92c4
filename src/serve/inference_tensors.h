#pragma once

// Tensors of the Open Inference Protocol v2, in JSON and in the binary extension: what a request
// carries in, what an answer carries out.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "serve/columns.h"
#include "serve/json_input.h"

namespace segue::serve {

struct WantedOutput {
    std::string name;  // "ids", "scores" or "counts"
    bool is_binary = false;
};

/// One infer request.
struct Inference {
    std::string id;
    ColumnQuery query;
    std::vector<WantedOutput> outputs;  // all three where the request names none

    bool asks_of_group() const { return false; }
};

/// Reads the JSON of a request and the raw tensors behind it. Inputs: "item" BYTES [n] or [n, 1],
/// or "vector" FP32 or FP64 [n, dim]; "k" is a parameter of the request. Returns an error if: a
/// tensor is unknown, occurs twice, has another type, or not as many elements or bytes as its shape
/// says; bytes of `raw` are left over; or a limit of query_json.h is exceeded.
Result<Inference> read_inference(const JsonObject& object, std::string_view raw);

/// Writes the member "outputs"; bytes of binary outputs are added to `raw`. Lists shorter than the
/// longest are filled up with "" and 0; counts has how many of each are real.
void write_outputs(const Inference& asked, const ColumnAnswer& answer, const Model& model,
                   JsonWriter& json, std::string& raw);

}  // namespace segue::serve
