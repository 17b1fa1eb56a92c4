#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace segue {

enum class TableFormat {
    /// A table with columns, its kind told by the file name.
    kAuto,
    /// Lines of "group item item ...", parted by white space.
    kLists,
    /// Lines of "item item ..."; the group is the number of the line, from 1.
    kBaskets,
};

/// What becomes of rows that say the same thing twice.
enum class Duplicates {
    /// A (group, item) counts once; weights of its rows are added.
    kPair,
    /// Only rows equal in every column read are dropped (the blueprint's SELECT DISTINCT over list,
    /// track, title and
    /// artist): one item under two spellings of its title stays two rows.
    kRow,
    /// Every row counts.
    kKeep,
};

/// What to read and how to clean it. The steps of cleaning are those of docs/numerics.md, in the
/// order of the fields of DroppedRows; by default only rows without a group or an item and repeated
/// pairs go.
struct IngestOptions {
    /// Files or globs of one format; a query over them, or over anything DuckDB reads (see
    /// TableSource).
    std::vector<std::string> tables;
    std::string sql;
    TableFormat format = TableFormat::kAuto;

    /// Empty names of group, item and title are guessed and the guesses reported; empty weight and
    /// time mean there is none. Names like column0 for group and item mean CSV files without a
    /// header.
    std::string group_column;
    std::string item_column;
    std::string weight_column;
    std::string time_column;
    std::string title_column;
    bool guess_title = true;
    /// Further columns of text about items. They and the title are looked for in `items_table`
    /// first. Of several values for an item the greatest is taken, in the order of bytes (the
    /// blueprint's MAX).
    std::vector<std::string> attribute_columns;
    /// A second table with one row an item; empty for none. Its key column is guessed when empty.
    std::string items_table;
    std::string item_key_column;

    Duplicates duplicates = Duplicates::kPair;
    /// Items in fewer rows are dropped, counted once over all rows left after duplicates.
    std::uint32_t min_item_frequency = 1;
    /// Groups with fewer or more rows of items that stay are dropped; 0 for the maximum means no
    /// limit.
    std::uint32_t min_group_size = 1;
    std::uint32_t max_group_size = 0;
    /// Drops rows without a title, as the blueprint does. Needs a title column.
    bool drop_null_titles = false;
    /// Drops rows whose item key is a whole number below 1, as the blueprint does.
    bool positive_item_keys = false;
    /// Fills Dataset::positions.
    bool want_positions = false;

    /// 0 means one for each core. The result does not depend on it.
    unsigned num_threads = 0;
    /// For DuckDB; 0 leaves its own limit.
    std::uint64_t memory_limit_bytes = 0;

    /// Returns an error if: there is nothing to read, or options contradict each other.
    Status validate() const;
};

}  // namespace segue
