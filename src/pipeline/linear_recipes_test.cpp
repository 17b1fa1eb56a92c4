// ease and graph-filter from a table to answers.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "pipeline/evaluate.h"
#include "pipeline/fitted_lists.h"
#include "pipeline/planted_genres.h"
#include "train/dense_weights.h"
#include "train/linear_model.h"

namespace segue {
namespace {

constexpr Recipe kLinearRecipes[] = {Recipe::kEase, Recipe::kGraphFilter};

FittedRecipe fit_planted(const RecipeParams& params) {
    ThreadPool pool(2);
    Result<FittedRecipe> fitted = fit_recipe(planted_genres(200), params, pool);
    EXPECT_TRUE(fitted.ok()) << fitted.status().message();
    return std::move(fitted).value();
}

RecipeParams params_of(Recipe recipe) {
    RecipeParams params;
    params.recipe = recipe;
    params.graph_filter.low_rank_dim = 8;
    return params;
}

TEST(LinearRecipes, balance_weights_by_the_frequencies_of_both_items) {
    const Dataset dataset = planted_genres(200);
    const std::size_t num_items = dataset.items.size();
    RecipeParams params = params_of(Recipe::kEase);
    params.keep_uncut = true;
    const FittedRecipe plain = fit_planted(params);
    const auto& weights = dynamic_cast<const DenseWeights&>(*plain.uncut).weights();
    params.ease.balance = 0.3;
    const FittedLists balanced(fit_planted(params));
    const std::vector<std::uint32_t> groups = {5};
    SparseMatrix asked;
    asked.num_columns = num_items;
    asked.num_rows = 1;
    asked.columns = {2, 40};
    asked.offsets.push_back(2);
    ThreadPool pool(1);
    const Result<Neighbours> lists =
        balanced.for_groups()({groups, asked.view(), num_items - 2}, pool);
    ASSERT_TRUE(lists.ok()) << lists.status().message();
    ASSERT_GT(lists->item_rows.size(), 10u);
    const std::vector<std::uint32_t>& frequencies = plain.parts.item_frequencies;
    for (std::size_t place = 0; place < lists->item_rows.size(); ++place) {
        const std::uint32_t offered = lists->item_rows[place];
        double expected = 0;
        for (const std::uint32_t own : asked.columns) {
            expected += static_cast<double>(weights.row(own)[offered]) *
                        std::pow(frequencies[own] / static_cast<double>(frequencies[offered]), 0.3);
        }
        EXPECT_NEAR(lists->scores[place], expected, 1e-5) << place;
    }
}

TEST(LinearRecipes, store_lists_as_one_item_is_answered_and_add_them_up_as_groups_are) {
    const Dataset dataset = planted_genres(200);
    const SparseView histories = dataset.interactions.view();
    const std::vector<std::uint32_t> groups = {0, 7, 30};
    const std::vector<std::uint32_t> items = {3, 50};
    ThreadPool pool(2);
    for (const Recipe recipe : kLinearRecipes) {
        RecipeParams params = params_of(recipe);
        params.num_weights = dataset.items.size();
        params.popularity_exponent = 0.1;
        params.item_popularity_exponent = -0.3;
        const FittedLists stored(fit_planted(params));
        EXPECT_EQ(stored.model().info().popularity_exponent, 0.1);
        EXPECT_EQ(stored.model().info().item_popularity_exponent, -0.3);
        params.keep_uncut = true;
        const FittedLists uncut(fit_planted(params));
        SparseMatrix asked;
        asked.num_rows = groups.size();
        asked.num_columns = histories.num_columns;
        for (const std::uint32_t group : groups) {
            const auto own = histories.row_columns(group);
            asked.columns.insert(asked.columns.end(), own.begin(), own.end());
            asked.offsets.push_back(asked.columns.size());
        }
        const GroupListRequest request = {groups, asked.view(), 5};
        const std::pair<Result<Neighbours>, Result<Neighbours>> answers[] = {
            {stored.for_groups()(request, pool), uncut.for_groups(0.1)(request, pool)},
            {stored.for_items()(items, 4, pool), uncut.for_items(-0.3)(items, 4, pool)},
            {stored.for_items(0.2)(items, 4, pool), uncut.for_items(0.2)(items, 4, pool)}};
        for (const auto& [left, right] : answers) {
            ASSERT_TRUE(left.ok() && right.ok()) << left.status().message();
            ASSERT_EQ(left->offsets, right->offsets);
            for (std::size_t entry = 0; entry < left->scores.size(); ++entry) {
                ASSERT_NEAR(left->scores[entry], right->scores[entry],
                            1e-4F * (1 + std::abs(right->scores[entry])));
            }
        }
    }
}

TEST(LinearRecipes, answer_by_stored_lists_as_by_all_they_learnt_where_nothing_is_cut) {
    const Dataset dataset = planted_genres(200);
    const SparseView histories = dataset.interactions.view();
    ThreadPool pool(2);
    for (const Recipe recipe : kLinearRecipes) {
        RecipeParams params = params_of(recipe);
        params.num_weights = dataset.items.size();
        const FittedLists stored(fit_planted(params));
        params.keep_uncut = true;
        const FittedLists uncut(fit_planted(params));
        EXPECT_EQ(uncut.model().neighbours().item_rows.size(), 0u);
        std::vector<std::uint32_t> rows(histories.num_rows);
        for (std::uint32_t row = 0; row < rows.size(); ++row) {
            rows[row] = row;
        }
        const GroupListRequest request = {rows, histories, 5};
        const Result<Neighbours> left = stored.for_groups()(request, pool);
        const Result<Neighbours> right = uncut.for_groups()(request, pool);
        ASSERT_TRUE(left.ok() && right.ok()) << left.status().message();
        ASSERT_EQ(left->offsets, right->offsets);
        for (std::size_t entry = 0; entry < left->scores.size(); ++entry) {
            ASSERT_NEAR(left->scores[entry], right->scores[entry], 1e-4F);
        }
        const std::vector<std::uint32_t> items = {3, 50};
        for (const double exponent : {0.0, 0.5}) {
            const Result<Neighbours> of_stored = stored.for_items(exponent)(items, 4, pool);
            const Result<Neighbours> of_uncut = uncut.for_items(exponent)(items, 4, pool);
            ASSERT_TRUE(of_stored.ok() && of_uncut.ok());
            EXPECT_EQ(of_stored->item_rows, of_uncut->item_rows) << exponent;
        }
    }
}

TEST(LinearRecipes, keep_two_hundred_weights_with_their_evidence_through_a_bundle) {
    for (const Recipe recipe : kLinearRecipes) {
        const FittedRecipe fitted = fit_planted(params_of(recipe));
        const std::string path =
            testing::TempDir() + std::string(name_of(recipe)) + "_weights.segue";
        ASSERT_TRUE(write_bundle(fitted.parts, path, true).ok());
        const Result<Model> model = Model::open(path);
        ASSERT_TRUE(model.ok()) << model.status().message();
        EXPECT_EQ(model->info().recipe, name_of(recipe));
        EXPECT_EQ(model->info().pair_score.name, kStoredWeights);
        const Recommender recommender(*model);
        Query query;
        query.items = {{std::string(model->item_keys()[3]), 1},
                       {std::string(model->item_keys()[4]), 1}};
        query.k = 5;
        const Result<Answer> answer = recommender.answer(query);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        ASSERT_EQ(answer->results.size(), 5u);
        EXPECT_EQ(answer->source, AnswerSource::kNeighbours);
        for (const ScoredRow& row : answer->results) {
            EXPECT_EQ(row.item_row / 20, 0u);  // of the same genre
            const std::optional<Evidence> evidence = recommender.evidence(3, row.item_row);
            ASSERT_TRUE(evidence);
            EXPECT_GT(evidence->together, 0u);
        }
    }
}

TEST(LinearRecipes, are_judged_by_all_they_learnt_or_by_their_lists) {
    const Result<DatasetSplit> split = split_dataset(planted_genres(200), SplitSpec{});
    ASSERT_TRUE(split.ok());
    ThreadPool pool(2);
    EvaluateParams params;
    params.recipes = {"ease", "graph-filter"};
    params.fit.graph_filter.low_rank_dim = 8;
    params.fit.num_weights = 3;
    std::vector<double> recalls;
    for (const bool cut : {false, true}) {
        params.cut_lists = cut;
        const Result<EvaluateReport> report =
            evaluate_recipes(split->train, split->test.view(), params, pool);
        ASSERT_TRUE(report.ok()) << report.status().message();
        for (const std::size_t model : {2, 3}) {
            recalls.push_back(report->models[model].metrics.front().value);
        }
    }
    for (const std::size_t model : {0, 1}) {
        EXPECT_GT(recalls[model], 0.8);
        EXPECT_LT(recalls[model + 2], recalls[model]);
    }
}

}  // namespace
}  // namespace segue
