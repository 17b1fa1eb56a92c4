#include "pipeline/linear_defaults.h"

#include <algorithm>

namespace segue {

namespace {

/// Found on validation parts of six data sets (docs/numerics.md): the longer the groups, the more
/// pairs are together by chance.
constexpr double kRidgePerGroupSize = 2;
constexpr double kSmallestRidge = 100;
constexpr double kDropout = 0.7;
constexpr double kGroupExponent = 0.4;
constexpr double kDiagonal = 0.5;
constexpr double kBalance = 0;

constexpr std::size_t kLowRankDim = 256;
/// Of a small table that many vectors are most of what there is.
constexpr std::size_t kSizePerVector = 16;

}  // namespace

double ease_balance(const RecipeParams& params) {
    return params.ease.balance.value_or(kBalance);
}

EaseParams ease_params(const RecipeParams& params, const SparseView& interactions) {
    const auto groups = static_cast<double>(std::max<std::size_t>(1, interactions.num_rows));
    const auto entries = static_cast<double>(interactions.num_entries());
    EaseParams ease;
    ease.ridge =
        params.ease.ridge.value_or(std::max(kSmallestRidge, kRidgePerGroupSize * entries / groups));
    ease.dropout = params.ease.dropout.value_or(kDropout);
    ease.group_exponent = params.ease.group_exponent.value_or(kGroupExponent);
    ease.diagonal = params.ease.diagonal.value_or(kDiagonal);
    return ease;
}

GraphFilterParams graph_filter_params(const RecipeParams& params, const SparseView& interactions) {
    const GraphFilterOptions& told = params.graph_filter;
    GraphFilterParams filter;
    filter.seed = params.seed;
    filter.group_exponent = told.group_exponent.value_or(0.5);
    filter.item_exponent = told.item_exponent.value_or(0.45);
    filter.low_rank_weight = told.low_rank_weight.value_or(0.3);
    const std::size_t size = std::min(interactions.num_rows, interactions.num_columns);
    filter.low_rank_dim = told.low_rank_dim
                              ? *told.low_rank_dim
                              : std::clamp(size / kSizePerVector, std::size_t{1}, kLowRankDim);
    filter.sharpening = told.sharpening.value_or(1);
    return filter;
}

}  // namespace segue
