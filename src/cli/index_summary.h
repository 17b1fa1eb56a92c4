#pragma once

// What inspect and doctor say of a bundle's index.

#include <cstdint>
#include <optional>
#include <string>

#include "base/json_writer.h"
#include "bundle/inspect.h"

namespace segue::cli {

struct IndexSummary {
    std::string path;  // "auto", "exact", "tree"
    bool blessed = false;
    std::uint64_t num_leaves = 0;
    bool has_tree = false;
    std::uint64_t bytes = 0;
    /// What it was judged to reach, and was asked to; nothing where the bundle does not say.
    std::optional<double> recall;
    std::optional<double> recall_low;
    std::optional<double> target_recall;
};

/// By the names of the tensors, also of a damaged bundle. Nothing where there is no index.
std::optional<IndexSummary> summary_of_index(const BundleSummary& bundle);

/// "tree of 4,000 leaves, 85.2 MB, recall@10 0.9561 (at least 0.9503; asked 0.95), blessed"
std::string text_of(const IndexSummary& index);

/// An object.
void write_json(const IndexSummary& index, JsonWriter& json);

}  // namespace segue::cli
