#include <fmt/core.h>

#include <array>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "pipeline/fit.h"

namespace segue {

namespace {

constexpr std::array<std::pair<Recipe, std::string_view>, 3> kRecipeNames = {{
    {Recipe::kIals, "ials"},
    {Recipe::kCooc, "cooc"},
    {Recipe::kBlueprint, "blueprint"},
}};

/// A list longer than this says nothing more about an item, and fills the disk.
constexpr std::size_t kMostNeighbours = 10'000;

}  // namespace

std::string_view name_of(Recipe recipe) {
    for (const auto& [candidate, name] : kRecipeNames) {
        if (candidate == recipe) {
            return name;
        }
    }
    return "unknown";
}

Result<Recipe> recipe_by_name(std::string_view name) {
    for (const auto& [recipe, candidate] : kRecipeNames) {
        if (candidate == name) {
            return recipe;
        }
    }
    return invalid_argument(
        fmt::format("recipe '{}' is unknown; expected ials, cooc or blueprint", name));
}

Status RecipeParams::validate() const {
    if (Status status = pair_score.validate(); !status.ok()) {
        return status;
    }
    if (popularity_exponent &&
        !(std::isfinite(*popularity_exponent) && std::abs(*popularity_exponent) <= 4)) {
        return invalid_argument(
            fmt::format("popularity exponent is {}; expected -4 to 4", *popularity_exponent));
    }
    if (num_neighbours < 1 || num_neighbours > kMostNeighbours) {
        return invalid_argument(
            fmt::format("neighbours is {}; expected 1 to {}", num_neighbours, kMostNeighbours));
    }
    return Status();
}

double FitReport::total_seconds() const {
    double seconds = 0;
    for (const FitStage& stage : stages) {
        seconds += stage.seconds;
    }
    return seconds;
}

}  // namespace segue
