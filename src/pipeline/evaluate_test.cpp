#include "pipeline/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/planted_genres.h"

namespace segue {
namespace {

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

TEST(EvaluateRecipes, compares_every_recipe_with_the_best_by_an_interval) {
    EvaluateParams params;
    params.recipes = {"cooc"};
    params.item_to_item = true;
    const Result<EvaluateReport> report = evaluate_genres(params, 2);
    ASSERT_TRUE(report.ok()) << report.status().message();
    for (const char* metric : {"recall@20", "ndcg@20", "item_hr@20", "item_ndcg@20"}) {
        const Comparison* of_popularity = report->models[0].comparison(metric);
        const Comparison* of_cooc = report->models[1].comparison(metric);
        ASSERT_TRUE(of_popularity != nullptr && of_cooc != nullptr) << metric;
        EXPECT_EQ(of_popularity->best, "cooc") << metric;
        EXPECT_LT(of_popularity->difference.high, 0) << metric;
        EXPECT_NEAR(of_popularity->difference.mean,
                    metric_of(report->models[0], metric) - metric_of(report->models[1], metric),
                    1e-12);
        EXPECT_TRUE(of_cooc->difference.is_tie());
    }
    EXPECT_EQ(report->models[0].comparison("mrr"), nullptr);
    EXPECT_TRUE(report->models[0].group_lists.group_values.empty());
    params.judge.keep_group_values = true;
    const Result<EvaluateReport> keeping = evaluate_genres(params, 2);
    ASSERT_TRUE(keeping.ok());
    EXPECT_EQ(group_values_of(keeping->models[0].group_lists, "recall@20").size(),
              keeping->models[0].group_lists.num_groups);
}

TEST(EvaluateRecipes, follows_the_popularity_knob) {
    EvaluateParams params;
    params.recipes = {"cooc"};
    params.item_to_item = true;
    params.popularity_curve = true;
    const Result<EvaluateReport> report = evaluate_genres(params, 2);
    ASSERT_TRUE(report.ok()) << report.status().message();
    EXPECT_TRUE(report->models[0].popularity_curve.empty());
    const std::vector<CurvePoint>& curve = report->models[1].popularity_curve;
    ASSERT_EQ(curve.size(), std::size(kCurveExponents));
    EXPECT_EQ(std::ranges::count_if(curve, &CurvePoint::is_default), 1);
    for (const CurvePoint& point : curve) {
        if (point.is_default) {
            EXPECT_EQ(point.hit_rate, metric_of(report->models[1], "item_hr@20"));
            EXPECT_EQ(point.coverage, metric_of(report->models[1], "item_coverage@20"));
        }
    }
    EXPECT_GT(curve.front().popularity, curve.back().popularity);
}

TEST(BestPoint, is_the_most_accurate_one_that_covers_enough) {
    const std::vector<CurvePoint> curve = {{.exponent = 0, .ndcg = 0.3, .coverage = 0.5},
                                           {.exponent = 0.5, .ndcg = 0.2, .coverage = 0.9},
                                           {.exponent = 1, .ndcg = 0.1, .coverage = 0.95}};
    EXPECT_EQ(best_point(curve)->exponent, 0);
    EXPECT_EQ(best_point(curve, 0.9)->exponent, 0.5);
    EXPECT_EQ(best_point(curve, 0.99), nullptr);
}

TEST(EvaluateRecipes, shows_the_same_examples_of_every_recipe) {
    EvaluateParams params;
    params.recipes = {"cooc"};
    params.num_examples = 12;
    const Result<EvaluateReport> report = evaluate_genres(params, 2);
    ASSERT_TRUE(report.ok()) << report.status().message();
    const std::vector<ItemExample>& popular = report->models[0].examples;
    const std::vector<ItemExample>& counted = report->models[1].examples;
    ASSERT_EQ(popular.size(), 12u);
    ASSERT_EQ(counted.size(), 12u);
    for (std::size_t at = 0; at < counted.size(); ++at) {
        EXPECT_EQ(popular[at].item_row, counted[at].item_row);
        EXPECT_GE(counted[0].frequency, counted[at].frequency);
        ASSERT_FALSE(counted[at].neighbours.empty());
        for (const ItemExample::Neighbour& neighbour : counted[at].neighbours) {
            EXPECT_NE(neighbour.item_row, counted[at].item_row);
            EXPECT_GT(neighbour.together, 0u);
            EXPECT_LE(neighbour.together, std::min(neighbour.frequency, counted[at].frequency));
        }
    }
}

TEST(EvaluateRecipes, judges_the_recipe_that_was_chosen_like_any_other) {
    EvaluateParams params;
    params.recipes = {"auto"};
    const Result<EvaluateReport> report = evaluate_genres(params, 2);
    ASSERT_TRUE(report.ok()) << report.status().message();
    const ModelReport& chosen = report->models.back();
    EXPECT_EQ(chosen.recipe, "auto");
    params.recipes = {chosen.chosen};
    const Result<EvaluateReport> named = evaluate_genres(params, 2);
    ASSERT_TRUE(named.ok()) << named.status().message();
    const auto same = std::ranges::find(named->models, chosen.chosen, &ModelReport::recipe);
    ASSERT_NE(same, named->models.end());
    EXPECT_EQ(metric_of(chosen, "recall@20"), metric_of(*same, "recall@20"));
    EXPECT_EQ(chosen.title(), "auto (" + chosen.chosen + ")");
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
    model.comparisons = {{"recall@20", "cooc", {-0.5, -0.75, -0.25}}};
    model.popularity_curve = {{0.5, true, 0.25, 0.125, 1, 8}};
    report.longest_k = 20;
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
              R"("against_best":{"recall@20":{"best":"cooc","difference":-0.5,"low":-0.75,)"
              R"("high":-0.25,"tie":false}},)"
              R"("popularity_curve":[{"exponent":0.5,"default":true,"item_hr@20":0.25,)"
              R"("item_ndcg@20":0.125,"item_coverage@20":1,"item_popularity@20":8}],)"
              R"("train_seconds":0,"evaluate_seconds":0.125,"judged_groups":3}],)"
              R"("train":{"groups":4,"items":5,"rows":6},)"
              R"("test":{"groups":3,"rows":7,"dropped_unseen_items":0,)"
              R"("dropped_unseen_groups":0,"dropped_known_pairs":0}})");
}

}  // namespace
}  // namespace segue
