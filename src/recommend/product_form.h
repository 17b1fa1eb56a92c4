#pragma once

// Pair scores that are products of what each of the two items is and how often they are together:
// sums of those need no pairs to be counted.

#include <optional>

#include "cooc/pair_scores.h"

namespace segue {

/// score(i, j) = f_i^own * f_j^other * c_w with groups weighted n^group.
struct ProductForm {
    double own = 0;
    double other = 0;
    double group = 0;
};

/// Nothing for scores that are no such product.
std::optional<ProductForm> product_form(const PairScoreParams& params);

}  // namespace segue
