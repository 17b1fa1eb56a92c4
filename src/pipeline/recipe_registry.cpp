#include "pipeline/recipe_registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "cooc/counting_plan.h"
#include "pipeline/ials_defaults.h"
#include "pipeline/linear_defaults.h"

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

constexpr RecipeOption kEaseOptions[] = {
    {.name = "ridge",
     .low = 3,
     .high = 3000,
     .scale = OptionScale::kLogarithmic,
     .meaning = "regularisation, in groups",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return ease_params(params, interactions).ridge;
         },
     .set = [](RecipeParams& params, double value) { params.ease.ridge = value; }},
    {.name = "dropout",
     .low = 0,
     .high = 1,
     .meaning = "more of it in proportion to an item's frequency",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return ease_params(params, interactions).dropout;
         },
     .set = [](RecipeParams& params, double value) { params.ease.dropout = value; }},
    {.name = "group-exponent",
     .low = 0,
     .high = 1,
     .meaning = "a group of n items counts n^-a",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return ease_params(params, interactions).group_exponent;
         },
     .set = [](RecipeParams& params, double value) { params.ease.group_exponent = value; }},
};

constexpr RecipeOption kGraphFilterOptions[] = {
    {.name = "group-exponent",
     .low = 0,
     .high = 1.5,
     .meaning = "a group of n items counts n^-a",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return graph_filter_params(params, interactions).group_exponent;
         },
     .set = [](RecipeParams& params, double value) { params.graph_filter.group_exponent = value; }},
    {.name = "item-exponent",
     .low = 0.2,
     .high = 0.8,
     .meaning = "an item of f groups counts f^-b",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return graph_filter_params(params, interactions).item_exponent;
         },
     .set = [](RecipeParams& params, double value) { params.graph_filter.item_exponent = value; }},
    {.name = "low-rank-weight",
     .low = 0,
     .high = 1,
     .meaning = "weight of the low-rank part",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return graph_filter_params(params, interactions).low_rank_weight;
         },
     .set = [](RecipeParams& params,
               double value) { params.graph_filter.low_rank_weight = value; }},
    {.name = "sharpening",
     .low = 0,
     .high = 3,
     .meaning = "how far scores are sharpened",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return graph_filter_params(params, interactions).sharpening;
         },
     .set = [](RecipeParams& params, double value) { params.graph_filter.sharpening = value; }},
    {.name = "low-rank-dim",
     .low = 64,
     .high = 512,
     .scale = OptionScale::kLogarithmic,
     .is_whole = true,
     .meaning = "singular vectors of the low-rank part",
     .value =
         [](const RecipeParams& params, const SparseView& interactions) {
             return static_cast<double>(graph_filter_params(params, interactions).low_rank_dim);
         },
     .set =
         [](RecipeParams& params, double value) {
             params.graph_filter.low_rank_dim = static_cast<std::uint32_t>(value);
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
    {Recipe::kEase, "ease", "weights of items by items in closed form", kEaseOptions},
    {Recipe::kGraphFilter, "graph-filter", "walks over the graph of groups and items, sharpened",
     kGraphFilterOptions},
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

/// One core, large matrices.
constexpr double kSecondsPerDenseFlop = 1.2e-11;

RecipeCost graph_filter_cost(const GraphFilterParams& params, const SparseView& interactions) {
    constexpr unsigned kAssumedThreads = 2;
    constexpr double kSecondsPerEntryAndBlock = 4e-8;  // there and back, for 64 lists
    constexpr double kListsInBlock = 64;
    const auto items = static_cast<double>(interactions.num_columns);
    const auto entries = static_cast<double>(interactions.num_entries());
    const auto dim = static_cast<double>(params.low_rank_dim);
    const double blocks = items / kListsInBlock;
    const double walks = params.sharpening == 0 ? 1 : 5;
    const double seconds_of_vectors = entries * dim * 16 * 1e-10 + items * dim * dim * 16e-11;
    return {graph_filter_bytes(interactions, params, kAssumedThreads),
            seconds_of_vectors + blocks * entries * walks * kSecondsPerEntryAndBlock +
                (params.low_rank_weight == 0 ? 0 : 2 * items * items * dim * kSecondsPerDenseFlop)};
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
        case Recipe::kEase:
            return {ease_bytes(interactions.num_columns),
                    items * items * items * kSecondsPerDenseFlop + pairs * kSecondsPerPair};
        case Recipe::kGraphFilter:
            return graph_filter_cost(graph_filter_params(params, interactions), interactions);
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
