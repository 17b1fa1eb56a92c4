#pragma once

// How far recipes that answer by lists hold popular items down. How the defaults were found is in
// docs/numerics.md.

#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/fit.h"

namespace segue {

/// Exponents of the frequency of the item offered.
struct PopularityExponents {
    double of_groups = 0;  // of several items too
    double of_items = 0;   // of one item asked about alone, and of the stored lists
};

/// Told, or the recipe's defaults. Requires: the recipe answers by lists.
PopularityExponents popularity_exponents(const RecipeParams& params);

/// [frequencies.size()] frequency^-exponent, what scores are multiplied by.
std::vector<float> popularity_factors(std::span<const std::uint32_t> frequencies, double exponent);

}  // namespace segue
