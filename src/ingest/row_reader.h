#pragma once

#include "base/progress.h"
#include "base/status.h"
#include "ingest/options.h"
#include "ingest/raw_rows.h"
#include "ingest/report.h"
#include "tables/session.h"

namespace segue {

/// Reads the table, query or lists of `options` and numbers their keys; rows without a key, a
/// needed title, a weight above 0 or a time are counted in `report` and left out. Titles and
/// attributes come along, from the second table when it has them. Returns an error if: a table
/// cannot be read, a column is missing, or a weight or time is no finite number (the message names
/// the row).
Result<RawRows> read_rows(Session& session, const IngestOptions& options,
                          const ProgressListener& listener, IngestReport& report);

}  // namespace segue
