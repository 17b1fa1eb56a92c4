#pragma once

// Vectors in: files of keys and vectors become a bundle that answers like one that was fitted.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/vocabulary.h"
#include "pipeline/index_model.h"
#include "pipeline/neighbour_table.h"
#include "pipeline/vector_format.h"

namespace segue {

/// What can be wrong with one line (or row) of a file of vectors.
enum class ImportFault {
    kMalformed,  // no JSON object, an open quote, a cell that is no number
    kNoKey,      // no id, an empty one, or one that is no UTF-8
    kNoVector,   // no embedding, or an empty one
    kDimension,  // not as many numbers as the first vector
    kNotFinite,  // NaN, infinite, or too large for f32
    kDuplicate,  // a key that came before
};
inline constexpr std::size_t kNumImportFaults = 6;

/// "malformed", "no key", "no vector", "wrong dimension", "not finite", "duplicate key".
std::string_view name_of(ImportFault fault);

struct ImportIssue {
    std::string file;
    std::uint64_t line = 0;  // from 1; the row in Parquet and npy files
    ImportFault fault = ImportFault::kMalformed;
    std::string what;
};

/// The first issues are kept, all are counted.
inline constexpr std::size_t kIssuesKept = 50;

struct ImportReport {
    std::uint64_t lines_read = 0;
    std::array<std::uint64_t, kNumImportFaults> faults = {};  // by ImportFault
    std::vector<ImportIssue> issues;                          // at most kIssuesKept, in file order

    std::uint64_t num_faults() const;
    void add(std::string_view file, std::uint64_t line, ImportFault fault, std::string what);
};

/// Keys and vectors in the order of the files; row r of `vectors` belongs to key r. No NaN, no key
/// twice.
struct ImportedVectors {
    Vocabulary keys;
    Matrix vectors;  // [keys.size() x dim]
};

/// Reads files of one format, told by their names unless `format` is given. Faulty lines are left
/// out and reported; lines_read counts all. Returns an error if: a file is missing or unreadable as
/// a whole (no npy or Parquet file, keys missing), or no vector is left; `report` says what was
/// found until then.
Result<ImportedVectors> read_vectors(const std::vector<std::string>& files,
                                     std::optional<VectorFormat> format, ImportReport& report,
                                     const ProgressListener& progress = {});

struct ImportOptions {
    std::string out;
    bool overwrite = false;
    /// Of ||j||: 1 ranks by cosine.
    double popularity_exponent = 1;
    std::size_t num_neighbours = 100;
    /// Nothing: no index is built.
    std::optional<IndexModelOptions> index = IndexModelOptions{.show_points = false};
};

struct ImportedBundle {
    NeighbourTableReport neighbours;
    std::optional<IndexReport> index;
    std::string warning;  // about the index; mostly empty
};

/// Builds the neighbour table and the index (the index first where the table is made through it)
/// and writes the bundle. Returns an error if: it cannot be written.
Result<ImportedBundle> write_imported(ImportedVectors vectors, const ImportOptions& options,
                                      ThreadPool& pool, const ProgressListener& progress = {});

}  // namespace segue
