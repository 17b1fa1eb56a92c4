#pragma once

// What every single group came to under every recipe, as a table for people's own statistics.

#include <string>

#include "base/status.h"
#include "data/vocabulary.h"
#include "pipeline/evaluate.h"

namespace segue {

/// Writes a row for each recipe and judged group to a .csv, .jsonl or .parquet file (TableWriter
/// has all names): recipe, group, then the metrics that are means over groups, those of single
/// items behind, empty where the group asked with none. Groups come in the order of the training
/// part. Requires: the report kept its group values, `groups` are those of the training part.
/// Returns an error if: the name tells no format, the file is there and `overwrite` is false, or
/// it cannot be written.
Status write_per_group(const EvaluateReport& report, const Vocabulary& groups,
                       const std::string& path, bool overwrite);

}  // namespace segue
