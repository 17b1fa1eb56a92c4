#pragma once

// `segue tune`: searches the parameters of one recipe on a validation part, by successive halving
// (Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
// Optimization", AISTATS 2016): all settings on a quarter of the groups, the better half on half of
// them, the better half of those on all. Small tables are not thinned out: there each half is
// judged on one validation part more.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/recipe_registry.h"
#include "pipeline/validation.h"

namespace segue {

struct TuneParams {
    /// The recipe, and what it is told where nothing is searched.
    RecipeParams recipe;
    /// Names of options that stay as `recipe` has them.
    std::vector<std::string> fixed;
    std::size_t num_trials = 20;
    /// Looked at between two fits: no new one begins later.
    double max_seconds = 60;
    std::size_t most_judged_groups = 5000;
    std::uint64_t seed = 1;

    /// Returns an error if: there is no trial, the time is not above 0, a fixed name is unknown, or
    /// nothing is left to search.
    Status validate() const;
};

/// One setting, and how far it came.
struct TuneTrial {
    std::size_t number = 0;                              // 0 is the recipe with its defaults
    std::vector<std::pair<std::string, double>> values;  // of the searched options
    /// On how much of the table it was judged last; 0 when never.
    double share_of_groups = 0;
    std::size_t num_parts = 0;  // validation parts of that
    ValidationScore score;      // means over them
};

struct TuneReport {
    /// Those judged on the largest share and most parts first, the best of them in front.
    std::vector<TuneTrial> trials;
    std::size_t num_fits = 0;
    bool time_was_up = false;
    double seconds = 0;

    const TuneTrial& best() const { return trials.front(); }
    /// The defaults, as far as they came.
    const TuneTrial& defaults() const;
};

/// `params` with the values of a trial.
RecipeParams with_values(RecipeParams params, const TuneTrial& trial);

/// Trials are the defaults, the regimes of the registry, then settings spread evenly over its
/// ranges: every other one over the whole range, the rest around the defaults. The defaults are
/// kept to the last round. Equal seeds give equal reports, seconds aside, for any number of
/// threads, as long as the time is not up. Returns an error if: parameters are invalid, nothing can
/// be held out, or a fit fails.
Result<TuneReport> tune_recipe(const Dataset& dataset, const TuneParams& params, ThreadPool& pool,
                               const ProgressListener& progress = {});

}  // namespace segue
