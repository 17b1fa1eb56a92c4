#pragma once

// The two sources besides a table of rows: lines of lists, and a second table of items.

#include "base/progress.h"
#include "base/status.h"
#include "ingest/raw_rows.h"
#include "ingest/report.h"
#include "ingest/row_columns.h"
#include "tables/table_reader.h"

namespace segue {

/// Lines of lists (their first key is the group) or baskets (the number of the line is) as rows.
Status read_lists(const Table& table, bool group_is_first, const ProgressListener& listener,
                  IngestReport& report, RawRows& rows);

/// Titles and attributes of the items read, out of the second table.
Status read_items(const Table& table, const RowColumns& columns, IngestReport& report,
                  RawRows& rows);

}  // namespace segue
