// The whole blueprint chain at the size its notebook ran at: 5,000 items, about 2.4 million rows
// kept, 50 factors, 20 iterations without early stop; counts, PMI, training and neighbours with the
// seconds of each stage.

#include <fmt/core.h>

#include <string>

#include "base/text.h"
#include "kernels/kernels.h"
#include "machine_limits.h"
#include "pipeline/fit.h"
#include "synthetic_playlists.h"

namespace segue::bench {
namespace {

constexpr double kPublishedPmiSeconds = 151.99;
constexpr double kPublishedTrainSeconds = 7260.8;
constexpr double kTargetSeconds = 30;
constexpr unsigned kThreads = 2;

Dataset notebook_sized_dataset() {
    Dataset dataset;
    dataset.interactions = synthetic_playlists(
        {.name = "seed-like", .num_groups = 210'000, .num_items = 5'000, .mean_group_size = 14}, 1);
    for (std::size_t group = 0; group < dataset.interactions.num_rows; ++group) {
        dataset.groups.insert("list " + std::to_string(group));
    }
    for (std::size_t item = 0; item < dataset.interactions.num_columns; ++item) {
        dataset.items.insert(std::to_string(item));
    }
    return dataset;
}

int run() {
    const Dataset dataset = notebook_sized_dataset();
    fmt::print("the blueprint chain, {} rows, {} items, kernels {}, {}, {} threads\n",
               with_commas(dataset.interactions.num_entries()), dataset.items.size(),
               kernels::active_kernels().name, processor_name(), kThreads);
    RecipeParams params;
    params.recipe = Recipe::kBlueprint;
    params.dim = 50;
    params.iterations = 20;
    params.min_relative_progress = 0;
    ThreadPool pool(kThreads);
    const Result<FittedRecipe> fitted = fit_recipe(dataset, params, pool);
    if (!fitted.ok()) {
        fmt::print("failed: {}\n", fitted.status().message());
        return 1;
    }
    fmt::print("{:<12} {:>9} {:>9}\n", "stage", "wall s", "cpu s");
    for (const FitStage& stage : fitted->report.stages) {
        fmt::print("{:<12} {:>9.2f} {:>9.2f}  {}\n", stage.name, stage.seconds, stage.cpu_seconds,
                   stage.note);
    }
    const double total = fitted->report.total_seconds();
    const double published = kPublishedPmiSeconds + kPublishedTrainSeconds;
    fmt::print("in all {:.2f} s; the notebook printed {:.2f} s and {:.1f} s: {:.0f} times less\n",
               total, kPublishedPmiSeconds, kPublishedTrainSeconds, published / total);
    // The answer, checked: losses fall to the end, every item has its list.
    const std::vector<AlsEpoch>& epochs = fitted->report.epochs;
    const bool falls = epochs.size() == 20 && epochs.back().loss < epochs.front().loss;
    const bool listed = fitted->parts.neighbours.item_rows.size() == 100 * dataset.items.size();
    fmt::print("loss {:.6g} to {:.6g}{}{}\n", epochs.front().loss, epochs.back().loss,
               falls ? "" : " DOES NOT FALL", listed ? "" : ", LISTS ARE SHORT");
    fmt::print("target {} s: {}\n", kTargetSeconds, total < kTargetSeconds ? "met" : "MISSED");
    return falls && listed ? 0 : 1;
}

}  // namespace
}  // namespace segue::bench

int main() {
    return segue::bench::run();
}
