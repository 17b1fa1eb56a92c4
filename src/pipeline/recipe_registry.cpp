#include "pipeline/recipe_registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <type_traits>

#include "cooc/counting_plan.h"
#include "pipeline/ials_defaults.h"
#include "pipeline/linear_defaults.h"
#include "pipeline/popularity_defaults.h"

namespace segue {

namespace {

constexpr std::size_t kIalsDim = 64;
constexpr std::size_t kBlueprintDim = 50;

/// What an optional holds, or the type itself.
template <typename T>
struct HeldBy {
    using Type = T;
};
template <typename T>
struct HeldBy<std::optional<T>> {
    using Type = T;
};

/// Sets what the members lead to, one in the other.
template <auto... kMembers>
void set_number(RecipeParams& params, double value) {
    auto& number = (params.*....*kMembers);
    number = static_cast<typename HeldBy<std::decay_t<decltype(number)>>::Type>(value);
}

/// What was told, or a constant.
template <auto kMember, std::size_t kDefault>
double told_or(const RecipeParams& params, const SparseView& /*interactions*/) {
    const auto& told = params.*kMember;
    return told ? static_cast<double>(*told) : static_cast<double>(kDefault);
}

/// What was told, or what `ials` takes from the table.
template <auto kMember, auto kParam>
double told_or_from_table(const RecipeParams& params, const SparseView& interactions) {
    const auto& told = params.*kMember;
    return told ? *told : default_ials_params(interactions, params.dim.value_or(kIalsDim)).*kParam;
}

/// One of the parameters a recipe works out of what was told and the table.
template <auto kWorkOut, auto kParam>
double worked_out(const RecipeParams& params, const SparseView& interactions) {
    return static_cast<double>(kWorkOut(params, interactions).*kParam);
}

template <auto kMember>
double of_pair_score(const RecipeParams& params, const SparseView& /*interactions*/) {
    return params.pair_score.*kMember;
}

using Params = RecipeParams;

constexpr RecipeOption kItemPopularityExponent = {
    .name = "item-popularity-exponent",
    .low = -1,
    .high = 1,
    .of_single_items = true,
    .meaning = "of the frequency of what is offered to one item",
    .value = [](const RecipeParams& params,
                const SparseView&) { return popularity_exponents(params).of_items; },
    .set = set_number<&Params::item_popularity_exponent>};

constexpr RecipeOption kIalsOptions[] = {
    {.name = "unobserved-weight",
     .low = 1e-3,
     .high = 1,
     .scale = OptionScale::kLogarithmic,
     .meaning = "weight of all pairs towards 0",
     .value = told_or_from_table<&Params::unobserved_weight, &AlsParams::unobserved_weight>,
     .set = set_number<&Params::unobserved_weight>},
    {.name = "l2-reg",
     .low = 1e-4,
     .high = 0.3,
     .scale = OptionScale::kLogarithmic,
     .meaning = "regularisation",
     .value = told_or_from_table<&Params::l2_reg, &AlsParams::l2_reg>,
     .set = set_number<&Params::l2_reg>},
    {.name = "dim",
     .low = 32,
     .high = 256,
     .scale = OptionScale::kLogarithmic,
     .is_whole = true,
     .meaning = "numbers in a vector",
     .value = told_or<&Params::dim, kIalsDim>,
     .set = set_number<&Params::dim>},
    {.name = "iterations",
     .low = 4,
     .high = 24,
     .scale = OptionScale::kLogarithmic,
     .is_whole = true,
     .meaning = "full passes of training",
     .value = told_or<&Params::iterations, 12>,
     .set = set_number<&Params::iterations>},
    {.name = "popularity-exponent",
     .low = -1,
     .high = 1,
     .of_single_items = true,
     .meaning = "of the vector length of the item offered",
     .value = [](const RecipeParams& params,
                 const SparseView&) { return params.popularity_exponent.value_or(-0.4); },
     .set = set_number<&Params::popularity_exponent>},
};

constexpr RecipeOption kCoocOptions[] = {
    {.name = "group-exponent",
     .low = 0,
     .high = 1.5,
     .meaning = "a group of n items counts n^-a",
     .value = of_pair_score<&PairScoreParams::group_exponent>,
     .set = set_number<&Params::pair_score, &PairScoreParams::group_exponent>},
    {.name = "own-exponent",
     .low = 0,
     .high = 1.2,
     .meaning = "of the frequency of the item asked about",
     .value = of_pair_score<&PairScoreParams::own_exponent>,
     .set = set_number<&Params::pair_score, &PairScoreParams::own_exponent>},
    {.name = "other-exponent",
     .low = 0,
     .high = 1,
     .meaning = "of the frequency of the item offered",
     .value = of_pair_score<&PairScoreParams::other_exponent>,
     .set = set_number<&Params::pair_score, &PairScoreParams::other_exponent>},
    {.name = "sharpness",
     .low = 0.5,
     .high = 4,
     .meaning = "power of the conditional score",
     .value = of_pair_score<&PairScoreParams::sharpness>,
     .set =
         [](RecipeParams& params, double value) {
             params.pair_score.sharpness = value;
             params.sharpness_from_support = false;
         }},
    kItemPopularityExponent,
};

constexpr RecipeOption kEaseOptions[] = {
    {.name = "ridge",
     .low = 3,
     .high = 3000,
     .scale = OptionScale::kLogarithmic,
     .meaning = "regularisation, in groups",
     .value = worked_out<ease_params, &EaseParams::ridge>,
     .set = set_number<&Params::ease, &EaseOptions::ridge>},
    {.name = "dropout",
     .low = 0,
     .high = 1,
     .meaning = "more of it in proportion to an item's frequency",
     .value = worked_out<ease_params, &EaseParams::dropout>,
     .set = set_number<&Params::ease, &EaseOptions::dropout>},
    {.name = "group-exponent",
     .low = 0,
     .high = 1,
     .meaning = "a group of n items counts n^-a",
     .value = worked_out<ease_params, &EaseParams::group_exponent>,
     .set = set_number<&Params::ease, &EaseOptions::group_exponent>},
    {.name = "balance",
     .low = 0,
     .high = 0.5,
     .meaning = "weights are multiplied by (f_i / f_j)^c",
     .value = [](const RecipeParams& params, const SparseView&) { return ease_balance(params); },
     .set = set_number<&Params::ease, &EaseOptions::balance>},
    {.name = "diagonal",
     .low = 0,
     .high = 0.9,
     .meaning = "the most an item's own weight may be",
     .value = worked_out<ease_params, &EaseParams::diagonal>,
     .set = set_number<&Params::ease, &EaseOptions::diagonal>},
    kItemPopularityExponent,
};

constexpr RecipeOption kGraphFilterOptions[] = {
    {.name = "group-exponent",
     .low = 0,
     .high = 1.5,
     .meaning = "a group of n items counts n^-a",
     .value = worked_out<graph_filter_params, &GraphFilterParams::group_exponent>,
     .set = set_number<&Params::graph_filter, &GraphFilterOptions::group_exponent>},
    {.name = "item-exponent",
     .low = 0.2,
     .high = 0.8,
     .meaning = "an item of f groups counts f^-b",
     .value = worked_out<graph_filter_params, &GraphFilterParams::item_exponent>,
     .set = set_number<&Params::graph_filter, &GraphFilterOptions::item_exponent>},
    {.name = "low-rank-weight",
     .low = 0,
     .high = 1,
     .meaning = "weight of the low-rank part",
     .value = worked_out<graph_filter_params, &GraphFilterParams::low_rank_weight>,
     .set = set_number<&Params::graph_filter, &GraphFilterOptions::low_rank_weight>},
    {.name = "sharpening",
     .low = 0,
     .high = 3,
     .meaning = "how far scores are sharpened",
     .value = worked_out<graph_filter_params, &GraphFilterParams::sharpening>,
     .set = set_number<&Params::graph_filter, &GraphFilterOptions::sharpening>},
    {.name = "low-rank-dim",
     .low = 64,
     .high = 512,
     .scale = OptionScale::kLogarithmic,
     .is_whole = true,
     .meaning = "singular vectors of the low-rank part",
     .value = worked_out<graph_filter_params, &GraphFilterParams::low_rank_dim>,
     .set = set_number<&Params::graph_filter, &GraphFilterOptions::low_rank_dim>},
    kItemPopularityExponent,
};

constexpr RecipeOption kBlueprintOptions[] = {
    {.name = "dim",
     .low = 32,
     .high = 256,
     .scale = OptionScale::kLogarithmic,
     .is_whole = true,
     .meaning = "numbers in a vector",
     .value = told_or<&Params::dim, kBlueprintDim>,
     .set = set_number<&Params::dim>},
    {.name = "l2-reg",
     .low = 0.01,
     .high = 100,
     .scale = OptionScale::kLogarithmic,
     .meaning = "regularisation",
     .value = told_or<&Params::l2_reg, 1>,
     .set = set_number<&Params::l2_reg>},
    {.name = "alpha",
     .low = 0.1,
     .high = 10,
     .scale = OptionScale::kLogarithmic,
     .meaning = "confidence for each unit of weight",
     .value = told_or<&Params::alpha, 1>,
     .set = set_number<&Params::alpha>},
};

using Setting = std::pair<std::string_view, double>;

/// Long groups beside short ones; few, clear pairs, as in baskets; what sparse tables gain by.
constexpr Setting kMixedSizes[] = {{"group-exponent", 0.6}, {"balance", 0.1}};
constexpr Setting kClearPairs[] = {{"group-exponent", 0.6}, {"balance", 0.1}, {"ridge", 50}};
constexpr Setting kMoreDropout[] = {{"dropout", 1}};
constexpr RecipeRegime kEaseRegimes[] = {{kMixedSizes}, {kClearPairs}, {kMoreDropout}};

/// Large tables of rare items want scores sharpened further, dense ones less of the long groups;
/// baskets no low-rank part.
constexpr Setting kSharper[] = {
    {"group-exponent", 0.75}, {"low-rank-weight", 0.2}, {"sharpening", 2.5}};
constexpr Setting kDenser[] = {
    {"group-exponent", 0.75}, {"low-rank-weight", 0.2}, {"sharpening", 1.5}};
constexpr Setting kBaskets[] = {
    {"group-exponent", 1}, {"item-exponent", 0.5}, {"low-rank-weight", 0}, {"sharpening", 2}};
constexpr RecipeRegime kGraphFilterRegimes[] = {{kSharper, true}, {kDenser}, {kBaskets}};

constexpr RecipeEntry kRegistry[] = {
    {Recipe::kIals, "ials", "factors of groups and items", kIalsOptions},
    {Recipe::kCooc, "cooc", "counts of pairs", kCoocOptions},
    {Recipe::kEase, "ease", "weights of items by items in closed form", kEaseOptions, kEaseRegimes},
    {Recipe::kGraphFilter, "graph-filter", "walks over the graph of groups and items, sharpened",
     kGraphFilterOptions, kGraphFilterRegimes},
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
    constexpr double kSecondsPerEntry = 4e-8 / 64;  // there and back, for one of 64 lists
    const auto items = static_cast<double>(interactions.num_columns);
    const auto entries = static_cast<double>(interactions.num_entries());
    const auto dim = static_cast<double>(params.low_rank_dim);
    const double walks = params.sharpening == 0 ? 1 : 5;
    return {.bytes = graph_filter_bytes(interactions, params, kAssumedThreads),
            .core_seconds = entries * dim * 16 * 1e-10 + items * dim * dim * 16e-11,
            .core_seconds_of_list =
                entries * walks * kSecondsPerEntry +
                (params.low_rank_weight == 0 ? 0 : 2 * items * dim * kSecondsPerDenseFlop)};
}

RecipeCost als_cost(double dim, double iterations, double rows, double columns, double entries) {
    // docs/numerics.md: an epoch of 9.93 million entries and 159,000 rows takes .5 s at d = 64,
    // 2.8 s at 256.
    constexpr double kSecondsPerFlop = 6e-11;
    const double flops_an_epoch = 2 * entries * 8 * dim + (rows + columns) * dim * dim * 4;
    return {static_cast<std::uint64_t>((rows + columns) * dim * 8 + entries * 16),
            flops_an_epoch * iterations * kSecondsPerFlop,
            2 * columns * dim * kSecondsPerDenseFlop};
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
    constexpr double kSecondsPerStep = 3e-7;     // from an item of a history to another of a group
    constexpr double kSecondsPerWeight = 2e-10;  // added to a score
    const auto groups = static_cast<double>(interactions.num_rows);
    const auto items = static_cast<double>(interactions.num_columns);
    const auto entries = static_cast<double>(interactions.num_entries());
    const double pairs = num_pair_tokens(interactions);
    switch (params.recipe) {
        case Recipe::kIals:
            return als_cost(static_cast<double>(params.dim.value_or(kIalsDim)),
                            params.iterations.value_or(12), groups, items, entries);
        case Recipe::kCooc:
            return {static_cast<std::uint64_t>(
                        entries * 16 + items * 12 * static_cast<double>(params.num_neighbours)),
                    pairs * kSecondsPerPair, pairs / std::max(1.0, groups) * kSecondsPerStep};
        case Recipe::kEase:
            return {ease_bytes(interactions.num_columns),
                    items * items * items * kSecondsPerDenseFlop + pairs * kSecondsPerPair,
                    entries / std::max(1.0, groups) * items * kSecondsPerWeight};
        case Recipe::kGraphFilter:
            return graph_filter_cost(graph_filter_params(params, interactions), interactions);
        case Recipe::kBlueprint: {
            RecipeCost cost = als_cost(static_cast<double>(params.dim.value_or(kBlueprintDim)),
                                       params.iterations.value_or(20), items, items,
                                       std::min(pairs, items * items));
            cost.core_seconds += pairs * kSecondsPerPair;
            return cost;
        }
    }
    return {};
}

}  // namespace segue
