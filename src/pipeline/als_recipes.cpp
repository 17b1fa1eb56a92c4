#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cooc/blueprint_pairs.h"
#include "cooc/counting_plan.h"
#include "cooc/pair_counter.h"
#include "eval/model_lists.h"
#include "eval/split.h"
#include "pipeline/ials_defaults.h"
#include "pipeline/neighbour_table.h"
#include "pipeline/recipes.h"
#include "pipeline/stage_clock.h"

namespace segue {

namespace {

constexpr std::size_t kIalsDim = 64;

/// Of ||j||: below 0 longer vectors, which are surer ones, come first. Best for single items on
/// validation parts (docs/numerics.md), at the price of coverage. Groups get plain products.
constexpr double kIalsExponent = -0.4;
/// The blueprint compares normalised vectors.
constexpr double kBlueprintExponent = 1;

void remove_diagonal(MirroredMatrix<float>& matrix) {
    std::size_t kept = 0;
    std::uint64_t begin = 0;
    for (std::size_t row = 0; row < matrix.num_items(); ++row) {
        const std::uint64_t end = matrix.offsets[row + 1];
        for (std::uint64_t entry = begin; entry < end; ++entry) {
            if (matrix.columns[entry] != row) {
                matrix.columns[kept] = matrix.columns[entry];
                matrix.values[kept] = matrix.values[entry];
                ++kept;
            }
        }
        begin = end;
        matrix.offsets[row + 1] = kept;
    }
    matrix.columns.resize(kept);
    matrix.values.resize(kept);
}

/// "12 iterations, loss 81234.5"
std::string training_note(const AlsModel& model) {
    return fmt::format("{} iterations, loss {:.6g}", model.epochs.size(),
                       model.epochs.empty() ? 0.0 : model.epochs.back().loss);
}

void store_fold_in(const AlsParams& params, FoldInSettings& settings) {
    const bool hu = params.loss == AlsLoss::kHu;
    settings.hu = hu;
    settings.unobserved_weight = hu ? 1 : params.unobserved_weight;
    settings.l2_reg = params.l2_reg;
    settings.l2_exponent = hu ? 0 : params.l2_exponent;
    settings.alpha = params.alpha;
}

/// What the blueprint asks of its warehouse: 50 factors, alpha 1, lambda 1, 20 iterations, stop
/// under 1 %.
AlsParams blueprint_params() {
    AlsParams params;
    params.dim = 50;
    params.iterations = 20;
    params.loss = AlsLoss::kHu;
    params.alpha = 1;
    params.l2_reg = 1;
    params.min_relative_progress = 0.01;
    return params;
}

/// How many iterations give the best recall on a fifth of each history held out. The factors are
/// fitted again on everything afterwards.
Result<std::uint32_t> best_iterations(const RecipeRun& run, AlsParams params) {
    constexpr std::size_t kRecallAt = 20;
    const StageClock clock("hold out");
    SplitSpec spec;
    spec.seed = run.params.seed;
    const Result<MatrixSplit> split = split_interactions(run.dataset.interactions.view(), {}, spec);
    if (!split.ok()) {
        return split.status();
    }
    if (split->counts.test_entries == 0) {
        return invalid_argument(
            "no group has the five items that holding out needs; train without stop-on-recall");
    }
    Status failure;
    const AlsJudge judge = [&](const MatrixView& groups, const MatrixView& items) {
        const Result<double> recall =
            validation_recall(factor_group_lists(groups, items), split->train.view(),
                              split->test.view(), kRecallAt, run.pool);
        failure = recall.ok() ? failure : recall.status();
        return recall.ok() ? *recall : 0.0;
    };
    params.record_loss = false;
    const Result<AlsModel> model =
        train_als(split->train.view(), params, run.pool, run.progress, judge);
    if (!model.ok() || !failure.ok()) {
        return model.ok() ? failure : model.status();
    }
    const auto best = std::max_element(model->epochs.begin(), model->epochs.end(),
                                       [](const AlsEpoch& left, const AlsEpoch& right) {
                                           return left.validation < right.validation;
                                       });
    const auto iterations = static_cast<std::uint32_t>(best - model->epochs.begin()) + 1;
    clock.end(run.result.report.stages,
              fmt::format("recall@20 {:.4f} after {} of {} iterations", best->validation,
                          iterations, model->epochs.size()));
    return iterations;
}

}  // namespace

AlsParams overridden(AlsParams defaults, const RecipeParams& params) {
    const auto take = [](auto& value, const auto& told) {
        if (told) {
            value = *told;
        }
    };
    take(defaults.dim, params.dim);
    take(defaults.iterations, params.iterations);
    take(defaults.loss, params.loss);
    take(defaults.solver, params.solver);
    take(defaults.unobserved_weight, params.unobserved_weight);
    take(defaults.l2_reg, params.l2_reg);
    take(defaults.alpha, params.alpha);
    take(defaults.min_relative_progress, params.min_relative_progress);
    defaults.solver_steps = params.solver_steps;
    defaults.negative = params.negative;
    defaults.seed = params.seed;
    return defaults;
}

void write_parameters(JsonWriter& json, const AlsParams& params) {
    json.key("dim").value(static_cast<std::uint64_t>(params.dim));
    json.key("iterations").value(params.iterations);
    json.key("loss").value(name_of(params.loss));
    json.key("solver").value(name_of(params.solver));
    json.key("unobserved_weight").value(params.unobserved_weight);
    json.key("l2_reg").value(params.l2_reg);
    json.key("l2_exponent").value(params.l2_exponent);
    json.key("alpha").value(params.alpha);
    json.key("negative").value(name_of(params.negative));
    json.key("min_relative_progress").value(params.min_relative_progress);
    json.key("init_scale").value(params.init_scale);
}

Status store_neighbours(const RecipeRun& run, double popularity_exponent) {
    ModelParts& parts = run.result.parts;
    parts.info.popularity_exponent = popularity_exponent;
    return waits_for_index(parts.item_vectors.view())
               ? Status()
               : neighbours_stage(parts, run.params.num_neighbours, run.pool, run.progress,
                                  run.result.report.stages);
}

Status run_ials(const RecipeRun& run) {
    const SparseView interactions = run.dataset.interactions.view();
    AlsParams params = overridden(
        default_ials_params(interactions, run.params.dim.value_or(kIalsDim)), run.params);
    if (run.params.stop_on_recall) {
        const Result<std::uint32_t> best = best_iterations(run, params);
        if (!best.ok()) {
            return best.status();
        }
        params.iterations = *best;
    }
    const StageClock clock("train");
    Result<AlsModel> model = train_als(interactions, params, run.pool, run.progress);
    if (!model.ok()) {
        return model.status();
    }
    ModelParts& parts = run.result.parts;
    run.result.report.epochs = model->epochs;
    clock.end(run.result.report.stages, training_note(*model));
    parts.info.answer_by = AnswerBy::kFoldIn;
    store_fold_in(params, parts.info.fold_in);
    JsonWriter json;
    json.begin_object();
    write_parameters(json, params);
    json.end_object();
    parts.info.parameters_json = json.take();
    parts.item_vectors = std::move(model->column_factors);
    return store_neighbours(run, run.params.popularity_exponent.value_or(kIalsExponent));
}

Status run_blueprint(const RecipeRun& run) {
    const StageClock count_clock("count");
    const CountInput input{run.dataset.interactions.view(), {}};
    CountOptions options;
    options.values_are_counts = run.dataset.values_are_counts;
    const CountingPlan plan = plan_counting(input.interactions, options, run.pool.num_threads());
    report(run.progress, {"count", 0, 0, "pairs", plan.to_text()});
    Result<MirroredMatrix<float>> pairs = blueprint_pairs(input, options, run.pool, run.progress);
    if (!pairs.ok()) {
        return pairs.status();
    }
    if (!run.params.diagonal) {
        remove_diagonal(*pairs);
    }
    count_clock.end(run.result.report.stages,
                    with_commas(pairs->num_entries()) + " weighted pairs");
    const StageClock train_clock("train");
    const AlsParams params = overridden(blueprint_params(), run.params);
    Result<AlsModel> model = train_als(pairs->view(), params, run.pool, run.progress);
    if (!model.ok()) {
        return model.status();
    }
    ModelParts& parts = run.result.parts;
    run.result.report.epochs = model->epochs;
    train_clock.end(run.result.report.stages, training_note(*model));
    // The embedding of an item is what it is as a row plus what it is as a column.
    for (std::size_t item = 0; item < model->column_factors.num_rows(); ++item) {
        std::ranges::transform(model->column_factors.row(item), model->row_factors.row(item),
                               model->column_factors.row(item).begin(), std::plus<>());
    }
    parts.info.answer_by = AnswerBy::kVectors;
    JsonWriter json;
    json.begin_object();
    write_parameters(json, params);
    json.key("diagonal").value(run.params.diagonal);
    json.end_object();
    parts.info.parameters_json = json.take();
    parts.item_vectors = std::move(model->column_factors);
    return store_neighbours(run, run.params.popularity_exponent.value_or(kBlueprintExponent));
}

}  // namespace segue
