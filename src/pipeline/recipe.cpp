#include <fmt/core.h>

#include <cmath>
#include <utility>

#include "base/text.h"
#include "pipeline/fit.h"
#include "pipeline/recipe_registry.h"
#include "train/ease.h"
#include "train/graph_filter.h"

namespace segue {

namespace {

/// A list longer than this says nothing more about an item, and fills the disk.
constexpr std::size_t kMostNeighbours = 10'000;

/// Of either sign; a bundle with a larger one is refused (docs/bundle_format.md).
constexpr double kLargestExponent = 2;

Status check_exponent(std::string_view what, double value) {
    return std::abs(value) <= kLargestExponent
               ? Status()
               : invalid_argument(fmt::format("{} is {}; expected {} to {}", what, value,
                                              -kLargestExponent, kLargestExponent));
}

}  // namespace

std::string_view name_of(Recipe recipe) {
    return registered(recipe).name;
}

Result<Recipe> recipe_by_name(std::string_view name) {
    for (const RecipeEntry& entry : recipe_registry()) {
        if (entry.name == name) {
            return entry.recipe;
        }
    }
    return invalid_argument(
        fmt::format("recipe '{}' is unknown; expected {}", name, names_of_recipes()));
}

Status RecipeParams::validate() const {
    if (Status status = pair_score.validate(); !status.ok()) {
        return status;
    }
    const std::pair<std::string_view, double> exponents[] = {
        {"group exponent", pair_score.group_exponent},
        {"own exponent", pair_score.own_exponent},
        {"other exponent", pair_score.other_exponent},
        {"popularity exponent", popularity_exponent.value_or(0)},
        {"item popularity exponent", item_popularity_exponent.value_or(0)},
        {"balance", ease.balance.value_or(0)}};
    for (const auto& [what, value] : exponents) {
        if (Status status = check_exponent(what, value); !status.ok()) {
            return status;
        }
    }
    const EaseParams ease_told = {.ridge = ease.ridge.value_or(1),
                                  .dropout = ease.dropout.value_or(0),
                                  .group_exponent = ease.group_exponent.value_or(0),
                                  .diagonal = ease.diagonal.value_or(0)};
    if (Status status = ease_told.validate(); !status.ok()) {
        return status;
    }
    const GraphFilterParams filter_told = {
        .group_exponent = graph_filter.group_exponent.value_or(0),
        .item_exponent = graph_filter.item_exponent.value_or(0),
        .low_rank_weight = graph_filter.low_rank_weight.value_or(0),
        .low_rank_dim = graph_filter.low_rank_dim.value_or(0),
        .sharpening = graph_filter.sharpening.value_or(0)};
    if (Status status = filter_told.validate(); !status.ok()) {
        return status;
    }
    const std::size_t most_weights = num_weights.value_or(1);
    if (most_weights < 1 || most_weights > kMostNeighbours) {
        return invalid_argument(
            fmt::format("neighbours is {}; expected 1 to {}", most_weights, kMostNeighbours));
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
