#include "cooc/row_query.h"

#include <algorithm>
#include <cmath>

namespace segue {

RowAccumulator make_row_scratch(std::size_t num_items) {
    return RowAccumulator(num_items, CellKind::kSums);
}

PairRow count_row(const SparseView& interactions, const SparseView& interactions_by_item,
                  std::uint32_t item_row, const RowCountParams& params, RowAccumulator& scratch) {
    const std::span<const std::uint32_t> groups = interactions_by_item.row_columns(item_row);
    std::uint64_t num_updates = 0;
    for (const std::uint32_t group : groups) {
        num_updates += interactions.row_size(group);
    }
    scratch.begin(num_updates);
    const bool multiply = params.values_are_counts && !interactions.values.empty();
    const std::span<const float> own_values = interactions_by_item.row_values(item_row);
    for (std::size_t place = 0; place < groups.size(); ++place) {
        const std::span<const std::uint32_t> partners = interactions.row_columns(groups[place]);
        const double weight =
            std::pow(static_cast<double>(partners.size()), -params.group_exponent);
        if (multiply) {
            scratch.add(partners, interactions.row_values(groups[place]),
                        static_cast<double>(own_values[place]), weight);
        } else {
            scratch.add(partners, weight);
        }
    }
    return scratch.finish(item_row, 0);
}

double together_count(const SparseView& interactions_by_item, std::uint32_t left_row,
                      std::uint32_t right_row, bool values_are_counts) {
    // Search for the groups of the rarer item, each from where the one before was found.
    if (interactions_by_item.row_size(left_row) > interactions_by_item.row_size(right_row)) {
        std::swap(left_row, right_row);
    }
    const std::span<const std::uint32_t> left = interactions_by_item.row_columns(left_row);
    const std::span<const std::uint32_t> right = interactions_by_item.row_columns(right_row);
    const std::span<const float> left_values = interactions_by_item.row_values(left_row);
    const std::span<const float> right_values = interactions_by_item.row_values(right_row);
    const bool multiply = values_are_counts && !left_values.empty();
    double together = 0;
    auto from = right.begin();
    for (std::size_t place = 0; place < left.size(); ++place) {
        from = std::lower_bound(from, right.end(), left[place]);
        if (from == right.end()) {
            break;
        }
        if (*from == left[place]) {
            const auto right_place = static_cast<std::size_t>(from - right.begin());
            together += multiply ? static_cast<double>(left_values[place]) *
                                       static_cast<double>(right_values[right_place])
                                 : 1;
        }
    }
    return together;
}

}  // namespace segue
