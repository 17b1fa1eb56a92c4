#include "pipeline/linear_defaults.h"

#include <algorithm>
#include <cmath>

namespace segue {

EaseParams ease_params(const RecipeParams& params, const SparseView& interactions) {
    const auto items = static_cast<double>(std::max<std::size_t>(1, interactions.num_columns));
    const auto entries = static_cast<double>(interactions.num_entries());
    EaseParams ease;
    ease.ridge = params.ease.ridge.value_or(std::max(1.0, 10 * entries / items));
    ease.dropout = params.ease.dropout.value_or(0);
    ease.group_exponent = params.ease.group_exponent.value_or(0);
    return ease;
}

GraphFilterParams graph_filter_params(const RecipeParams& params, const SparseView& interactions) {
    const GraphFilterOptions& told = params.graph_filter;
    GraphFilterParams filter;
    filter.seed = params.seed;
    filter.group_exponent = told.group_exponent.value_or(0.5);
    filter.item_exponent = told.item_exponent.value_or(0.5);
    filter.low_rank_weight = told.low_rank_weight.value_or(0.2);
    filter.low_rank_dim = std::min<std::size_t>(told.low_rank_dim.value_or(256),
                                                std::max<std::size_t>(1, interactions.num_columns));
    filter.sharpening = told.sharpening.value_or(1);
    return filter;
}

}  // namespace segue
