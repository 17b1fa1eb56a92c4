#pragma once

// How good the answers are: recipes trained on one part of a table and judged by the other, always
// beside the two baselines that cost nothing, popularity and co-occurrence.

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/dataset.h"
#include "data/sparse.h"
#include "eval/judge.h"
#include "eval/split.h"
#include "pipeline/fit.h"

namespace segue {

struct EvaluateParams {
    /// "popularity" or names of recipes. Popularity and cooc are judged first whether named or not,
    /// the others in the order given, each once.
    std::vector<std::string> recipes = {"ials"};
    /// What every recipe is told; `fit.recipe` is replaced by each of the above.
    RecipeParams fit;
    JudgeOptions judge;
    /// Judge the lists of single items too.
    bool item_to_item = false;

    /// Returns an error if: a recipe is unknown or a number out of its range.
    Status validate() const;
};

/// One row of the table.
struct ModelReport {
    std::string recipe;
    /// The judge's for groups, then with item_to_item those for items, whose names begin with
    /// "item_".
    std::vector<Metric> metrics;
    double train_seconds = 0;     // from the table in memory to the model in memory
    double evaluate_seconds = 0;  // all lists made and judged
    /// With all their values; for items empty unless asked for.
    Judgement group_lists;
    Judgement item_lists;
    std::vector<std::string> warnings;
};

struct EvaluateReport {
    std::vector<ModelReport> models;
    /// Of the training part.
    std::size_t num_groups = 0;
    std::size_t num_items = 0;
    /// What the split, or the reading of the test table, dropped and kept.
    SplitCounts counts;
    std::uint64_t dropped_known_pairs =
        0;  // rows of a test table that are in the training table too
};

/// Trains each recipe on `train` and judges it by `test` [train.groups x train.items], which has no
/// entry of the training part. Fills `models`, `num_groups` and `num_items`. Returns an error if:
/// parameters are invalid, nothing is held out, or a fit fails.
Result<EvaluateReport> evaluate_recipes(const Dataset& train, const SparseView& test,
                                        const EvaluateParams& params, ThreadPool& pool,
                                        const ProgressListener& progress = {});

/// {"models":[{"recipe":"popularity","metrics":{"recall@20":0.03,...},"train_seconds":0.0,...}],...}
std::string to_json(const EvaluateReport& report);

}  // namespace segue
