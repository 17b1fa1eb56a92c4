#include "vector_sets.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "base/file.h"
#include "base/json_reader.h"
#include "base/json_writer.h"

namespace segue::bench {
namespace {

std::string path_of(const std::string& folder, std::string_view name) {
    return fmt::format("{}/{}", folder, name);
}

/// Rows without the padding behind them.
Status write_rows(const Matrix& rows, const std::string& path) {
    auto file = AtomicFile::create(path, true);
    if (!file.ok()) {
        return file.status();
    }
    for (std::size_t row = 0; row < rows.num_rows(); ++row) {
        if (Status status = file->write(std::as_bytes(rows.row(row))); !status.ok()) {
            return status;
        }
    }
    return file->commit();
}

template <typename Value>
Status write_values(const std::vector<Value>& values, const std::string& path) {
    auto file = AtomicFile::create(path, true);
    if (!file.ok()) {
        return file.status();
    }
    if (Status status = file->write(std::as_bytes(std::span(values))); !status.ok()) {
        return status;
    }
    return file->commit();
}

/// The bytes of a file that must have `size` of them.
Result<MappedFile> open_sized(const std::string& path, std::size_t size) {
    auto file = MappedFile::open(path);
    if (file.ok() && file->bytes().size() != size) {
        return corrupt(
            fmt::format("'{}' has {} bytes, expected {}; remove its folder and run "
                        "again",
                        path, file->bytes().size(), size));
    }
    return file;
}

Result<Matrix> read_rows(const std::string& path, std::size_t num_rows, std::size_t dim) {
    const std::size_t row_bytes = dim * sizeof(float);
    auto file = open_sized(path, num_rows * row_bytes);
    if (!file.ok()) {
        return file.status();
    }
    Matrix rows(num_rows, dim);
    for (std::size_t row = 0; row < num_rows; ++row) {
        std::memcpy(rows.row(row).data(), file->bytes().data() + row * row_bytes, row_bytes);
    }
    return rows;
}

template <typename Value>
Result<std::vector<Value>> read_values(const std::string& path, std::size_t count) {
    auto file = open_sized(path, count * sizeof(Value));
    if (!file.ok()) {
        return file.status();
    }
    std::vector<Value> values(count);
    if (count > 0) {
        std::memcpy(values.data(), file->bytes().data(), count * sizeof(Value));
    }
    return values;
}

std::string describe(const VectorSet& set) {
    JsonWriter json;
    json.begin_object().key("name").value(set.name).key("origin").value(set.origin);
    json.key("num_items").value(static_cast<std::uint64_t>(set.items.num_rows()));
    json.key("num_queries").value(static_cast<std::uint64_t>(set.queries.num_rows()));
    json.key("dim").value(static_cast<std::uint64_t>(set.items.dim()));
    json.key("seed").value(set.seed).key("unit").value(set.unit);
    json.key("self").value(!set.self.empty()).end_object();
    return json.take() + "\n";
}

std::size_t number_of(const std::map<std::string, std::string>& members, const char* name) {
    const auto found = members.find(name);
    std::size_t number = 0;
    if (found != members.end()) {
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
    }
    return number;
}

}  // namespace

Status write_set(const VectorSet& set, const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        return io_error(fmt::format("folder '{}': {}", folder, error.message()));
    }
    Status status = write_rows(set.items, path_of(folder, "base.f32"));
    if (status.ok()) {
        status = write_rows(set.queries, path_of(folder, "queries.f32"));
    }
    if (status.ok() && !set.self.empty()) {
        status = write_values(set.self, path_of(folder, "self.u32"));
    }
    if (!status.ok()) {
        return status;
    }
    auto file = AtomicFile::create(path_of(folder, "set.json"), true);
    if (!file.ok()) {
        return file.status();
    }
    status = file->write(describe(set));
    return status.ok() ? file->commit() : status;
}

Result<VectorSet> read_set(const std::string& folder) {
    const auto text = read_text_file(path_of(folder, "set.json"), 1 << 16);
    if (!text.ok()) {
        return text.status();
    }
    auto pairs = read_flat_json(text.value());
    if (!pairs.ok()) {
        return pairs.status().with_context(path_of(folder, "set.json"));
    }
    std::map<std::string, std::string> members(pairs->begin(), pairs->end());
    VectorSet set;
    set.name = members["name"];
    set.origin = members["origin"];
    set.unit = members["unit"] == "true";
    set.seed = number_of(members, "seed");
    const std::size_t dim = number_of(members, "dim");
    const std::size_t num_queries = number_of(members, "num_queries");
    auto items = read_rows(path_of(folder, "base.f32"), number_of(members, "num_items"), dim);
    if (!items.ok()) {
        return items.status();
    }
    auto queries = read_rows(path_of(folder, "queries.f32"), num_queries, dim);
    if (!queries.ok()) {
        return queries.status();
    }
    set.items = std::move(items).value();
    set.queries = std::move(queries).value();
    if (members["self"] == "true") {
        auto self = read_values<std::uint32_t>(path_of(folder, "self.u32"), num_queries);
        if (!self.ok()) {
            return self.status();
        }
        set.self = std::move(self).value();
    }
    return set;
}

Status write_truth(const SetTruth& truth, const std::string& folder) {
    const Status status = write_values(truth.scores, path_of(folder, "truth.f32"));
    return status.ok() ? write_values(truth.rows, path_of(folder, "truth.u32")) : status;
}

Result<SetTruth> read_truth(const std::string& folder, std::size_t num_queries) {
    auto rows = read_values<std::uint32_t>(path_of(folder, "truth.u32"), num_queries * kTruthSize);
    if (!rows.ok()) {
        return rows.status();
    }
    auto scores = read_values<float>(path_of(folder, "truth.f32"), num_queries * kTruthSize);
    if (!scores.ok()) {
        return scores.status();
    }
    return SetTruth{std::move(rows).value(), std::move(scores).value()};
}

Result<MeasuredSet> read_set_with_truth(const std::string& folder) {
    Result<VectorSet> set = read_set(folder);
    if (!set.ok()) {
        return set.status();
    }
    Result<SetTruth> truth = read_truth(folder, set->queries.num_rows());
    if (!truth.ok()) {
        return truth.status();
    }
    return MeasuredSet{std::move(set).value(), std::move(truth).value()};
}

void normalise_rows(Matrix& rows) {
    for (std::size_t row = 0; row < rows.num_rows(); ++row) {
        double squares = 0;
        for (const float value : rows.row(row)) {
            squares += static_cast<double>(value) * static_cast<double>(value);
        }
        if (squares > 0) {
            const float scale = static_cast<float>(1 / std::sqrt(squares));
            for (float& value : rows.row(row)) {
                value *= scale;
            }
        }
    }
}

Matrix copy_rows(const Matrix& rows, std::size_t begin, std::size_t end) {
    Matrix copy(end - begin, rows.dim());
    for (std::size_t row = begin; row < end; ++row) {
        std::copy(rows.row(row).begin(), rows.row(row).end(), copy.row(row - begin).begin());
    }
    return copy;
}

}  // namespace segue::bench
