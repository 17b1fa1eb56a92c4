#pragma once

// The recipes there are, and the numbers each can be told: what `--recipe` takes, what a search
// looks over, and what a fit will cost. Names of options are those of the flags, so that an object
// of names and values is a file for --config.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "data/sparse.h"
#include "pipeline/fit.h"

namespace segue {

/// How a search walks over the range of an option.
enum class OptionScale { kLinear, kLogarithmic };

/// One number a recipe can be told.
struct RecipeOption {
    std::string_view name;  // of the flag, without dashes
    double low = 0;         // the range worth searching; what is allowed may be wider
    double high = 0;
    OptionScale scale = OptionScale::kLinear;
    bool is_whole = false;
    /// Changes the lists of single items alone, nothing that groups are offered.
    bool of_single_items = false;
    std::string_view meaning;
    /// What the recipe goes by: told, or worked out from the table.
    double (*value)(const RecipeParams& params, const SparseView& interactions) = nullptr;
    void (*set)(RecipeParams& params, double value) = nullptr;
};

/// Settings that are best on tables of one kind, found on validation parts (docs/numerics.md): a
/// search tries them before any others.
struct RecipeRegime {
    std::span<const std::pair<std::string_view, double>> settings;  // names of options and values
    /// Tried too where a recipe is chosen.
    bool is_chosen_from = false;
};

struct RecipeEntry {
    Recipe recipe = Recipe::kIals;
    std::string_view name;
    std::string_view summary;  // for --help
    std::span<const RecipeOption> options;
    std::span<const RecipeRegime> regimes = {};
};

/// In the order they are listed to people. Lives as long as the program.
std::span<const RecipeEntry> recipe_registry();

const RecipeEntry& registered(Recipe recipe);

/// "ials, cooc or blueprint"
std::string names_of_recipes();

/// Null if: the recipe has no option of that name.
const RecipeOption* find_option(Recipe recipe, std::string_view name);

/// Sets an option of params.recipe by its name. Returns an error if: the recipe has none of that
/// name, or the value is not finite; RecipeParams::validate() checks ranges.
Status set_option(RecipeParams& params, std::string_view name, double value);

/// What a recipe is expected to take beyond the table itself; rough, for a choice beforehand.
struct RecipeCost {
    std::uint64_t bytes = 0;          // at its peak
    double core_seconds = 0;          // of one core, to learn
    double core_seconds_of_list = 0;  // to make one list of a history by what was learnt
};

RecipeCost estimated_cost(const RecipeParams& params, const SparseView& interactions);

}  // namespace segue
