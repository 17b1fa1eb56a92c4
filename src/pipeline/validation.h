#pragma once

// How good a recipe's settings are, by items held out of the table it may learn from: what choosing
// a recipe and searching its parameters look at. The test part of an evaluation is never seen here.

#include <cstdint>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/dataset.h"
#include "eval/split.h"
#include "pipeline/fit.h"

namespace segue {

/// The lists' length that settings are judged at.
inline constexpr std::size_t kValidationK = 20;

/// Means over the judged groups.
struct ValidationScore {
    double recall = 0;
    double ndcg = 0;
    double seconds = 0;  // to fit and judge

    /// What settings are ranked by: it sees whether the right items are shown and whether they come
    /// first, and on few groups with many held-out items it is steadier than recall.
    double rank() const { return ndcg; }
};

/// A fifth of the items of each group of five or more held out, as `segue evaluate` does it; where
/// there is no such group, one item of each group of two or more. Of groups with items held out, a
/// seeded sample of `most_judged` is judged. Texts of items are left out.
/// Returns an error if: no group has two items, or none is left of the share.
Result<DatasetSplit> cut_validation(const Dataset& dataset, double share_of_groups,
                                    std::size_t most_judged, std::uint64_t seed);

/// Returns an error if: the recipe cannot be fitted or judged.
Result<ValidationScore> score_on(const DatasetSplit& part, const RecipeParams& params,
                                 ThreadPool& pool, const ProgressListener& progress = {});

}  // namespace segue
