#include "pipeline/popularity_defaults.h"

#include <algorithm>
#include <cmath>

#include "pipeline/linear_defaults.h"

namespace segue {

namespace {

constexpr double kCoocItemExponent = 0;
constexpr double kEaseItemExponent = -0.6;
constexpr double kGraphFilterItemExponent = -0.4;

/// Where no exponent is told.
PopularityExponents usual_exponents(const RecipeParams& params) {
    const PairScoreParams& pairs = params.pair_score;
    switch (params.recipe) {
        case Recipe::kCooc:
            // Other scores than the conditional one have an idea of popularity of their own.
            return {pairs.other_exponent, pairs.score == PairScore::kConditional
                                              ? kCoocItemExponent
                                              : pairs.other_exponent};
        case Recipe::kEase:
            return {ease_balance(params), kEaseItemExponent};
        default:
            return {0, kGraphFilterItemExponent};
    }
}

}  // namespace

PopularityExponents popularity_exponents(const RecipeParams& params) {
    PopularityExponents exponents = usual_exponents(params);
    if (params.popularity_exponent) {
        exponents = {*params.popularity_exponent, *params.popularity_exponent};
    }
    exponents.of_items = params.item_popularity_exponent.value_or(exponents.of_items);
    return exponents;
}

std::vector<float> popularity_factors(std::span<const std::uint32_t> frequencies, double exponent) {
    std::vector<float> factors;
    factors.reserve(frequencies.size());
    for (const std::uint32_t frequency : frequencies) {
        const double at_least_one = std::max(1.0, static_cast<double>(frequency));
        factors.push_back(static_cast<float>(std::pow(at_least_one, -exponent)));
    }
    return factors;
}

}  // namespace segue
