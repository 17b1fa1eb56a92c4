#pragma once

// The files vectors leave and enter in.

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace segue {

enum class VectorFormat {
    kJsonl,  // {"id":"...","embedding":[...]} a line
    kCsv,    // key,v1,...,vN a line, without a header
    kNpy,    // [num_items x dim] little-endian f32, and the keys as one JSON array in a file beside
             // it
    kParquet,  // columns id and embedding (a list of floats)
};

/// "jsonl", "csv", "npy", "parquet".
std::string_view name_of(VectorFormat format);
Result<VectorFormat> vector_format_by_name(std::string_view name);
/// By the end of the name: .jsonl, .ndjson and .json, .csv, .npy, .parquet; nothing for others.
std::optional<VectorFormat> vector_format_of(std::string_view path);

/// The file of keys that belongs to an .npy file: "a/b.npy" has "a/b.keys.json".
std::string keys_path_of(const std::string& npy_path);

}  // namespace segue
