#include "pipeline/evaluate.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "pipeline/choose_recipe.h"
#include "pipeline/judge_recipe.h"

namespace segue {

namespace {

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

/// The metrics that recipes are compared by: all where more is better for the one who is asked.
std::vector<std::string> compared_metrics(const EvaluateParams& params) {
    const std::size_t k = params.judge.ks.back();
    std::vector<std::string> names = {fmt::format("recall@{}", k), fmt::format("ndcg@{}", k)};
    if (params.item_to_item) {
        names.push_back(fmt::format("item_hr@{}", k));
        names.push_back(fmt::format("item_ndcg@{}", k));
    }
    return names;
}

/// Appends to each model that has the metric how far it is from the best one by it.
Status compare_by(const std::string& metric, const EvaluateParams& params, ThreadPool& pool,
                  std::vector<ModelReport>& models) {
    std::vector<ModelReport*> judged;
    std::vector<std::vector<double>> values;
    std::size_t best = 0;
    for (ModelReport& model : models) {
        const double* value = model.metric(metric);
        if (value == nullptr) {
            continue;
        }
        judged.push_back(&model);
        values.push_back(group_values_of(
            metric.starts_with("item_") ? model.item_lists : model.group_lists, metric));
        if (*value > *judged[best]->metric(metric)) {
            best = judged.size() - 1;
        }
    }
    const Result<std::vector<PairedDifference>> differences =
        paired_bootstrap(values, best, params.bootstrap, pool);
    if (!differences.ok()) {
        return differences.status().with_context(metric);
    }
    for (std::size_t row = 0; row < judged.size(); ++row) {
        judged[row]->comparisons.push_back({metric, judged[best]->recipe, (*differences)[row]});
    }
    return Status();
}

Status compare_models(const EvaluateParams& params, ThreadPool& pool,
                      std::vector<ModelReport>& models) {
    for (const std::string& metric : compared_metrics(params)) {
        if (Status status = compare_by(metric, params, pool, models); !status.ok()) {
            return status;
        }
    }
    return Status();
}

/// Values of single groups fill memory; they stay where they were asked for.
void drop_group_values(std::vector<ModelReport>& models) {
    for (ModelReport& model : models) {
        for (Judgement* judgement : {&model.group_lists, &model.item_lists}) {
            judgement->group_rows = {};
            judgement->group_metric_names = {};
            judgement->group_values = {};
        }
    }
}

/// Choosing counts as training.
Result<ModelReport> judge_chosen(const JudgeTask& task) {
    const Result<RecipeChoice> choice =
        choose_recipe(task.train, task.params.fit, {.max_seconds = task.params.choose_seconds},
                      task.pool, task.progress);
    if (!choice.ok()) {
        return choice.status();
    }
    Result<ModelReport> report = judge_recipe(task, choice->params);
    if (report.ok()) {
        report->recipe = kAutoRecipe;
        report->chosen = name_of(choice->winner);
        report->train_seconds += choice->seconds;
        report->warnings.insert(report->warnings.begin(), choice->warnings.begin(),
                                choice->warnings.end());
    }
    return report;
}

Result<ModelReport> judge_by_name(const JudgeTask& task, const std::string& name) {
    if (name == kPopularity) {
        return judge_popularity(task);
    }
    if (name == kAutoRecipe) {
        return judge_chosen(task);
    }
    const Result<Recipe> recipe = recipe_by_name(name);
    if (!recipe.ok()) {
        return recipe.status();
    }
    RecipeParams fit = task.params.fit;
    fit.recipe = *recipe;
    return judge_recipe(task, fit);
}

}  // namespace

std::string ModelReport::title() const {
    return chosen.empty() ? recipe : fmt::format("{} ({})", recipe, chosen);
}

const double* ModelReport::metric(std::string_view name) const {
    const auto found = std::ranges::find(metrics, name, &Metric::name);
    return found == metrics.end() ? nullptr : &found->value;
}

const Comparison* ModelReport::comparison(std::string_view name) const {
    const auto found = std::ranges::find(comparisons, name, &Comparison::metric);
    return found == comparisons.end() ? nullptr : &*found;
}

bool EvaluateReport::is_judged_by_name(const ModelReport& model) const {
    return !model.chosen.empty() && std::ranges::any_of(models, [&](const ModelReport& other) {
        return other.recipe == model.chosen;
    });
}

const CurvePoint* best_point(const std::vector<CurvePoint>& curve, double coverage) {
    const CurvePoint* best = nullptr;
    for (const CurvePoint& point : curve) {
        if (point.coverage >= coverage && (best == nullptr || point.ndcg > best->ndcg)) {
            best = &point;
        }
    }
    return best;
}

Status EvaluateParams::validate() const {
    for (const std::string& recipe : recipes) {
        if (recipe != kPopularity && recipe != kAutoRecipe && !recipe_by_name(recipe).ok()) {
            return invalid_argument(
                fmt::format("recipe '{}' is unknown; expected popularity, auto, {}", recipe,
                            names_of_recipes()));
        }
    }
    std::vector<std::string> names = with_baselines(recipes);
    for (const GivenLists& lists : given) {
        if (lists.name.empty() || std::ranges::find(names, lists.name) != names.end()) {
            return invalid_argument(fmt::format(
                "lists '{}' need a name that no recipe and no other lists have", lists.name));
        }
        names.push_back(lists.name);
    }
    if (Status status = judge.validate(); !status.ok()) {
        return status;
    }
    if (Status status = bootstrap.validate(); !status.ok()) {
        return status;
    }
    const Status status = ChooseParams{.max_seconds = choose_seconds}.validate();
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
    report.longest_k = params.judge.ks.back();
    report.bootstrap = params.bootstrap;
    const JudgeTask task{train, test, params, pool, progress};
    for (const std::string& name : with_baselines(params.recipes)) {
        Result<ModelReport> model = judge_by_name(task, name);
        if (!model.ok()) {
            return model.status().with_context(fmt::format("recipe {}", name));
        }
        report.models.push_back(std::move(model).value());
    }
    for (const GivenLists& lists : params.given) {
        Result<ModelReport> model = judge_given(task, lists);
        if (!model.ok()) {
            return model.status().with_context(fmt::format("lists {}", lists.name));
        }
        report.models.push_back(std::move(model).value());
    }
    if (Status compared = compare_models(params, pool, report.models); !compared.ok()) {
        return compared;
    }
    if (!params.judge.keep_group_values) {
        drop_group_values(report.models);
    }
    return report;
}

}  // namespace segue
