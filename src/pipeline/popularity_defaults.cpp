#include "pipeline/popularity_defaults.h"

#include <algorithm>
#include <cmath>

#include "pipeline/linear_defaults.h"

namespace segue {

namespace {

constexpr double kCoocItemExponent = 0;
constexpr double kEaseItemExponent = -0.6;
constexpr double kGraphFilterItemExponent = -0.4;

}  // namespace

PopularityExponents popularity_exponents(const RecipeParams& params) {
    const bool counts_pairs = params.recipe == Recipe::kCooc;
    PopularityExponents exponents;
    const double built_in = counts_pairs                     ? params.pair_score.other_exponent
                            : params.recipe == Recipe::kEase ? ease_balance(params)
                                                             : 0;
    exponents.of_groups = params.popularity_exponent.value_or(built_in);
    double usual = counts_pairs                     ? kCoocItemExponent
                   : params.recipe == Recipe::kEase ? kEaseItemExponent
                                                    : kGraphFilterItemExponent;
    // Other scores than the conditional one have an idea of popularity of their own.
    if (params.popularity_exponent ||
        (counts_pairs && params.pair_score.score != PairScore::kConditional)) {
        usual = exponents.of_groups;
    }
    exponents.of_items = params.item_popularity_exponent.value_or(usual);
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
