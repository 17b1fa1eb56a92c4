#include "pipeline/import.h"

#include <fmt/core.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "base/checksum.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "model/model.h"
#include "pipeline/vector_collector.h"

namespace segue {
namespace {

/// Longer vectors are slips: a column of numbers read as one vector.
constexpr std::size_t kMaxDim = 65536;

Status read_file(const std::string& path, VectorFormat format, VectorCollector& collector) {
    collector.begin_file(path);
    switch (format) {
        case VectorFormat::kJsonl:
            return read_jsonl_vectors(path, collector);
        case VectorFormat::kCsv:
            return read_csv_vectors(path, collector);
        case VectorFormat::kNpy:
            return read_npy_vectors(path, collector);
        case VectorFormat::kParquet:
            return read_parquet_vectors(path, collector);
    }
    return internal_error("unknown vector format");
}

}  // namespace

std::string_view name_of(ImportFault fault) {
    switch (fault) {
        case ImportFault::kMalformed:
            return "malformed";
        case ImportFault::kNoKey:
            return "no key";
        case ImportFault::kNoVector:
            return "no vector";
        case ImportFault::kDimension:
            return "wrong dimension";
        case ImportFault::kNotFinite:
            return "not finite";
        case ImportFault::kDuplicate:
            return "duplicate key";
    }
    return "unknown";
}

std::uint64_t ImportReport::num_faults() const {
    std::uint64_t total = 0;
    for (const std::uint64_t count : faults) {
        total += count;
    }
    return total;
}

void ImportReport::add(std::string_view file, std::uint64_t line, ImportFault fault,
                       std::string what) {
    ++faults[static_cast<std::size_t>(fault)];
    if (issues.size() < kIssuesKept) {
        issues.push_back({std::string(file), line, fault, std::move(what)});
    }
}

void VectorCollector::fault(std::uint64_t line, ImportFault fault, std::string what) {
    report_.add(file_, line, fault, std::move(what));
}

void VectorCollector::add(std::uint64_t line, std::string_view key, std::span<const float> vector) {
    if (key.empty() || !is_valid_utf8(key)) {
        return fault(line, ImportFault::kNoKey,
                     key.empty() ? "the id is empty" : "the id is not UTF-8");
    }
    if (vector.empty()) {
        return fault(line, ImportFault::kNoVector,
                     fmt::format("\"{}\" has no numbers", shortened(key)));
    }
    if (vector.size() > kMaxDim || (dim_ != 0 && vector.size() != dim_)) {
        return fault(
            line, ImportFault::kDimension,
            fmt::format("\"{}\" has {} numbers, expected {}", shortened(key), vector.size(),
                        dim_ != 0 ? fmt::format("{} as in the first vector", dim_)
                                  : fmt::format("at most {}", kMaxDim)));
    }
    for (std::size_t i = 0; i < vector.size(); ++i) {
        if (!std::isfinite(vector[i])) {
            return fault(
                line, ImportFault::kNotFinite,
                fmt::format("number {} of \"{}\" is {}", i + 1, shortened(key), vector[i]));
        }
    }
    const std::size_t row = keys_.size();
    if (keys_.insert(key) != row) {
        return fault(line, ImportFault::kDuplicate,
                     fmt::format("\"{}\" came before", shortened(key)));
    }
    dim_ = vector.size();
    values_.insert(values_.end(), vector.begin(), vector.end());
}

Result<ImportedVectors> VectorCollector::finish() && {
    if (keys_.size() == 0) {
        return invalid_argument(fmt::format("no vectors in {} lines", report_.lines_read));
    }
    ImportedVectors imported;
    imported.vectors = Matrix(keys_.size(), dim_);
    for (std::size_t row = 0; row < keys_.size(); ++row) {
        std::memcpy(imported.vectors.row(row).data(), values_.data() + row * dim_,
                    dim_ * sizeof(float));
    }
    imported.keys = std::move(keys_);
    return imported;
}

Result<ImportedVectors> read_vectors(const std::vector<std::string>& files,
                                     std::optional<VectorFormat> format, ImportReport& report,
                                     const ProgressListener& progress) {
    VectorCollector collector(report);
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::optional<VectorFormat> of_name = vector_format_of(files[i]);
        if (!format && !of_name) {
            return invalid_argument(fmt::format(
                "'{}': the name tells no format; say --format jsonl, csv, npy or parquet",
                files[i]));
        }
        if (Status status = read_file(files[i], format ? *format : *of_name, collector);
            !status.ok()) {
            return status;
        }
        segue::report(
            progress,
            {.stage = "import", .done = i + 1, .total = files.size(), .unit = "files", .note = {}});
    }
    return std::move(collector).finish();
}

Result<ImportedBundle> write_imported(ImportedVectors vectors, const ImportOptions& options,
                                      ThreadPool& pool, const ProgressListener& progress) {
    ModelParts parts;
    parts.info.recipe = "import";
    parts.info.answer_by = AnswerBy::kVectors;
    parts.info.popularity_exponent = options.popularity_exponent;
    JsonWriter json;
    json.begin_object().key("dim").value(static_cast<std::uint64_t>(vectors.vectors.dim()));
    parts.info.parameters_json = json.end_object().take();
    const std::span<const float> values(vectors.vectors.data(),
                                        vectors.vectors.num_rows() * vectors.vectors.stride());
    const std::uint64_t hashes[2] = {xxh3_64(std::as_bytes(vectors.keys.keys().bytes())),
                                     xxh3_64(std::as_bytes(values))};
    parts.info.input_hash = to_hex(xxh3_64(std::as_bytes(std::span(hashes))));
    parts.items = std::move(vectors.keys);
    parts.item_vectors = std::move(vectors.vectors);
    ImportedBundle imported;
    const auto add_table = [&] {
        const Result<NeighbourTableReport> table =
            add_neighbours(parts, options.num_neighbours, pool, progress);
        imported.neighbours = table.ok() ? *table : NeighbourTableReport();
        return table.status();
    };
    // The index is tuned by sums of items that go together, which the lists tell.
    const bool waits = options.index && waits_for_index(parts.item_vectors.view());
    Status status = waits ? Status() : add_table();
    if (status.ok() && options.index) {
        imported.index = add_index(parts, *options.index, pool, progress, imported.warning);
    }
    if (status.ok() && waits) {
        status = add_table();
    }
    if (!status.ok()) {
        return status;
    }
    const Status written = write_bundle(parts, options.out, options.overwrite);
    return written.ok() ? Result<ImportedBundle>(std::move(imported))
                        : Result<ImportedBundle>(written);
}

}  // namespace segue
