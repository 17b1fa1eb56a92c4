#include "pipeline/vector_format.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "base/text.h"

namespace segue {
namespace {

constexpr std::array<std::pair<VectorFormat, std::string_view>, 4> kFormatNames = {{
    {VectorFormat::kJsonl, "jsonl"},
    {VectorFormat::kCsv, "csv"},
    {VectorFormat::kNpy, "npy"},
    {VectorFormat::kParquet, "parquet"},
}};

}  // namespace

std::string_view name_of(VectorFormat format) {
    for (const auto& [candidate, name] : kFormatNames) {
        if (candidate == format) {
            return name;
        }
    }
    return "unknown";
}

Result<VectorFormat> vector_format_by_name(std::string_view name) {
    for (const auto& [format, candidate] : kFormatNames) {
        if (candidate == name) {
            return format;
        }
    }
    return invalid_argument(
        fmt::format("format '{}' is unknown; expected jsonl, csv, npy or parquet", name));
}

std::optional<VectorFormat> vector_format_of(std::string_view path) {
    const std::string lowered = to_lower_ascii(path);
    if (lowered.ends_with(".json") || lowered.ends_with(".ndjson")) {
        return VectorFormat::kJsonl;
    }
    for (const auto& [format, name] : kFormatNames) {
        if (lowered.ends_with(fmt::format(".{}", name))) {
            return format;
        }
    }
    return std::nullopt;
}

std::string keys_path_of(const std::string& npy_path) {
    constexpr std::string_view kEnd = ".npy";
    const bool has_end = to_lower_ascii(npy_path).ends_with(kEnd);
    return npy_path.substr(0, npy_path.size() - (has_end ? kEnd.size() : 0)) + ".keys.json";
}

}  // namespace segue
