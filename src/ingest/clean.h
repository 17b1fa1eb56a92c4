#pragma once

#include "data/dataset.h"
#include "ingest/entries.h"
#include "ingest/options.h"
#include "ingest/raw_rows.h"
#include "ingest/report.h"

namespace segue {

/// Which items and groups stay. The one pass of the blueprint, not repeated until nothing changes:
/// items with enough rows; then groups with a fit number of rows of such items; then the rows of
/// both. Afterwards an item may have fewer rows than asked for. What is dropped is counted in
/// `report`.
struct KeptRows {
    std::vector<bool> items;   // [num_items] enough rows
    std::vector<bool> groups;  // [num_groups] a fit size
};
KeptRows filter_entries(const Entries& entries, std::size_t num_items, const IngestOptions& options,
                        IngestReport& report);

/// Drops rows of items without a title when titles came from a second table and are needed.
void drop_untitled_rows(const IngestOptions& options, RawRows& rows, IngestReport& report);

/// The entries that stay as a Dataset: groups and items without any are left out, the others keep
/// their order.
Dataset build_dataset(RawRows rows, Entries entries, const KeptRows& kept,
                      const IngestOptions& options, IngestReport& report);

}  // namespace segue
