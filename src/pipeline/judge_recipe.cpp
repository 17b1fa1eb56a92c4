#include "pipeline/judge_recipe.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <utility>

#include "base/stopwatch.h"
#include "eval/given_lists.h"
#include "eval/popularity.h"
#include "pipeline/fitted_lists.h"

namespace segue {

namespace {

/// Neighbours of an example: what fits beside other recipes' on a page.
constexpr std::size_t kNeighboursOfExample = 8;

/// Single items are judged where that was asked for and `item_lists` is not empty.
Status judge_lists(const JudgeTask& task, const GroupListMaker& group_lists,
                   const ItemListMaker& item_lists, ModelReport& report) {
    const SparseView train = task.train.interactions.view();
    JudgeOptions options = task.params.judge;
    options.keep_group_values = true;
    Result<Judgement> groups =
        judge_group_lists(group_lists, train, task.test, options, task.pool, task.progress);
    if (!groups.ok()) {
        return groups.status();
    }
    report.group_lists = std::move(groups).value();
    report.metrics = report.group_lists.metrics;
    if (!task.params.item_to_item || !item_lists) {
        return Status();
    }
    Result<Judgement> items =
        judge_item_lists(item_lists, train, task.test, options, task.pool, task.progress);
    if (!items.ok()) {
        return items.status();
    }
    report.item_lists = std::move(items).value();
    report.metrics.insert(report.metrics.end(), report.item_lists.metrics.begin(),
                          report.item_lists.metrics.end());
    return Status();
}

double metric_named(const Judgement& judgement, std::string_view name, std::size_t k) {
    const std::string full = fmt::format("item_{}@{}", name, k);
    const auto found = std::ranges::find(judgement.metrics, full, &Metric::name);
    SEGUE_ASSERT(found != judgement.metrics.end());
    return found->value;
}

Status add_popularity_curve(const JudgeTask& task, const FittedLists& lists, ModelReport& model) {
    const double default_exponent = lists.model().info().exponent_of_one_item();
    if (!task.params.popularity_curve) {
        return Status();
    }
    std::vector<double> exponents(std::begin(kCurveExponents), std::end(kCurveExponents));
    exponents.push_back(default_exponent);
    std::ranges::sort(exponents);
    exponents.erase(std::unique(exponents.begin(), exponents.end()), exponents.end());
    const std::size_t k = task.params.judge.ks.back();
    JudgeOptions options = task.params.judge;
    options.ks = {k};
    for (const double exponent : exponents) {
        const Result<Judgement> judged =
            judge_item_lists(lists.for_items(exponent), task.train.interactions.view(), task.test,
                             options, task.pool);
        if (!judged.ok()) {
            return judged.status().with_context(fmt::format("popularity exponent {}", exponent));
        }
        model.popularity_curve.push_back({.exponent = exponent,
                                          .is_default = exponent == default_exponent,
                                          .hit_rate = metric_named(*judged, "hr", k),
                                          .ndcg = metric_named(*judged, "ndcg", k),
                                          .coverage = metric_named(*judged, "coverage", k),
                                          .popularity = metric_named(*judged, "popularity", k)});
        report(
            task.progress,
            {"popularity curve", model.popularity_curve.size(), exponents.size(), "settings", {}});
    }
    return Status();
}

/// Items from the most to the least frequent, by even steps of the logarithm of their rank: known
/// ones and rare ones alike.
std::vector<std::uint32_t> example_items(const SparseView& train, std::size_t num_examples) {
    const std::vector<std::uint32_t> frequencies = column_counts(train);
    std::vector<std::uint32_t> ranking;
    for (std::uint32_t item = 0; item < frequencies.size(); ++item) {
        if (frequencies[item] >= 2) {
            ranking.push_back(item);
        }
    }
    std::ranges::stable_sort(ranking, std::greater<>(),
                             [&](std::uint32_t item) { return frequencies[item]; });
    std::vector<std::uint32_t> items;
    const std::size_t count = std::min(num_examples, ranking.size());
    std::size_t rank = 0;
    for (std::size_t example = 0; example < count; ++example) {
        const double share =
            count < 2 ? 0 : static_cast<double>(example) / static_cast<double>(count - 1);
        const auto wanted =
            static_cast<std::size_t>(std::pow(static_cast<double>(ranking.size()), share) - 1);
        rank = std::max(rank, std::min(wanted, ranking.size() - (count - example)));
        items.push_back(ranking[rank++]);
    }
    return items;
}

/// "Viva La Vida, Coldplay"
std::string label_of(const Dataset& dataset, std::uint32_t item_row) {
    constexpr std::size_t kMostTexts = 2;
    const std::vector<StringTable>& columns = dataset.attributes.columns;
    std::string label;
    for (std::size_t column = 0; column < std::min(columns.size(), kMostTexts); ++column) {
        const std::string_view text = columns[column][item_row];
        label += label.empty() || text.empty() ? "" : ", ";
        label += text;
    }
    return label.empty() ? std::string(dataset.items[item_row]) : label;
}

Status add_examples(const JudgeTask& task, const ItemListMaker& item_lists, ModelReport& model) {
    if (task.params.num_examples == 0 || !item_lists) {
        return Status();
    }
    const SparseView train = task.train.interactions.view();
    const std::vector<std::uint32_t> items = example_items(train, task.params.num_examples);
    const Result<Neighbours> lists = item_lists(items, kNeighboursOfExample, task.pool);
    if (!lists.ok()) {
        return lists.status();
    }
    const std::vector<std::uint32_t> frequencies = column_counts(train);
    const SparseMatrix groups_of_items = transpose(train);
    const SparseView by_item = groups_of_items.view();
    std::vector<std::uint32_t> common;
    for (std::size_t at = 0; at < items.size(); ++at) {
        ItemExample example{items[at], label_of(task.train, items[at]), frequencies[items[at]], {}};
        for (std::uint64_t entry = lists->offsets[at]; entry < lists->offsets[at + 1]; ++entry) {
            const std::uint32_t item = lists->item_rows[entry];
            common.clear();
            std::ranges::set_intersection(by_item.row_columns(items[at]), by_item.row_columns(item),
                                          std::back_inserter(common));
            example.neighbours.push_back({item, label_of(task.train, item), lists->scores[entry],
                                          static_cast<std::uint32_t>(common.size()),
                                          frequencies[item]});
        }
        model.examples.push_back(std::move(example));
    }
    return Status();
}

}  // namespace

Result<ModelReport> judge_popularity(const JudgeTask& task) {
    ModelReport report;
    report.recipe = kPopularity;
    const Stopwatch watch;
    const SparseView train = task.train.interactions.view();
    const ItemListMaker item_lists = popularity_item_lists(train);
    Status status = judge_lists(task, popularity_group_lists(train), item_lists, report);
    report.evaluate_seconds = watch.seconds();
    if (status.ok()) {
        status = add_examples(task, item_lists, report);
    }
    return status.ok() ? Result<ModelReport>(std::move(report)) : Result<ModelReport>(status);
}

Result<ModelReport> judge_recipe(const JudgeTask& task, const RecipeParams& fit) {
    Stopwatch watch;
    RecipeParams params = fit;
    params.keep_uncut = !task.params.cut_lists;
    Result<FittedRecipe> fitted = fit_recipe(task.train, params, task.pool, task.progress);
    if (!fitted.ok()) {
        return fitted.status();
    }
    ModelReport report;
    report.recipe = name_of(fit.recipe);
    report.train_seconds = watch.seconds();
    report.warnings = std::move(fitted->report.warnings);
    // The judge speaks of the rows of the training table, the model of its own.
    SEGUE_ASSERT(fitted->parts.items.size() == task.train.items.size());
    watch.restart();
    const FittedLists lists(std::move(fitted).value());
    const ItemListMaker item_lists = lists.for_items();
    Status status = judge_lists(task, lists.for_groups(), item_lists, report);
    report.evaluate_seconds = watch.seconds();
    if (status.ok()) {
        status = add_popularity_curve(task, lists, report);
    }
    if (status.ok()) {
        status = add_examples(task, item_lists, report);
    }
    return status.ok() ? Result<ModelReport>(std::move(report)) : Result<ModelReport>(status);
}

Result<ModelReport> judge_given(const JudgeTask& task, const GivenLists& lists) {
    ModelReport report;
    report.recipe = lists.name;
    const Stopwatch watch;
    const ItemListMaker item_lists =
        lists.of_items.num_rows > 0 ? given_item_lists(lists.of_items.view()) : ItemListMaker();
    Status status =
        judge_lists(task, given_group_lists(lists.of_groups.view()), item_lists, report);
    report.evaluate_seconds = watch.seconds();
    if (status.ok()) {
        status = add_examples(task, item_lists, report);
    }
    return status.ok() ? Result<ModelReport>(std::move(report)) : Result<ModelReport>(status);
}

}  // namespace segue
