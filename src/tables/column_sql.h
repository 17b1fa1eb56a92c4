#pragma once

#include <string>

#include "base/status.h"
#include "tables/table_reader.h"

namespace segue {

/// The cell of a column as an expression of SQL, and what comes out of it.
struct ColumnExpression {
    std::string sql;
    ColumnView::Kind kind = ColumnView::Kind::kText;
};

/// Returns an error if: cells of that type cannot be used so.
Result<ColumnExpression> expression_of(const ColumnInfo& column, ColumnUse use);

/// The type to read a field of JSON as: text where DuckDB would take what looks like a date or a
/// number for one.
std::string json_type_of(const ColumnInfo& column, ColumnUse use);

}  // namespace segue
