#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

/// Rows that were read and are in no entry, each counted under the first reason that holds.
struct DroppedRows {
    std::uint64_t null_group = 0;
    std::uint64_t null_item = 0;
    std::uint64_t null_title = 0;
    std::uint64_t item_key_not_positive = 0;
    std::uint64_t null_weight = 0;
    std::uint64_t weight_not_positive = 0;
    std::uint64_t null_time = 0;
    /// Against known vocabularies only (read_known_rows).
    std::uint64_t unknown_group = 0;
    std::uint64_t unknown_item = 0;
    /// Under Duplicates::kPair the weights of these rows are in the sum of their pair all the same.
    std::uint64_t duplicates = 0;
    std::uint64_t rare_item = 0;
    std::uint64_t group_too_small = 0;
    std::uint64_t group_too_large = 0;

    std::uint64_t total() const {
        return null_group + null_item + null_title + item_key_not_positive + null_weight +
               weight_not_positive + null_time + unknown_group + unknown_item + duplicates +
               rare_item + group_too_small + group_too_large;
    }
};

/// A column nobody named: "group" is read from `column`.
struct ColumnGuess {
    std::string role;
    std::string column;
};

/// What reading and cleaning did. rows_read = rows_kept + dropped.total().
struct IngestReport {
    std::uint64_t rows_read = 0;
    std::uint64_t rows_kept = 0;
    DroppedRows dropped;
    /// Lines of lists or baskets in which there is no item.
    std::uint64_t lists_without_items = 0;

    std::uint64_t num_groups = 0;
    std::uint64_t num_items = 0;
    /// Distinct (group, item) pairs.
    std::uint64_t num_entries = 0;
    std::uint64_t num_rare_items = 0;
    std::uint64_t num_small_groups = 0;
    std::uint64_t num_large_groups = 0;

    /// Rows of the second table, and those whose key is no item of the first.
    std::uint64_t item_rows_read = 0;
    std::uint64_t item_rows_unknown = 0;
    /// Kept items without a title; 0 when there is no title column.
    std::uint64_t items_without_title = 0;

    std::vector<ColumnGuess> guesses;
    double read_seconds = 0;
    double clean_seconds = 0;
};

}  // namespace segue
