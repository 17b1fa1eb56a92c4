#include "pipeline/recipe_registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "cooc/counting_plan.h"
#include "pipeline/ials_defaults.h"

namespace segue {

namespace {

constexpr double kIalsDim = 64;
constexpr double kBlueprintDim = 50;

AlsParams ials_params(const RecipeParams& params, const SparseView& interactions) {
    return default_ials_params(interactions,
                               params.dim.value_or(static_cast<std::size_t>(kIalsDim)));
}

constexpr auto kSetDim = [](RecipeParams& params, double value) {
    params.dim = static_cast<std::size_t>(value);
};

constexpr RecipeOption kIalsOptions[] = {
    {.name = "unobserved-weight",
     .low = 1e-3,
     .high = 1,
     .scale = OptionScale::kLogarithmic,
     .meaning = "weight of all pairs towards 0",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return params.unobserved_weight.value_or(
                 ials_params(params, interactions).unobserved_weight);
         },
     .set = [](RecipeParams& params, double value) { params.unobserved_weight = value; }},
    {.name = "l2-reg",
     .low = 1e-4,
     .high = 0.3,
     .scale = OptionScale::kLogarithmic,
     .meaning = "regularisation",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return params.l2_reg.value_or(ials_params(params, interactions).l2_reg);
         },
     .set = [](RecipeParams& params, double value) { params.l2_reg = value; }},
    {.name = "dim",
     .low = 32,
     .high = 256,
     .scale = OptionScale::kLogarithmic,
     .is_whole = true,
     .meaning = "numbers in a vector",
     .value =
         [](const RecipeParams& params, const SparseView&) {
             return static_cast<double>(params.dim.value_or(static_cast<std::size_t>(kIalsDim)));
         },
     .set = kSetDim},
    {.name = "iterations",
     .low = 4,
     .high = 24,
     .scale = OptionScale::kLogarithmic,
     .is_whole = true,
     .meaning = "full passes of training",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return static_cast<double>(params.iterations.value_or(12)); },
     .set = [](RecipeParams& params,
               double value) { params.iterations = static_cast<std::uint32_t>(value); }},
    {.name = "popularity-exponent",
     .low = -1,
     .high = 1,
     .of_single_items = true,
     .meaning = "of the vector length of the item offered",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return params.popularity_exponent.value_or(-0.4); },
     .set = [](RecipeParams& params, double value) { params.popularity_exponent = value; }},
};

constexpr RecipeOption kCoocOptions[] = {
    {.name = "group-exponent",
     .low = 0,
     .high = 1.5,
     .meaning = "a group of n items counts n^-a",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return params.pair_score.group_exponent; },
     .set = [](RecipeParams& params, double value) { params.pair_score.group_exponent = value; }},
    {.name = "own-exponent",
     .low = 0,
     .high = 1.2,
     .meaning = "of the frequency of the item asked about",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return params.pair_score.own_exponent; },
     .set = [](RecipeParams& params, double value) { params.pair_score.own_exponent = value; }},
    {.name = "other-exponent",
     .low = 0,
     .high = 1,
     .meaning = "of the frequency of the item offered",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return params.pair_score.other_exponent; },
     .set = [](RecipeParams& params, double value) { params.pair_score.other_exponent = value; }},
    {.name = "sharpness",
     .low = 0.5,
     .high = 4,
     .meaning = "power of the conditional score",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return params.pair_score.sharpness; },
     .set =
         [](RecipeParams& params, double value) {
             params.pair_score.sharpness = value;
             params.sharpness_from_support = false;
         }},
};

constexpr RecipeOption kBlueprintOptions[] = {
    {.name = "dim",
     .low = 32,
     .high = 256,
     .scale = OptionScale::kLogarithmic,
     .is_whole = true,
     .meaning = "numbers in a vector",
     .value =
         [](const RecipeParams& params, const SparseView&) {
             return static_cast<double>(
                 params.dim.value_or(static_cast<std::size_t>(kBlueprintDim)));
         },
     .set = kSetDim},
    {.name = "l2-reg",
     .low = 0.01,
     .high = 100,
     .scale = OptionScale::kLogarithmic,
     .meaning = "regularisation",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return params.l2_reg.value_or(1); },
     .set = [](RecipeParams& params, double value) { params.l2_reg = value; }},
    {.name = "alpha",
     .low = 0.1,
     .high = 10,
     .scale = OptionScale::kLogarithmic,
     .meaning = "confidence for each unit of weight",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return params.alpha.value_or(1); },
     .set = [](RecipeParams& params, double value) { params.alpha = value; }},
};

constexpr RecipeEntry kRegistry[] = {
    {Recipe::kIals, "ials", "factors of groups and items", kIalsOptions},
    {Recipe::kCooc, "cooc", "counts of pairs", kCoocOptions},
    {Recipe::kBlueprint, "blueprint", "PMI and factors of pairs as the blueprint has them",
     kBlueprintOptions},
};

/// Pairs of items of all groups, each once from either side.
double num_pair_tokens(const SparseView& interactions) {
    double pairs = 0;
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        const auto size = static_cast<double>(interactions.row_size(group));
        pairs += size * (size - 1);
    }
    return pairs;
}

RecipeCost als_cost(double dim, double iterations, double rows, double columns, double entries) {
    // docs/numerics.md: an epoch of 9.93 million entries and 159,000 rows takes .5 s at d = 64,
    // 2.8 s at 256.
    constexpr double kSecondsPerFlop = 6e-11;
    const double flops_an_epoch = 2 * entries * 8 * dim + (rows + columns) * dim * dim * 4;
    return {static_cast<std::uint64_t>((rows + columns) * dim * 8 + entries * 16),
            flops_an_epoch * iterations * kSecondsPerFlop};
}

}  // namespace

std::span<const RecipeEntry> recipe_registry() {
    return kRegistry;
}

const RecipeEntry& registered(Recipe recipe) {
    const RecipeEntry* const found = std::ranges::find(kRegistry, recipe, &RecipeEntry::recipe);
    SEGUE_ASSERT(found != std::end(kRegistry));
    return *found;
}

std::string names_of_recipes() {
    std::string names;
    for (const RecipeEntry& entry : kRegistry) {
        const bool is_last = &entry == std::end(kRegistry) - 1;
        names += fmt::format("{}{}", names.empty() ? "" : is_last ? " or " : ", ", entry.name);
    }
    return names;
}

const RecipeOption* find_option(Recipe recipe, std::string_view name) {
    const std::span<const RecipeOption> options = registered(recipe).options;
    const auto found = std::ranges::find(options, name, &RecipeOption::name);
    return found == options.end() ? nullptr : &*found;
}

Status set_option(RecipeParams& params, std::string_view name, double value) {
    const RecipeOption* const option = find_option(params.recipe, name);
    if (option == nullptr) {
        return invalid_argument(
            fmt::format("recipe {} has no option '{}'", name_of(params.recipe), name));
    }
    if (!std::isfinite(value)) {
        return invalid_argument(fmt::format("{} is {}; expected a number", name, value));
    }
    option->set(params, option->is_whole ? std::round(value) : value);
    return Status();
}

RecipeCost estimated_cost(const RecipeParams& params, const SparseView& interactions) {
    constexpr double kSecondsPerPair = 8e-9;
    const auto groups = static_cast<double>(interactions.num_rows);
    const auto items = static_cast<double>(interactions.num_columns);
    const auto entries = static_cast<double>(interactions.num_entries());
    const double pairs = num_pair_tokens(interactions);
    switch (params.recipe) {
        case Recipe::kIals:
            return als_cost(
                static_cast<double>(params.dim.value_or(static_cast<std::size_t>(kIalsDim))),
                params.iterations.value_or(12), groups, items, entries);
        case Recipe::kCooc:
            return {static_cast<std::uint64_t>(
                        entries * 16 + items * 12 * static_cast<double>(params.num_neighbours)),
                    pairs * kSecondsPerPair};
        case Recipe::kBlueprint: {
            RecipeCost cost = als_cost(
                static_cast<double>(params.dim.value_or(static_cast<std::size_t>(kBlueprintDim))),
                params.iterations.value_or(20), items, items, std::min(pairs, items * items));
            cost.core_seconds += pairs * kSecondsPerPair;
            return cost;
        }
    }
    return {};
}

}  // namespace segue
