#include "pipeline/evaluate.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/json_writer.h"
#include "base/stopwatch.h"
#include "eval/model_lists.h"
#include "eval/popularity.h"
#include "model/model.h"
#include "recommend/recommend.h"

namespace segue {

namespace {

constexpr std::string_view kPopularity = "popularity";

/// What is trained on and judged by.
struct Trial {
    const Dataset& train;
    const SparseView& test;
    const EvaluateParams& params;
    ThreadPool& pool;
    const ProgressListener& progress;
};

/// The baselines, then the recipes asked for, each once.
std::vector<std::string> with_baselines(const std::vector<std::string>& asked) {
    std::vector<std::string> recipes = {std::string(kPopularity),
                                        std::string(name_of(Recipe::kCooc))};
    for (const std::string& recipe : asked) {
        if (std::ranges::find(recipes, recipe) == recipes.end()) {
            recipes.push_back(recipe);
        }
    }
    return recipes;
}

Status judge_lists(const Trial& trial, const GroupListMaker& group_lists,
                   const ItemListMaker& item_lists, ModelReport& report) {
    const SparseView train = trial.train.interactions.view();
    const JudgeOptions& options = trial.params.judge;
    Result<Judgement> groups =
        judge_group_lists(group_lists, train, trial.test, options, trial.pool, trial.progress);
    if (!groups.ok()) {
        return groups.status();
    }
    report.group_lists = std::move(groups).value();
    report.metrics = report.group_lists.metrics;
    if (!trial.params.item_to_item) {
        return Status();
    }
    Result<Judgement> items =
        judge_item_lists(item_lists, train, trial.test, options, trial.pool, trial.progress);
    if (!items.ok()) {
        return items.status();
    }
    report.item_lists = std::move(items).value();
    report.metrics.insert(report.metrics.end(), report.item_lists.metrics.begin(),
                          report.item_lists.metrics.end());
    return Status();
}

Result<ModelReport> judge_popularity(const Trial& trial) {
    ModelReport report;
    const Stopwatch watch;
    const SparseView train = trial.train.interactions.view();
    const Status status =
        judge_lists(trial, popularity_group_lists(train), popularity_item_lists(train), report);
    report.evaluate_seconds = watch.seconds();
    return status.ok() ? Result<ModelReport>(std::move(report)) : Result<ModelReport>(status);
}

Result<ModelReport> judge_recipe(const Trial& trial, Recipe recipe) {
    RecipeParams params = trial.params.fit;
    params.recipe = recipe;
    Stopwatch watch;
    Result<FittedRecipe> fitted = fit_recipe(trial.train, params, trial.pool, trial.progress);
    if (!fitted.ok()) {
        return fitted.status();
    }
    ModelReport report;
    report.train_seconds = watch.seconds();
    report.warnings = std::move(fitted->report.warnings);
    // The judge speaks of the rows of the training table, the model of its own.
    SEGUE_ASSERT(fitted->parts.items.size() == trial.train.items.size());
    watch.restart();
    const Model model = Model::from_parts(std::move(fitted->parts));
    const Recommender recommender(model);
    const Status status = judge_lists(trial, recommended_group_lists(recommender),
                                      recommended_item_lists(recommender), report);
    report.evaluate_seconds = watch.seconds();
    return status.ok() ? Result<ModelReport>(std::move(report)) : Result<ModelReport>(status);
}

void write_model(JsonWriter& json, const ModelReport& model) {
    json.begin_object().key("recipe").value(model.recipe).key("metrics").begin_object();
    for (const Metric& metric : model.metrics) {
        json.key(metric.name).value(metric.value);
    }
    json.end_object();
    json.key("train_seconds").value(model.train_seconds);
    json.key("evaluate_seconds").value(model.evaluate_seconds);
    json.key("judged_groups").value(static_cast<std::uint64_t>(model.group_lists.num_groups));
    if (!model.warnings.empty()) {
        json.key("warnings").begin_array();
        for (const std::string& warning : model.warnings) {
            json.value(warning);
        }
        json.end_array();
    }
    json.end_object();
}

}  // namespace

Status EvaluateParams::validate() const {
    for (const std::string& recipe : recipes) {
        if (recipe != kPopularity && !recipe_by_name(recipe).ok()) {
            return invalid_argument(fmt::format(
                "recipe '{}' is unknown; expected popularity, ials, cooc or blueprint", recipe));
        }
    }
    const Status status = judge.validate();
    return status.ok() ? fit.validate() : status;
}

Result<EvaluateReport> evaluate_recipes(const Dataset& train, const SparseView& test,
                                        const EvaluateParams& params, ThreadPool& pool,
                                        const ProgressListener& progress) {
    const Status status = params.validate();
    if (!status.ok()) {
        return status;
    }
    EvaluateReport report;
    report.num_groups = train.groups.size();
    report.num_items = train.items.size();
    const Trial trial{train, test, params, pool, progress};
    for (const std::string& name : with_baselines(params.recipes)) {
        Result<ModelReport> model = name == kPopularity
                                        ? judge_popularity(trial)
                                        : judge_recipe(trial, *recipe_by_name(name));
        if (!model.ok()) {
            return model.status().with_context(fmt::format("recipe {}", name));
        }
        model->recipe = name;
        report.models.push_back(std::move(model).value());
    }
    return report;
}

std::string to_json(const EvaluateReport& report) {
    JsonWriter json;
    json.begin_object().key("models").begin_array();
    for (const ModelReport& model : report.models) {
        write_model(json, model);
    }
    json.end_array();
    json.key("train").begin_object();
    json.key("groups").value(static_cast<std::uint64_t>(report.num_groups));
    json.key("items").value(static_cast<std::uint64_t>(report.num_items));
    json.key("rows").value(report.counts.train_entries).end_object();
    json.key("test").begin_object();
    json.key("groups").value(report.counts.test_groups);
    json.key("rows").value(report.counts.test_entries);
    json.key("dropped_unseen_items").value(report.counts.dropped_unseen_items);
    json.key("dropped_unseen_groups").value(report.counts.dropped_unseen_groups);
    json.key("dropped_known_pairs").value(report.dropped_known_pairs).end_object();
    return json.end_object().take();
}

}  // namespace segue
