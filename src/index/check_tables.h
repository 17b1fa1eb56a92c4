#pragma once

#include "base/status.h"
#include "data/matrix.h"
#include "index_build/index_tables.h"

namespace segue {

/// Checks everything in the tables that searches address memory with or divide by. Returns an error
/// as LeafIndex::open says.
Status check_tables(const IndexTables& tables, const MatrixView& items);

}  // namespace segue
