#pragma once

// Inside of Model: views of every table, and the rules they keep, whether they come from a file or
// a fit.

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "bundle/reader.h"
#include "data/matrix.h"
#include "data/neighbours.h"
#include "data/sparse.h"
#include "data/string_table.h"
#include "data/vocabulary.h"
#include "model/index_tensors.h"
#include "model/model.h"

namespace segue {

/// Views of the tables of a model in the form its accessors hand out.
struct TableViews {
    StringTableView item_keys;
    std::vector<std::string> attribute_names;
    std::vector<StringTableView> attributes;          // [attribute_names.size()]
    std::span<const std::uint32_t> item_frequencies;  // [num_items] or empty
    MatrixView item_vectors;                          // no rows, or num_items
    NeighboursView neighbours;                        // no offsets, or num_items + 1
    StringTableView group_keys;
    SparseView interactions;  // [group_keys.size() x num_items]
};

/// Valid while `parts` is neither changed nor moved.
TableViews views_of(const ModelParts& parts);

/// Returns an error if: a rule of docs/bundle_format.md is broken, that keys are distinct excepted.
/// After this every offset and row can be followed and every number put in a score.
Status check_tables(const ModelInfo& info, const TableViews& tables, ThreadPool& pool);

/// Either `file` or `parts` owns the memory that `views` look at.
struct Model::Tables {
    /// Takes the tables of a bundle. Returns an error if: they break a rule.
    Status open_file(BundleReader reader, bool with_index);
    Status open_stored_index();

    ModelInfo info;
    TableViews views;

    ModelParts parts;
    std::optional<BundleReader> file;
    Matrix aligned_vectors;  // of a file whose vectors are not laid out as kernels need them
    KeyIndex item_index;     // of a file; parts have their own
    KeyIndex group_index;
    FoundIndex found_index;  // of a file
    std::optional<LeafIndex> index;
    IndexFacts index_facts;

    std::once_flag by_item_made;
    SparseMatrix by_item;
};

}  // namespace segue
