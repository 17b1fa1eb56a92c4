#include "ingest/options.h"

#include <fmt/core.h>

namespace segue {

Status IngestOptions::validate() const {
    if (tables.empty() && sql.empty()) {
        return invalid_argument("there is no table and no query to read");
    }
    if (format != TableFormat::kAuto) {
        if (!sql.empty()) {
            return invalid_argument("files of lists cannot be read through a query");
        }
        if (!group_column.empty() || !item_column.empty() || !weight_column.empty() ||
            !time_column.empty()) {
            return invalid_argument("files of lists have no columns to name");
        }
        if (items_table.empty() && (!title_column.empty() || !attribute_columns.empty())) {
            return invalid_argument("titles for lists come from a second table: say --items");
        }
    }
    if (items_table.empty() && !item_key_column.empty()) {
        return invalid_argument("an item key column is named, but no table of items");
    }
    if (max_group_size != 0 && max_group_size < min_group_size) {
        return invalid_argument(fmt::format("groups of {} to {} rows: no size is left",
                                            min_group_size, max_group_size));
    }
    return Status();
}

}  // namespace segue
