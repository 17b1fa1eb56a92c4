#include "pipeline/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "base/random.h"
#include "cooc/pair_scores.h"
#include "pipeline/ials_defaults.h"

namespace segue {
namespace {

/// Six genres of twenty songs; every list is drawn from one genre.
Dataset planted_lists(std::uint64_t seed) {
    Dataset dataset;
    Random random(seed);
    std::vector<Triplet> entries;
    StringTable titles;
    for (std::uint32_t list = 0; list < 240; ++list) {
        const std::uint32_t group = dataset.groups.insert("list" + std::to_string(list));
        for (std::uint32_t song = 0; song < 20; ++song) {
            if (random.uniform() < 0.4) {
                const std::string key = std::to_string(list % 6 * 20 + song);
                const std::size_t known = dataset.items.size();
                const std::uint32_t item = dataset.items.insert(key);
                if (item == known) {
                    titles.append("song " + key);
                }
                entries.push_back({group, item, 1});
            }
        }
    }
    dataset.interactions =
        sparse_from_triplets(dataset.groups.size(), dataset.items.size(), entries);
    dataset.attributes.names = {"title"};
    dataset.attributes.columns.push_back(titles);
    return dataset;
}

RecipeParams params_of(Recipe recipe) {
    RecipeParams params;
    params.recipe = recipe;
    params.num_neighbours = 10;
    if (recipe != Recipe::kCooc) {
        params.dim = 8;
    }
    return params;
}

int genre_of(const Dataset& dataset, std::uint32_t item_row) {
    return std::stoi(std::string(dataset.items[item_row])) / 20;
}

class FitForEveryRecipe : public testing::TestWithParam<Recipe> {};

TEST_P(FitForEveryRecipe, neighbours_are_of_the_same_genre_and_carry_their_evidence) {
    const Dataset dataset = planted_lists(3);
    ThreadPool pool(2);
    const Result<FittedRecipe> fitted = fit_recipe(dataset, params_of(GetParam()), pool);
    ASSERT_TRUE(fitted.ok()) << fitted.status().message();
    const NeighboursView lists = fitted->parts.neighbours.view();
    ASSERT_EQ(lists.num_items(), dataset.items.size());
    const SparseView table = dataset.interactions.view();
    for (std::uint32_t item = 0; item < lists.num_items(); ++item) {
        ASSERT_EQ(lists.list_size(item), 10u);
        for (std::uint64_t k = lists.offsets[item]; k < lists.offsets[item + 1]; ++k) {
            const std::uint32_t other = lists.item_rows[k];
            EXPECT_NE(other, item);
            EXPECT_EQ(genre_of(dataset, other), genre_of(dataset, item));
            std::uint32_t together = 0;
            for (std::size_t group = 0; group < table.num_rows; ++group) {
                const auto columns = table.row_columns(group);
                const std::set<std::uint32_t> has(columns.begin(), columns.end());
                together += has.count(item) != 0 && has.count(other) != 0 ? 1 : 0;
            }
            EXPECT_EQ(lists.together[k], together);
        }
    }
}

TEST_P(FitForEveryRecipe, model_answers_with_the_same_bytes_for_any_number_of_threads) {
    const Dataset dataset = planted_lists(4);
    ThreadPool one(1);
    const Result<FittedRecipe> expected = fit_recipe(dataset, params_of(GetParam()), one);
    ASSERT_TRUE(expected.ok());
    for (const unsigned threads : {2u, 5u}) {
        ThreadPool pool(threads);
        const Result<FittedRecipe> fitted = fit_recipe(dataset, params_of(GetParam()), pool);
        ASSERT_TRUE(fitted.ok());
        EXPECT_EQ(fitted->parts.neighbours.item_rows, expected->parts.neighbours.item_rows);
        EXPECT_EQ(fitted->parts.neighbours.scores, expected->parts.neighbours.scores);
        EXPECT_EQ(fitted->parts.neighbours.together, expected->parts.neighbours.together);
        EXPECT_EQ(fitted->parts.info.parameters_json, expected->parts.info.parameters_json);
        const Matrix& vectors = fitted->parts.item_vectors;
        ASSERT_EQ(vectors.num_rows(), expected->parts.item_vectors.num_rows());
        for (std::size_t row = 0; row < vectors.num_rows(); ++row) {
            EXPECT_TRUE(
                std::ranges::equal(vectors.row(row), expected->parts.item_vectors.row(row)));
        }
    }
}

TEST_P(FitForEveryRecipe, report_tells_stages_and_sizes) {
    const Dataset dataset = planted_lists(5);
    ThreadPool pool(2);
    const Result<FittedRecipe> fitted = fit_recipe(dataset, params_of(GetParam()), pool);
    ASSERT_TRUE(fitted.ok());
    EXPECT_EQ(fitted->report.num_groups, 240u);
    EXPECT_EQ(fitted->report.num_items, 120u);
    EXPECT_EQ(fitted->report.num_interactions, dataset.interactions.num_entries());
    EXPECT_EQ(fitted->report.epochs.empty(), GetParam() == Recipe::kCooc);
    EXPECT_FALSE(fitted->report.stages.empty());
    EXPECT_EQ(fitted->parts.info.total_frequency, dataset.interactions.num_entries());
}

TEST_P(FitForEveryRecipe, bundle_of_equal_input_is_the_same_bytes) {
    const std::filesystem::path folder =
        std::filesystem::path(testing::TempDir()) / "segue_fit_test";
    std::filesystem::create_directories(folder);
    const Dataset dataset = planted_lists(6);
    std::string bytes[2];
    for (unsigned run = 0; run < 2; ++run) {
        ThreadPool pool(run + 1);
        const Result<FittedRecipe> fitted = fit_recipe(dataset, params_of(GetParam()), pool);
        ASSERT_TRUE(fitted.ok());
        const std::string path = (folder / "model.segue").string();
        ASSERT_TRUE(write_bundle(fitted->parts, path, true).ok());
        std::ifstream file(path, std::ios::binary);
        bytes[run].assign(std::istreambuf_iterator<char>(file), {});
    }
    EXPECT_EQ(bytes[0], bytes[1]);
    std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Fit, FitForEveryRecipe,
                         testing::Values(Recipe::kIals, Recipe::kCooc, Recipe::kBlueprint),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST(Fit, blueprint_embedding_is_row_factor_plus_column_factor) {
    // The weighted pairs are symmetric, but rows and columns start from different numbers; only
    // their sum is kept. The same training by hand must give it.
    const Dataset dataset = planted_lists(7);
    ThreadPool pool(1);
    RecipeParams params = params_of(Recipe::kBlueprint);
    params.min_relative_progress = 0;
    params.iterations = 3;
    const Result<FittedRecipe> fitted = fit_recipe(dataset, params, pool);
    ASSERT_TRUE(fitted.ok());
    std::vector<double> frequency(dataset.items.size(), 0);
    for (const std::uint32_t column : dataset.interactions.columns) {
        ++frequency[column];
    }
    const auto total = static_cast<double>(dataset.interactions.num_entries());
    std::vector<Triplet> entries;
    const SparseView table = dataset.interactions.view();
    for (std::uint32_t i = 0; i < dataset.items.size(); ++i) {
        for (std::uint32_t j = 0; j < dataset.items.size(); ++j) {
            double together = 0;
            for (std::size_t group = 0; group < table.num_rows; ++group) {
                const auto columns = table.row_columns(group);
                const std::set<std::uint32_t> has(columns.begin(), columns.end());
                together += has.count(i) != 0 && has.count(j) != 0 ? 1 : 0;
            }
            if (together > 0) {
                const double pmi =
                    pointwise_mutual_information(together, frequency[i], frequency[j], total);
                entries.push_back({i, j, static_cast<float>(together * pmi)});
            }
        }
    }
    AlsParams als;
    als.dim = 8;
    als.iterations = 3;
    als.loss = AlsLoss::kHu;
    als.alpha = 1;
    als.l2_reg = 1;
    const SparseMatrix pairs =
        sparse_from_triplets(dataset.items.size(), dataset.items.size(), entries);
    const Result<AlsModel> model = train_als(pairs.view(), als, pool);
    ASSERT_TRUE(model.ok());
    for (std::size_t item = 0; item < dataset.items.size(); ++item) {
        for (std::size_t i = 0; i < 8; ++i) {
            EXPECT_NEAR(fitted->parts.item_vectors.row(item)[i],
                        model->row_factors.row(item)[i] + model->column_factors.row(item)[i], 1e-4);
        }
    }
}

TEST(Fit, ials_defaults_follow_density_and_catalogue) {
    SparseMatrix dense;
    dense.num_rows = 1000;
    dense.num_columns = 10'000;
    dense.columns.resize(200'000);
    EXPECT_DOUBLE_EQ(default_ials_params(dense.view(), 32).unobserved_weight, 0.2);
    dense.columns.resize(1000);
    EXPECT_DOUBLE_EQ(default_ials_params(dense.view(), 32).unobserved_weight, 0.03);
    dense.num_columns = 10;
    EXPECT_DOUBLE_EQ(default_ials_params(dense.view(), 32).unobserved_weight, 0.3);
    const AlsParams params = default_ials_params(dense.view(), 32);
    EXPECT_EQ(params.dim, 32u);
    // lambda (n + a0 N) of a mean row times that of a mean column is 8.
    EXPECT_NEAR(params.l2_reg * params.l2_reg * (1 + 0.3 * 10) * (100 + 0.3 * 1000), 8, 1e-9);
    EXPECT_TRUE(default_ials_params(SparseMatrix().view(), 4).validate().ok());
}

TEST(Fit, stopping_on_recall_trains_on_everything_for_the_best_number_of_iterations) {
    const Dataset dataset = planted_lists(8);
    ThreadPool pool(2);
    RecipeParams params = params_of(Recipe::kIals);
    params.iterations = 30;
    params.stop_on_recall = true;
    const Result<FittedRecipe> stopped = fit_recipe(dataset, params, pool);
    ASSERT_TRUE(stopped.ok()) << stopped.status().message();
    ASSERT_LT(stopped->report.epochs.size(), 30u);
    params.stop_on_recall = false;
    params.iterations = static_cast<std::uint32_t>(stopped->report.epochs.size());
    const Result<FittedRecipe> plain = fit_recipe(dataset, params, pool);
    EXPECT_EQ(stopped->parts.neighbours.scores, plain->parts.neighbours.scores);
}

TEST(Fit, sharpness_by_support_is_stored_with_the_model) {
    const Dataset dataset = planted_lists(9);
    ThreadPool pool(1);
    RecipeParams params = params_of(Recipe::kCooc);
    EXPECT_EQ(fit_recipe(dataset, params, pool)->parts.info.pair_score.sharpness, 1);
    params.sharpness_from_support = true;
    EXPECT_GT(fit_recipe(dataset, params, pool)->parts.info.pair_score.sharpness, 1);
}

TEST(Fit, refuses_an_empty_table_and_wild_parameters) {
    ThreadPool pool(1);
    EXPECT_EQ(fit_recipe(Dataset(), params_of(Recipe::kIals), pool).status().code(),
              StatusCode::kInvalidArgument);
    RecipeParams params = params_of(Recipe::kIals);
    params.dim = 10'000'000;
    EXPECT_EQ(fit_recipe(planted_lists(1), params, pool).status().code(),
              StatusCode::kInvalidArgument);
    params = params_of(Recipe::kCooc);
    params.num_neighbours = 0;
    EXPECT_EQ(fit_recipe(planted_lists(1), params, pool).status().code(),
              StatusCode::kInvalidArgument);
    params = params_of(Recipe::kCooc);
    params.popularity_exponent = std::nan("");
    EXPECT_FALSE(fit_recipe(planted_lists(1), params, pool).ok());
}

TEST(Fit, takes_the_exponents_that_a_bundle_may_hold) {
    for (double PairScoreParams::*exponent :
         {&PairScoreParams::group_exponent, &PairScoreParams::own_exponent,
          &PairScoreParams::other_exponent}) {
        RecipeParams params = params_of(Recipe::kCooc);
        params.pair_score.*exponent = -2;
        EXPECT_TRUE(params.validate().ok());
        params.pair_score.*exponent = -2.01;
        EXPECT_EQ(params.validate().code(), StatusCode::kInvalidArgument);
    }
    RecipeParams params = params_of(Recipe::kIals);
    params.popularity_exponent = 2;
    EXPECT_TRUE(params.validate().ok());
    params.popularity_exponent = 2.01;
    EXPECT_EQ(params.validate().code(), StatusCode::kInvalidArgument);
}

TEST(Fit, does_not_start_when_the_result_could_not_be_written) {
    FitOptions options;
    options.ingest.tables = {"/no/such/table.csv"};
    options.out = "/no/such/folder/model.segue";
    const Result<FitReport> report = fit(options);
    ASSERT_FALSE(report.ok());
    EXPECT_NE(report.status().message().find("/no/such/folder"), std::string::npos)
        << report.status().message();
}

}  // namespace
}  // namespace segue
