#pragma once

// Whom `segue recommend` makes lists for.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/sparse.h"
#include "data/vocabulary.h"
#include "model/model.h"

namespace segue::cli {

/// Groups and what they have of the model's items.
struct Histories {
    Vocabulary groups;
    SparseMatrix items;                       // [groups.size() x num_items]
    std::vector<std::string> unknown_groups;  // asked for, and not in the model; at most some
    std::uint64_t num_unknown_groups = 0;
    std::uint64_t num_unknown_items = 0;  // rows of a table whose item is not in the model
};

/// Stored histories of the groups named. Unknown keys are reported in the result.
/// Returns an error if: the model stores no groups.
Result<Histories> stored_histories(const Model& model, const std::vector<std::string>& group_keys);

struct HistoryTable {
    std::vector<std::string> paths;
    std::string group_column;  // empty: the column called "group", or the only one
    std::string
        item_column;  // empty: groups of the model are meant; else the rows are their histories
};

/// Groups named by a table: stored ones by key, or any with the items the table gives them.
/// Returns an error if: the table cannot be read or lacks a column.
Result<Histories> table_histories(const Model& model, const HistoryTable& table);

/// Rows [begin, end) on their own.
SparseMatrix rows_between(const SparseView& matrix, std::size_t begin, std::size_t end);

}  // namespace segue::cli
