#include <fmt/core.h>

#include <utility>

#include "base/text.h"
#include "cooc/counting_plan.h"
#include "cooc/group_limit.h"
#include "cooc/neighbour_lists.h"
#include "cooc/score_defaults.h"
#include "pipeline/popularity_defaults.h"
#include "pipeline/recipes.h"
#include "pipeline/stage_clock.h"

namespace segue {

namespace {

std::string parameters_of(const RecipeParams& params, const PairScoreParams& score,
                          const PopularityExponents& exponents) {
    JsonWriter json;
    json.begin_object();
    json.key("score").value(name_of(score.score));
    json.key("group_exponent").value(score.group_exponent);
    json.key("own_exponent").value(score.own_exponent);
    json.key("other_exponent").value(exponents.of_groups);
    json.key("shrinkage").value(score.shrinkage);
    json.key("sharpness").value(score.sharpness);
    if (params.takes_best) {
        json.key("several").value("max");
    }
    json.key("window").value(params.window);
    json.key("cut_groups_to").value(params.cut_groups_to);
    json.end_object();
    return json.take();
}

}  // namespace

Status run_cooc(const RecipeRun& run) {
    const StageClock clock("count");
    const Dataset& dataset = run.dataset;
    CountInput input{dataset.interactions.view(), dataset.positions};
    LimitedTable limited;
    if (run.params.cut_groups_to != 0) {
        Result<LimitedTable> cut =
            limit_groups(input, {run.params.cut_groups_to, LongGroups::kCut, run.params.seed});
        if (!cut.ok()) {
            return cut.status();
        }
        limited = std::move(cut).value();
        input = limited.input();
    }
    NeighbourListParams params;
    const PopularityExponents exponents = popularity_exponents(run.params);
    params.score = run.params.pair_score;
    params.score.other_exponent = exponents.of_items;
    params.list_length = run.params.num_neighbours;
    params.values_are_counts = dataset.values_are_counts;
    params.window = run.params.window;
    CountOptions counting;
    counting.group_exponent = params.score.group_exponent;
    counting.values_are_counts = params.values_are_counts;
    counting.window = params.window;
    if (run.params.sharpness_from_support) {
        const Result<double> support = mean_support(input, counting);
        if (!support.ok()) {
            return support.status();
        }
        params.score.sharpness = sharpness_for(*support);
    }
    const CountingPlan plan = plan_counting(input.interactions, counting, run.pool.num_threads());
    report(run.progress, {"count", 0, 0, "pairs", plan.to_text()});
    Result<Neighbours> lists = cooc_neighbours(input, params, run.pool, run.progress);
    if (!lists.ok()) {
        return lists.status();
    }
    ModelParts& parts = run.result.parts;
    parts.neighbours = std::move(lists).value();
    parts.info.answer_by = AnswerBy::kLists;
    parts.info.popularity_exponent = exponents.of_groups;
    parts.info.item_popularity_exponent = exponents.of_items;
    parts.info.pair_score.name = name_of(params.score.score);
    parts.info.pair_score.group_exponent = params.score.group_exponent;
    parts.info.pair_score.own_exponent = params.score.own_exponent;
    parts.info.pair_score.other_exponent = exponents.of_groups;
    parts.info.pair_score.shrinkage = params.score.shrinkage;
    parts.info.pair_score.sharpness = params.score.sharpness;
    parts.info.pair_score.values_are_counts = params.values_are_counts;
    parts.info.pair_score.takes_best = run.params.takes_best;
    parts.info.pair_score.from_histories = params.window == 0 && run.params.cut_groups_to == 0;
    parts.info.parameters_json = parameters_of(run.params, params.score, exponents);
    if (params.score.score == PairScore::kPmi) {
        run.result.report.warnings.emplace_back(
            "raw PMI prefers items seen once with each other; cooc-pmi and conditional rank "
            "better");
    }
    clock.end(run.result.report.stages, with_commas(plan.num_pairs) + " pairs");
    return Status();
}

}  // namespace segue
