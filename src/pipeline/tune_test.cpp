#include "pipeline/tune.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "pipeline/planted_genres.h"

namespace segue {
namespace {

TuneParams cooc_params(std::size_t num_trials) {
    TuneParams params;
    params.recipe.recipe = Recipe::kCooc;
    params.num_trials = num_trials;
    params.max_seconds = 1000;
    return params;
}

Result<TuneReport> tune(const Dataset& dataset, const TuneParams& params,
                        unsigned num_threads = 2) {
    ThreadPool pool(num_threads);
    return tune_recipe(dataset, params, pool);
}

TEST(TuneRecipe, tries_as_many_settings_as_told_and_halves_them) {
    const Dataset dataset = planted_genres(4000);
    const Result<TuneReport> report = tune(dataset, cooc_params(6));
    ASSERT_TRUE(report.ok()) << report.status().message();
    ASSERT_EQ(report->trials.size(), 6u);
    EXPECT_EQ(report->num_fits, 6u + 3u + 2u);
    EXPECT_FALSE(report->time_was_up);
    std::multiset<double> shares;
    std::set<std::size_t> numbers;
    for (const TuneTrial& trial : report->trials) {
        shares.insert(trial.share_of_groups);
        numbers.insert(trial.number);
        EXPECT_LE(trial.share_of_groups, report->best().share_of_groups);
    }
    EXPECT_EQ(shares, (std::multiset<double>{0.25, 0.25, 0.25, 0.5, 1, 1}));
    EXPECT_EQ(numbers.size(), 6u);
    EXPECT_EQ(report->defaults().share_of_groups, 1);
    EXPECT_GE(report->best().score.rank(), report->defaults().score.rank());
}

TEST(TuneRecipe, judges_few_groups_on_a_part_more_in_each_round) {
    const Result<TuneReport> report = tune(planted_genres(300), cooc_params(4));
    ASSERT_TRUE(report.ok()) << report.status().message();
    EXPECT_EQ(report->num_fits, 4u + 2u + 1u);
    EXPECT_EQ(report->best().num_parts, 3u);
    for (const TuneTrial& trial : report->trials) {
        EXPECT_EQ(trial.share_of_groups, 1);
    }
    const Result<TuneReport> larger = tune(planted_genres(2000), cooc_params(2));
    ASSERT_TRUE(larger.ok()) << larger.status().message();
    EXPECT_EQ(larger->num_fits, 2u + 1u);
    EXPECT_EQ(larger->best().num_parts, 1u);
}

TEST(TuneRecipe, tries_the_regimes_of_a_recipe_after_its_defaults) {
    TuneParams params;
    params.recipe.recipe = Recipe::kEase;
    params.num_trials = 4;
    params.fixed = {"balance"};
    Result<TuneReport> report = tune(planted_genres(100), params);
    ASSERT_TRUE(report.ok()) << report.status().message();
    std::ranges::sort(report->trials, {}, &TuneTrial::number);
    const std::vector<std::pair<std::string, double>>& defaults = report->trials[0].values;
    const std::span<const RecipeRegime> regimes = registered(Recipe::kEase).regimes;
    ASSERT_GE(regimes.size(), 2u);
    for (std::size_t at = 0; at < 2; ++at) {
        std::vector<std::pair<std::string, double>> expected = defaults;
        for (auto& [name, value] : expected) {
            for (const auto& [option, told] : regimes[at].settings) {
                value = name == option ? told : value;
            }
        }
        EXPECT_NE(expected, defaults);
        EXPECT_EQ(report->trials[at + 1].values, expected);
    }
}

TEST(TuneRecipe, finds_what_bad_defaults_miss) {
    TuneParams params = cooc_params(12);
    // Popular items are pushed out of every list.
    params.recipe.pair_score.other_exponent = 2;
    params.recipe.pair_score.group_exponent = -2;
    const Result<TuneReport> report = tune(planted_genres(300), params);
    ASSERT_TRUE(report.ok()) << report.status().message();
    EXPECT_GT(report->best().score.rank(), report->defaults().score.rank());
    EXPECT_NE(report->best().number, 0u);
}

TEST(TuneRecipe, leaves_what_was_told_as_it_is) {
    TuneParams params = cooc_params(5);
    params.fixed = {"own-exponent"};
    params.recipe.pair_score.own_exponent = 0.9;
    const Result<TuneReport> report = tune(planted_genres(200), params);
    ASSERT_TRUE(report.ok()) << report.status().message();
    for (const TuneTrial& trial : report->trials) {
        EXPECT_TRUE(std::ranges::none_of(
            trial.values, [](const auto& value) { return value.first == "own-exponent"; }));
        EXPECT_EQ(with_values(params.recipe, trial).pair_score.own_exponent, 0.9);
    }
}

TEST(TuneRecipe, stays_in_the_ranges_of_the_registry) {
    const Result<TuneReport> report = tune(planted_genres(100), cooc_params(40));
    ASSERT_TRUE(report.ok()) << report.status().message();
    for (const TuneTrial& trial : report->trials) {
        for (const auto& [name, value] : trial.values) {
            const RecipeOption& option = *find_option(Recipe::kCooc, name);
            EXPECT_GE(value, option.low * 0.99) << name;
            EXPECT_LE(value, option.high * 1.01) << name;
        }
    }
}

TEST(TuneRecipe, is_the_same_for_any_number_of_threads) {
    const Dataset dataset = planted_genres(200);
    const Result<TuneReport> one = tune(dataset, cooc_params(5), 1);
    const Result<TuneReport> three = tune(dataset, cooc_params(5), 3);
    ASSERT_TRUE(one.ok() && three.ok());
    for (std::size_t at = 0; at < one->trials.size(); ++at) {
        EXPECT_EQ(one->trials[at].values, three->trials[at].values);
        EXPECT_EQ(one->trials[at].score.recall, three->trials[at].score.recall);
    }
}

TEST(TuneRecipe, stops_between_trials_when_the_time_is_up) {
    TuneParams params = cooc_params(50);
    params.max_seconds = 1e-9;
    const Result<TuneReport> report = tune(planted_genres(100), params);
    ASSERT_TRUE(report.ok()) << report.status().message();
    EXPECT_TRUE(report->time_was_up);
    EXPECT_EQ(report->num_fits, 1u);
    EXPECT_EQ(report->best().number, 0u);
    EXPECT_GT(report->best().score.recall, 0);
}

TEST(TuneRecipe, refuses_no_trials_no_time_and_unknown_names) {
    const Dataset dataset = planted_genres(50);
    TuneParams params = cooc_params(0);
    EXPECT_FALSE(tune(dataset, params).ok());
    params = cooc_params(2);
    params.max_seconds = 0;
    EXPECT_FALSE(tune(dataset, params).ok());
    params = cooc_params(2);
    params.fixed = {"bogus"};
    EXPECT_FALSE(tune(dataset, params).ok());
    params.fixed.clear();
    for (const RecipeOption& option : registered(Recipe::kCooc).options) {
        params.fixed.emplace_back(option.name);
    }
    EXPECT_FALSE(tune(dataset, params).ok());
}

}  // namespace
}  // namespace segue
