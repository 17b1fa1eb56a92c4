#pragma once

// Lists of fitted models for the judge.

#include <optional>

#include "data/matrix.h"
#include "eval/judge.h"
#include "recommend/recommend.h"

namespace segue {

/// What `recommender` offers to histories; an exponent replaces the model's default. Views the
/// recommender.
GroupListMaker recommended_group_lists(const Recommender& recommender,
                                       std::optional<double> popularity_exponent = std::nullopt);

/// What `recommender` holds similar to items. Views the recommender.
ItemListMaker recommended_item_lists(const Recommender& recommender,
                                     std::optional<double> popularity_exponent = std::nullopt);

/// The items of largest dot product with the factors of the group itself [num_groups x dim], as
/// they are in the midst of training; items are [num_items x dim]. Views both.
GroupListMaker factor_group_lists(const MatrixView& group_factors, const MatrixView& item_factors);

}  // namespace segue
