#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/options.h"
#include "ingest/report.h"
#include "tables/table_reader.h"

namespace segue {

/// An attribute wanted, and the column of a table it is in when it is there.
struct AttributeColumn {
    std::string name;
    std::optional<std::size_t> in_rows;
    std::optional<std::size_t> in_items;
};

/// Where everything that is read lies: numbers of columns of the main table and of the table of
/// items.
struct RowColumns {
    std::size_t group = 0;
    std::size_t item = 0;
    std::optional<std::size_t> weight;
    std::optional<std::size_t> time;
    std::optional<std::size_t> item_key;
    /// The title first when there is one.
    std::vector<AttributeColumn> attributes;
    bool has_title = false;
};

/// Finds or guesses the columns. `items` is null without a second table; `rows` has columns even
/// for lists, then it is null and group and item mean nothing. Returns an error if: a column is
/// missing, or there is no title and rows without one are to be dropped.
Result<RowColumns> choose_columns(const IngestOptions& options, const Table* rows,
                                  const Table* items, std::vector<ColumnGuess>& guesses);

}  // namespace segue
