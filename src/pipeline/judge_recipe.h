#pragma once

// One row of the table of `segue evaluate`: a recipe fitted on the training part and judged by the
// held-out items, for groups, for single items, over the popularity knob, and by examples.

#include "pipeline/evaluate.h"

namespace segue {

/// What is trained on and judged by; all outlive the call.
struct JudgeTask {
    const Dataset& train;
    /// [train.groups x train.items], disjoint from train.interactions.
    const SparseView& test;
    const EvaluateParams& params;
    ThreadPool& pool;
    const ProgressListener& progress;
};

/// Everybody gets what most groups have.
Result<ModelReport> judge_popularity(const JudgeTask& task);

/// `fit` says how the recipe learns. Returns an error if: it cannot be fitted or judged.
Result<ModelReport> judge_recipe(const JudgeTask& task, const RecipeParams& fit);

/// Nothing is fitted.
Result<ModelReport> judge_given(const JudgeTask& task, const GivenLists& lists);

}  // namespace segue
