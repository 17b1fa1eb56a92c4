#pragma once

// Settings of the recipes that are linear maps of a history, told or worked out from the table. How
// they were found, and what they reach on which data, is in docs/numerics.md.

#include <cstddef>

#include "data/sparse.h"
#include "pipeline/fit.h"
#include "train/ease.h"
#include "train/graph_filter.h"

namespace segue {

/// Weights of an item that a bundle holds when nothing is said.
inline constexpr std::size_t kWeightsOfAnItem = 200;

/// How far weights are held against the frequencies of both items; not a matter of training.
double ease_balance(const RecipeParams& params);

EaseParams ease_params(const RecipeParams& params, const SparseView& interactions);

GraphFilterParams graph_filter_params(const RecipeParams& params, const SparseView& interactions);

}  // namespace segue
