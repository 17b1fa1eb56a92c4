#include "pipeline/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"

namespace segue {
namespace {

constexpr std::size_t kNumGenres = 5;
constexpr std::uint32_t kItemsOfGenre = 20;

/// Every group likes one genre and has 10 of its items and one of any other.
Dataset planted_genres(std::size_t num_groups) {
    Dataset dataset;
    Random random(5);
    std::vector<Triplet> entries;
    for (std::size_t item = 0; item < kNumGenres * kItemsOfGenre; ++item) {
        dataset.items.insert("item" + std::to_string(item));
    }
    for (std::uint32_t group = 0; group < num_groups; ++group) {
        dataset.groups.insert("group" + std::to_string(group));
        const auto first = static_cast<std::uint32_t>(random.below(kNumGenres)) * kItemsOfGenre;
        std::set<std::uint32_t> items = {
            static_cast<std::uint32_t>(random.below(kNumGenres * kItemsOfGenre))};
        while (items.size() < 11) {
            items.insert(first + static_cast<std::uint32_t>(random.below(kItemsOfGenre)));
        }
        for (const std::uint32_t item : items) {
            entries.push_back({group, item, 1});
        }
    }
    dataset.interactions = sparse_from_triplets(num_groups, kNumGenres * kItemsOfGenre, entries);
    return dataset;
}

double metric_of(const ModelReport& model, std::string_view name) {
    const auto found =
        std::ranges::find_if(model.metrics, [&](const Metric& m) { return m.name == name; });
    EXPECT_NE(found, model.metrics.end()) << name;
    return found == model.metrics.end() ? -1 : found->value;
}

Result<EvaluateReport> evaluate_genres(const EvaluateParams& params, unsigned num_threads) {
    const Result<DatasetSplit> split = split_dataset(planted_genres(400), SplitSpec{});
    EXPECT_TRUE(split.ok());
    ThreadPool pool(num_threads);
    return evaluate_recipes(split->train, split->test.view(), params, pool);
}

TEST(EvaluateRecipes, puts_the_baselines_first_and_finds_planted_genres) {
    EvaluateParams params;
    params.recipes = {"ials", "cooc", "ials"};
    params.fit.dim = 16;
    params.item_to_item = true;
    const Result<EvaluateReport> report = evaluate_genres(params, 2);
    ASSERT_TRUE(report.ok()) << report.status().message();
    ASSERT_EQ(report->models.size(), 3u);
    EXPECT_EQ(report->models[0].recipe, "popularity");
    EXPECT_EQ(report->models[1].recipe, "cooc");
    EXPECT_EQ(report->models[2].recipe, "ials");
    const double popular = metric_of(report->models[0], "recall@20");
    EXPECT_LT(popular, 0.5);
    for (const std::size_t model : {1, 2}) {
        EXPECT_GT(metric_of(report->models[model], "recall@20"), 0.8);
        EXPECT_GT(metric_of(report->models[model], "item_hr@20"),
                  metric_of(report->models[0], "item_hr@20"));
        EXPECT_GT(metric_of(report->models[model], "coverage@20"), 0.9);
    }
    EXPECT_EQ(report->num_groups, 400u);
    EXPECT_EQ(report->models[0].train_seconds, 0);
}

TEST(EvaluateRecipes, gives_the_same_figures_for_any_number_of_threads) {
    EvaluateParams params;
    params.fit.dim = 16;
    const Result<EvaluateReport> one = evaluate_genres(params, 1);
    const Result<EvaluateReport> three = evaluate_genres(params, 3);
    ASSERT_TRUE(one.ok() && three.ok());
    for (std::size_t model = 0; model < one->models.size(); ++model) {
        for (const Metric& metric : one->models[model].metrics) {
            EXPECT_EQ(metric_of(three->models[model], metric.name), metric.value) << metric.name;
        }
    }
}

TEST(EvaluateRecipes, refuses_unknown_recipes_and_lengths_of_zero) {
    EvaluateParams params;
    params.recipes = {"bogus"};
    const Result<EvaluateReport> report = evaluate_genres(params, 1);
    ASSERT_FALSE(report.ok());
    EXPECT_NE(report.status().message().find("bogus"), std::string::npos);
    params.recipes = {"cooc"};
    params.judge.ks = {0};
    EXPECT_FALSE(evaluate_genres(params, 1).ok());
}

TEST(EvaluateReport, is_written_as_one_json_object) {
    EvaluateReport report;
    ModelReport model;
    model.recipe = "popularity";
    model.metrics = {{"recall@20", 0.25}, {"mrr", 0.5}};
    model.evaluate_seconds = 0.125;
    model.group_lists.num_groups = 3;
    report.models.push_back(model);
    report.num_groups = 4;
    report.num_items = 5;
    report.counts.train_entries = 6;
    report.counts.test_entries = 7;
    report.counts.test_groups = 3;
    EXPECT_EQ(to_json(report),
              R"({"models":[{"recipe":"popularity","metrics":{"recall@20":0.25,"mrr":0.5},)"
              R"("train_seconds":0,"evaluate_seconds":0.125,"judged_groups":3}],)"
              R"("train":{"groups":4,"items":5,"rows":6},)"
              R"("test":{"groups":3,"rows":7,"dropped_unseen_items":0,)"
              R"("dropped_unseen_groups":0,"dropped_known_pairs":0}})");
}

}  // namespace
}  // namespace segue
