#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pipeline/import.h"

namespace segue {

/// Takes keys and vectors line by line, checks them, and gathers the good ones. Not thread-safe.
class VectorCollector {
public:
    explicit VectorCollector(ImportReport& report) : report_(report) {}

    /// The place of what comes next, for the report.
    void begin_file(std::string_view file) { file_ = file; }
    /// One line with a key and a vector. The first good vector sets the dimension.
    void add(std::uint64_t line, std::string_view key, std::span<const float> vector);
    /// One line without.
    void fault(std::uint64_t line, ImportFault fault, std::string what);
    void count_line() { ++report_.lines_read; }

    /// Returns an error if: there is no vector.
    Result<ImportedVectors> finish() &&;

private:
    ImportReport& report_;
    std::string_view file_;
    Vocabulary keys_;
    std::size_t dim_ = 0;
    std::vector<float> values_;  // [keys_.size() x dim_]
};

/// Readers of single files; each adds every line to the collector.
/// Returns an error if: the file cannot be read as a whole.
Status read_jsonl_vectors(const std::string& path, VectorCollector& collector);
Status read_csv_vectors(const std::string& path, VectorCollector& collector);
Status read_npy_vectors(const std::string& path, VectorCollector& collector);
Status read_parquet_vectors(const std::string& path, VectorCollector& collector);

}  // namespace segue
