#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sparse.h"
#include "data/string_table.h"
#include "data/vocabulary.h"

namespace segue {

/// Columns of text about items (title, artist, ...), row for row with the items. A missing value is
/// empty. The column called "title" is what people search by; it is the first one when there is
/// any.
struct Attributes {
    std::vector<std::string> names;
    std::vector<StringTable> columns;  // [names.size()], each [num_items]
};

/// Groups x items as read and cleaned. Items and groups are numbered in the order they first appear
/// in the input; groups and items without any kept row are not in it.
struct Dataset {
    Vocabulary groups;
    Vocabulary items;
    /// [groups x items]. Values are the sums of the weight column, or how often a pair occurred
    /// where duplicates are kept; no values when all are 1.
    SparseMatrix interactions;
    /// Whether the values of `interactions` count rows (duplicates kept) rather than weigh them.
    bool values_are_counts = false;
    /// [num_entries] the time of each entry (the latest of its rows), or empty without a time
    /// column.
    std::vector<double> times;
    /// [num_entries] the place of each entry within its group in input order, from 0; empty unless
    /// asked for.
    std::vector<std::uint32_t> positions;
    Attributes attributes;
};

}  // namespace segue
