#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "data/vocabulary.h"
#include "ingest/item_texts.h"
#include "ingest/key_numbers.h"

namespace segue {

/// Numbers of rows, groups and items are 32 bits wide; the last two are kept for "none" and "one
/// more".
inline constexpr std::size_t kMostRows = std::numeric_limits<std::uint32_t>::max() - 1;

/// Rows as read, in the order of the input: keys numbered by first appearance, values beside them.
struct RawRows {
    KeyNumbers groups;
    KeyNumbers items;
    std::vector<std::uint32_t> group_rows;  // [num_rows]
    std::vector<std::uint32_t> item_rows;   // [num_rows]
    std::vector<double> weights;            // [num_rows], or empty without a weight column
    std::vector<double> times;              // [num_rows], or empty without a time column

    /// Columns of text about items: the title first when there is one.
    std::vector<std::string> attribute_names;
    std::vector<ItemTexts> attributes;  // [attribute_names.size()]
    /// Numbers of the text of each row, one vector for each attribute read from this table; kept
    /// only when rows are compared whole (Duplicates::kRow).
    std::vector<Vocabulary> row_texts;
    std::vector<std::vector<std::uint32_t>> row_text_numbers;

    std::size_t size() const { return group_rows.size(); }
};

}  // namespace segue
