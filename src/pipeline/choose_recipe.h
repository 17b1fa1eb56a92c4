#pragma once

// `--recipe auto`: every recipe that fits in memory and time is tried with its defaults on a
// validation part, small tables on up to three; the best is then fitted on everything. A recipe
// with two regimes is tried in both.

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "pipeline/recipe_registry.h"
#include "pipeline/validation.h"

namespace segue {

struct ChooseParams {
    /// What trying may take, by an estimate made beforehand for two cores. Where it would take
    /// longer, half of the groups are tried, then the costliest recipe is
    /// left out. While they are tried, a recipe that would not be done in time is left out too, by
    /// how fast this machine was with those before it.
    double max_seconds = 60;
    /// What a fit may take; 0: four fifths of what the machine has to give.
    std::uint64_t max_bytes = 0;
    std::size_t most_judged_groups = 5000;

    /// Returns an error if: the time is not above 0.
    Status validate() const;
};

/// The recipes that are tried where memory and time allow. The blueprint is not among them: it
/// drops rows before it learns, and is for those who want its very numbers.
std::vector<std::string> names_of_candidates();

struct Candidate {
    Recipe recipe = Recipe::kCooc;
    /// What it is told beside what everybody is: "sharpening 2.5"; empty for its defaults.
    std::string settings;
    RecipeParams params;
    RecipeCost cost;           // of learning everything, estimated
    double trial_seconds = 0;  // of one validation part on two cores, estimated
    std::string left_out;      // why it was not tried; empty when it was
    ValidationScore score;
};

struct RecipeChoice {
    /// Best first; behind them those that were left out.
    std::vector<Candidate> candidates;
    Recipe winner = Recipe::kCooc;
    RecipeParams params;            // of the winner
    double share_of_groups = 1;     // that was tried on
    std::size_t judged_groups = 0;  // on all parts together
    double seconds = 0;
    std::vector<std::string> warnings;
};

/// `params` say what every recipe is told, but for which one it is. The same for any number of
/// threads, as long as the time is not up. A table without two items in any group gets ials, with a
/// warning. Returns an error if: no recipe can be tried, or a fit fails.
Result<RecipeChoice> choose_recipe(const Dataset& dataset, const RecipeParams& params,
                                   const ChooseParams& choose, ThreadPool& pool,
                                   const ProgressListener& progress = {});

/// "graph-filter", or with its settings behind: "graph-filter (sharpening 2.5)".
std::string title_of(const Candidate& candidate);

/// The scores as one object: {"ease":{"recall@20":0.23,"ndcg@20":0.15},"ials":"left out: ..."}.
/// Without seconds, so that equal inputs give equal texts.
void write_choice(const RecipeChoice& choice, JsonWriter& json);

}  // namespace segue
