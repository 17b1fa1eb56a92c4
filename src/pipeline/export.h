#pragma once

// Vectors out: the item vectors of a model as files other programs read.

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "model/model.h"
#include "pipeline/vector_format.h"

namespace segue {

struct ExportOptions {
    /// A file; or a folder, when it is one, ends with "/", has no "." in its last part, or there
    /// are shards. A missing folder is made (one level). Files in it are called
    /// embedding-000000000000.json (jsonl), embeddings-000000000000.csv, embeddings.npy,
    /// embeddings.parquet.
    std::string out;
    VectorFormat format = VectorFormat::kJsonl;
    /// Files the items are dealt to in equal stretches; 0 writes one. Only for jsonl and csv.
    std::uint32_t num_shards = 0;
    bool overwrite = false;
};

struct ExportReport {
    std::vector<std::string> files;
    std::vector<std::string> removed;  // shards of an earlier export of more shards
    std::size_t num_items = 0;
    std::size_t dim = 0;
};

/// Writes vectors as they are, not normalised; numbers in text take the fewest digits that read
/// back to the same. All files appear at the end, or none; then the shards that an earlier export
/// left in the folder beyond this one's go. Returns an error if: the model has no vectors, one of
/// these files exists and `overwrite` is false, or one cannot be written or removed.
Result<ExportReport> export_vectors(const Model& model, const ExportOptions& options,
                                    const ProgressListener& progress = {});

}  // namespace segue
