#include "pipeline/popularity_defaults.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

constexpr Recipe kListRecipes[] = {Recipe::kCooc, Recipe::kEase, Recipe::kGraphFilter};

TEST(PopularityExponents, let_popular_items_through_sooner_for_one_item_than_for_groups) {
    for (const Recipe recipe : kListRecipes) {
        RecipeParams params;
        params.recipe = recipe;
        const PopularityExponents usual = popularity_exponents(params);
        EXPECT_LT(usual.of_items, usual.of_groups) << name_of(recipe);
    }
}

TEST(PopularityExponents, are_what_was_told_one_for_both_or_each) {
    for (const Recipe recipe : kListRecipes) {
        RecipeParams params;
        params.recipe = recipe;
        params.popularity_exponent = 0.25;
        EXPECT_EQ(popularity_exponents(params).of_groups, 0.25);
        EXPECT_EQ(popularity_exponents(params).of_items, 0.25);
        params.item_popularity_exponent = -1;
        EXPECT_EQ(popularity_exponents(params).of_groups, 0.25);
        EXPECT_EQ(popularity_exponents(params).of_items, -1);
    }
}

TEST(PopularityExponents, are_one_for_scores_that_judge_popularity_themselves) {
    RecipeParams params;
    params.recipe = Recipe::kCooc;
    params.pair_score.score = PairScore::kLogLikelihoodRatio;
    const PopularityExponents exponents = popularity_exponents(params);
    EXPECT_EQ(exponents.of_items, exponents.of_groups);
}

TEST(PopularityFactors, are_powers_of_the_frequency_and_1_for_what_nobody_has) {
    const std::vector<std::uint32_t> frequencies = {0, 1, 4};
    EXPECT_EQ(popularity_factors(frequencies, 0.5), (std::vector<float>{1, 1, 0.5F}));
    EXPECT_EQ(popularity_factors(frequencies, -0.5), (std::vector<float>{1, 1, 2}));
}

}  // namespace
}  // namespace segue
