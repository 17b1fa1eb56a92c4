#pragma once

// The flags that say how a recipe learns.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/console.h"
#include "cli/ingest_arguments.h"
#include "cli/options.h"
#include "pipeline/fit.h"

namespace segue::cli {

struct RecipeArguments {
    std::uint64_t seed = 1;
    std::optional<std::uint64_t> dim;
    std::optional<std::uint32_t> iterations;
    std::optional<std::string> loss;
    std::optional<std::string> solver;
    std::uint32_t solver_steps = 0;
    std::optional<double> unobserved_weight;
    std::optional<double> l2_reg;
    std::optional<double> alpha;
    std::optional<double> min_relative_progress;
    std::string negative = "confident";
    bool no_diagonal = false;
    bool stop_on_recall = false;
    std::string score = "conditional";
    std::optional<double> group_exponent;
    double own_exponent = 0.7;
    double other_exponent = 0.4;
    double shrinkage = 0;
    std::string sharpness = "1";
    std::string several = "sum";
    std::uint32_t window = 0;
    std::uint32_t cut_groups_to = 0;
    std::optional<double> ridge;
    std::optional<double> dropout;
    std::optional<double> item_exponent;
    std::optional<double> low_rank_weight;
    std::optional<std::uint32_t> low_rank_dim;
    std::optional<double> sharpening;
    std::optional<double> popularity_exponent;
    std::optional<double> item_popularity_exponent;
    std::optional<double> balance;
    std::optional<double> diagonal;
    std::optional<std::uint64_t> neighbours;

    void declare(Options& options);
    /// Warns of each flag that is not at its default and that none of `recipes` goes by. (Whether
    /// it was given says less: a file of --print-config gives all.)
    void warn_of_unused(std::span<const std::string> recipes, Console& console) const;
    /// Writes "name":value for each flag that is not at its default and that `recipe` goes by, as
    /// members of the JSON object that is open.
    void write_changed(std::string_view recipe, JsonWriter& json) const;
    /// Names of the flags that are not at their defaults and that `recipe` goes by.
    std::vector<std::string> changed(std::string_view recipe) const;
    /// Returns an error if: a name or number is out of its range.
    Result<RecipeParams> params(Recipe recipe) const;
};

/// "auto" and the names of all recipes, and what each is in a few words.
std::vector<std::string> recipe_choices();
std::string recipe_summaries();

/// The cleaning a recipe asks for when nothing is said.
CleaningDefaults cleaning_of(Recipe recipe);

}  // namespace segue::cli
