#include "pipeline/recipe_registry.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "data/sparse.h"

namespace segue {
namespace {

SparseMatrix small_table() {
    const std::vector<Triplet> entries = {{0, 0, 1}, {0, 1, 1}, {1, 1, 1}, {1, 2, 1}, {2, 0, 1}};
    return sparse_from_triplets(3, 3, entries);
}

TEST(RecipeRegistry, knows_every_recipe_by_its_name) {
    for (const RecipeEntry& entry : recipe_registry()) {
        const Result<Recipe> recipe = recipe_by_name(entry.name);
        ASSERT_TRUE(recipe.ok()) << entry.name;
        EXPECT_EQ(*recipe, entry.recipe);
        EXPECT_EQ(name_of(entry.recipe), entry.name);
        EXPECT_EQ(&registered(entry.recipe), &entry);
        EXPECT_NE(names_of_recipes().find(entry.name), std::string::npos);
    }
}

TEST(RecipeRegistry, sets_and_reads_back_every_option_within_its_range) {
    const SparseMatrix table = small_table();
    for (const RecipeEntry& entry : recipe_registry()) {
        for (const RecipeOption& option : entry.options) {
            RecipeParams params;
            params.recipe = entry.recipe;
            EXPECT_LT(option.low, option.high) << option.name;
            EXPECT_TRUE(option.scale == OptionScale::kLinear || option.low > 0) << option.name;
            EXPECT_FALSE(option.meaning.empty()) << option.name;
            for (const double value : {option.low, option.high}) {
                ASSERT_TRUE(set_option(params, option.name, value).ok()) << option.name;
                EXPECT_EQ(option.value(params, table.view()), value) << option.name;
                EXPECT_TRUE(params.validate().ok()) << entry.name << " " << option.name;
            }
        }
    }
}

TEST(RecipeRegistry, has_regimes_of_options_there_are_within_their_ranges) {
    for (const RecipeEntry& entry : recipe_registry()) {
        for (const RecipeRegime& regime : entry.regimes) {
            EXPECT_FALSE(regime.settings.empty()) << entry.name;
            for (const auto& [name, value] : regime.settings) {
                const RecipeOption* const option = find_option(entry.recipe, name);
                ASSERT_NE(option, nullptr) << entry.name << " " << name;
                EXPECT_FALSE(option->of_single_items) << name;
                EXPECT_GE(value, option->low) << name;
                EXPECT_LE(value, option->high) << name;
            }
        }
    }
}

TEST(RecipeRegistry, refuses_options_a_recipe_does_not_have_and_what_is_no_number) {
    RecipeParams params;
    params.recipe = Recipe::kCooc;
    EXPECT_FALSE(set_option(params, "dim", 64).ok());
    EXPECT_FALSE(set_option(params, "own-exponent", std::numeric_limits<double>::quiet_NaN()).ok());
    EXPECT_EQ(find_option(Recipe::kIals, "own-exponent"), nullptr);
}

TEST(RecipeRegistry, says_what_each_recipe_costs) {
    const SparseMatrix table = small_table();
    for (const RecipeEntry& entry : recipe_registry()) {
        RecipeParams params;
        params.recipe = entry.recipe;
        const RecipeCost cost = estimated_cost(params, table.view());
        EXPECT_GT(cost.bytes, 0u) << entry.name;
        EXPECT_GT(cost.core_seconds, 0) << entry.name;
    }
}

}  // namespace
}  // namespace segue
