#pragma once

// For tests only: a Dataset as text one can write down.

#include <string>

#include "data/dataset.h"
#include "tables/test_files.h"

namespace segue::testing {

/// "A: 1 2*3 | B: 1": groups in order, items ascending by number, values other than 1 behind a
/// star.
inline std::string to_text(const SparseView& matrix, const Vocabulary& groups,
                           const Vocabulary& items) {
    std::string text;
    for (std::size_t group = 0; group < matrix.num_rows; ++group) {
        text.append(group == 0 ? "" : " | ").append(groups[group]).append(":");
        for (std::size_t entry = 0; entry < matrix.row_size(group); ++entry) {
            text.append(" ").append(items[matrix.row_columns(group)[entry]]);
            if (!matrix.values.empty() && matrix.row_values(group)[entry] != 1) {
                std::string value = std::to_string(matrix.row_values(group)[entry]);
                value.erase(value.find_last_not_of('0') + 1);
                text.append("*").append(value.back() == '.' ? value.substr(0, value.size() - 1)
                                                            : value);
            }
        }
    }
    return text;
}

inline std::string to_text(const Dataset& dataset) {
    return to_text(dataset.interactions.view(), dataset.groups, dataset.items);
}

}  // namespace segue::testing
