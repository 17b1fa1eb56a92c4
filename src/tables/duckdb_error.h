#pragma once

#include <string_view>

#include "base/status.h"

namespace segue {

/// A Status of one line out of a message of DuckDB: its kind decides the code; the file, line and
/// finding are kept; advice about options Segue does not have, and echoes of the SQL, are left out.
Status status_of_duckdb_error(std::string_view message);

}  // namespace segue
