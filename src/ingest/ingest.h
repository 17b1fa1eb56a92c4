#pragma once

// Tables in: from files and queries to groups x items.

#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "data/dataset.h"
#include "ingest/options.h"
#include "ingest/report.h"

namespace segue {

struct IngestedData {
    Dataset dataset;
    IngestReport report;
};

/// Reads and cleans. Groups and items are numbered by the order in which they first appear in the
/// rows that have what is needed; the same for any number of threads. Returns an error if: the
/// options are wrong, DuckDB cannot be loaded, a table cannot be read, or no row is left.
Result<IngestedData> ingest(const IngestOptions& options, const ProgressListener& listener);

/// A second table laid over the numbers of a first: the test part of an evaluation.
struct KnownRows {
    /// [groups x items] of the vocabularies given, values as in Dataset.
    SparseMatrix interactions;
    std::vector<double> times;  // [num_entries], or empty without a time column
    /// rows_read = rows_kept + dropped.total(), unknown groups and items among the dropped.
    IngestReport report;
};

/// Reads a table as ingest() does, but onto known groups and items: rows of others are counted and
/// left out. Of the options that clean, those about sizes and frequencies and everything about
/// titles are not used. No row left is no error.
Result<KnownRows> read_known_rows(const IngestOptions& options, const Vocabulary& groups,
                                  const Vocabulary& items, const ProgressListener& listener);

}  // namespace segue
