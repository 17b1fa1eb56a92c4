#pragma once

// `segue evaluate`: from tables to the table of figures.

#include <optional>
#include <string>
#include <vector>

#include "ingest/ingest.h"
#include "pipeline/evaluate.h"

namespace segue {

/// Tables of lists made elsewhere: of groups with the columns "group", "item" and "score", as
/// `segue recommend` writes them, of items with "item", "neighbour" and "score", as `segue
/// neighbours` does.
struct GivenTables {
    std::string name;
    std::string of_groups;
    std::string of_items;  // empty for none
};

struct EvaluateOptions {
    /// The whole table, or the training part where `test_tables` is given.
    IngestOptions ingest;
    /// Read as `ingest.tables` are; rows of groups and items that the training part does not have
    /// are counted and left out, and so are pairs that it has. Empty: the table is split.
    std::vector<std::string> test_tables;
    /// Only without test_tables.
    SplitSpec split;
    /// Replace `params.given`.
    std::vector<GivenTables> given;
    EvaluateParams params;
    /// A .csv, .jsonl or .parquet file of what every group came to (per_group_table.h); empty for
    /// none.
    std::string per_group_path;
    bool overwrite = false;
    unsigned num_threads = 0;  // 0: one for each core
};

/// What reading said.
struct EvaluateInput {
    IngestReport table;
    std::optional<IngestReport> test;  // of test_tables
};

/// `input` may be null. Returns an error if: a table cannot be read, nothing is held out, a recipe
/// fails, or the table of groups cannot be written.
Result<EvaluateReport> evaluate_tables(const EvaluateOptions& options,
                                       const ProgressListener& progress = {},
                                       EvaluateInput* input = nullptr);

}  // namespace segue
