#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "base/text.h"
#include "pipeline/evidence.h"
#include "pipeline/linear_defaults.h"
#include "pipeline/popularity_defaults.h"
#include "pipeline/recipes.h"
#include "pipeline/stage_clock.h"
#include "train/dense_weights.h"

namespace segue {

namespace {

/// Divides weights by powers of the frequency of what is offered. The lists stay those farthest
/// from 0 before, which sums need; their order becomes that of one item.
void hold_popular_down(std::span<const std::uint32_t> frequencies, double exponent,
                       Neighbours& lists) {
    if (exponent == 0) {
        return;
    }
    const std::vector<float> factors = popularity_factors(frequencies, exponent);
    std::vector<ScoredRow> list;
    for (std::size_t item = 0; item + 1 < lists.offsets.size(); ++item) {
        list.clear();
        for (std::uint64_t entry = lists.offsets[item]; entry < lists.offsets[item + 1]; ++entry) {
            const std::uint32_t row = lists.item_rows[entry];
            list.push_back({row, lists.scores[entry] * factors[row]});
        }
        std::ranges::sort(list, comes_before);
        for (std::size_t place = 0; place < list.size(); ++place) {
            lists.item_rows[lists.offsets[item] + place] = list[place].item_row;
            lists.scores[lists.offsets[item] + place] = list[place].score;
        }
    }
}

/// The best of every item's weights, with the evidence of each pair: what a bundle holds of them.
void store_weight_lists(const RecipeRun& run, const LinearModel& model) {
    const StageClock clock("neighbours");
    std::vector<std::uint32_t> rows(model.num_items());
    std::iota(rows.begin(), rows.end(), 0U);
    const std::size_t length = run.params.num_weights.value_or(kWeightsOfAnItem);
    ModelParts& parts = run.result.parts;
    parts.neighbours =
        lists_of_items(model, rows, {.k = length, .by_magnitude = true}, run.pool, run.progress);
    hold_popular_down(run.result.parts.item_frequencies, *parts.info.item_popularity_exponent,
                      parts.neighbours);
    count_evidence(transpose(run.dataset.interactions.view()).view(), run.pool, parts.neighbours);
    clock.end(run.result.report.stages, fmt::format("{} a list", length));
}

/// The half of the balance that goes by the items of a history; the other is the popularity
/// exponent that lists are made with.
void weigh_histories(std::span<const std::uint32_t> frequencies, double balance, Matrix& weights) {
    if (balance == 0) {
        return;
    }
    const std::vector<float> factors = popularity_factors(frequencies, -balance);
    for (std::size_t item = 0; item < factors.size(); ++item) {
        for (float& weight : weights.row(item)) {
            weight *= factors[item];
        }
    }
}

/// Keeps all the weights for a judge, or cuts them to lists.
void store_linear_model(const RecipeRun& run, std::shared_ptr<const LinearModel> model) {
    ModelInfo& info = run.result.parts.info;
    info.answer_by = AnswerBy::kLists;
    const PopularityExponents exponents = popularity_exponents(run.params);
    info.popularity_exponent = exponents.of_groups;
    info.item_popularity_exponent = exponents.of_items;
    info.pair_score = PairScoreSettings{.name = std::string(kStoredWeights),
                                        .group_exponent = 0,
                                        .own_exponent = 0,
                                        .other_exponent = 0,
                                        .from_histories = false};
    if (run.params.keep_uncut) {
        run.result.uncut = std::move(model);
    } else {
        store_weight_lists(run, *model);
    }
}

}  // namespace

Status run_ease(const RecipeRun& run) {
    const StageClock clock("train");
    const SparseView interactions = run.dataset.interactions.view();
    const EaseParams params = ease_params(run.params, interactions);
    report(run.progress,
           {"train",
            0,
            0,
            {},
            fmt::format("{} items, {} MB of memory", with_commas(interactions.num_columns),
                        with_commas(ease_bytes(interactions.num_columns) >> 20U))});
    Result<Matrix> weights = train_ease(interactions, params, run.pool, run.progress);
    if (!weights.ok()) {
        return weights.status();
    }
    JsonWriter json;
    json.begin_object();
    json.key("ridge").value(params.ridge);
    json.key("dropout").value(params.dropout);
    json.key("group_exponent").value(params.group_exponent);
    json.key("diagonal").value(params.diagonal);
    json.key("balance").value(ease_balance(run.params));
    run.result.parts.info.parameters_json = json.end_object().take();
    weigh_histories(run.result.parts.item_frequencies, ease_balance(run.params), *weights);
    clock.end(run.result.report.stages,
              fmt::format("ridge {:.4g}, dropout {:.4g}", params.ridge, params.dropout));
    store_linear_model(run, std::make_shared<const DenseWeights>(std::move(weights).value(),
                                                                 interactions.num_columns));
    return Status();
}

Status run_graph_filter(const RecipeRun& run) {
    const StageClock clock("train");
    const SparseView interactions = run.dataset.interactions.view();
    const GraphFilterParams params = graph_filter_params(run.params, interactions);
    const std::uint64_t bytes = graph_filter_bytes(interactions, params, run.pool.num_threads());
    report(run.progress,
           {"train",
            0,
            0,
            {},
            fmt::format("{} items, {} MB of memory", with_commas(interactions.num_columns),
                        with_commas(bytes >> 20U))});
    Result<std::unique_ptr<const LinearModel>> model =
        train_graph_filter(interactions, params, run.pool, run.progress);
    if (!model.ok()) {
        return model.status();
    }
    JsonWriter json;
    json.begin_object();
    json.key("group_exponent").value(params.group_exponent);
    json.key("item_exponent").value(params.item_exponent);
    json.key("low_rank_weight").value(params.low_rank_weight);
    json.key("low_rank_dim").value(static_cast<std::uint64_t>(params.low_rank_dim));
    json.key("sharpening").value(params.sharpening);
    run.result.parts.info.parameters_json = json.end_object().take();
    clock.end(run.result.report.stages, fmt::format("{} singular vectors, sharpening {:.4g}",
                                                    params.low_rank_dim, params.sharpening));
    store_linear_model(run, std::move(model).value());
    return Status();
}

}  // namespace segue
