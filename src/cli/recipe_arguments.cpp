#include "cli/recipe_arguments.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "cli/wording.h"
#include "pipeline/evaluate.h"
#include "pipeline/recipe_registry.h"

namespace segue::cli {
namespace {

constexpr Range kWeightRange = {0, 1e9};
constexpr Range kIterationsRange = {1, 10'000};

/// Flags that not every recipe goes by, and the recipes that do.
struct OwnFlag {
    std::string_view name;
    std::string_view first_recipe;
    std::string_view second_recipe = {};
    std::string_view third_recipe = {};
};

constexpr OwnFlag kOwnFlags[] = {
    {"dim", "ials", "blueprint"},
    {"iterations", "ials", "blueprint"},
    {"loss", "ials", "blueprint"},
    {"solver", "ials", "blueprint"},
    {"solver-steps", "ials", "blueprint"},
    {"unobserved-weight", "ials", "blueprint"},
    {"l2-reg", "ials", "blueprint"},
    {"alpha", "ials", "blueprint"},
    {"min-relative-progress", "ials", "blueprint"},
    {"stop-on-recall", "ials"},
    {"negative", "blueprint"},
    {"no-diagonal", "blueprint"},
    {"score", "cooc"},
    {"group-exponent", "cooc", "ease", "graph-filter"},
    {"own-exponent", "cooc"},
    {"other-exponent", "cooc"},
    {"shrinkage", "cooc"},
    {"sharpness", "cooc"},
    {"several", "cooc"},
    {"window", "cooc"},
    {"cut-groups-to", "cooc"},
    {"ridge", "ease"},
    {"dropout", "ease"},
    {"balance", "ease"},
    {"diagonal", "ease"},
    {"item-exponent", "graph-filter"},
    {"low-rank-weight", "graph-filter"},
    {"low-rank-dim", "graph-filter"},
    {"sharpening", "graph-filter"},
    {"item-popularity-exponent", "cooc", "ease", "graph-filter"},
};

std::string value_text(Options& options, std::string_view name) {
    JsonWriter json;
    options.find(name)->write(json);
    return json.take();
}

std::optional<AlsSolver> solver_named(const std::optional<std::string>& name) {
    if (!name) {
        return std::nullopt;
    }
    return *name == "cholesky" ? AlsSolver::kCholesky
           : *name == "cg"     ? AlsSolver::kCg
                               : AlsSolver::kEigenPcg;
}

std::optional<AlsLoss> loss_named(const std::optional<std::string>& name) {
    if (!name) {
        return std::nullopt;
    }
    return *name == "hu" ? AlsLoss::kHu : AlsLoss::kRendle;
}

/// "auto", or a number whose range RecipeParams checks.
Status set_sharpness(const std::string& text, RecipeParams& params) {
    params.sharpness_from_support = text == "auto";
    if (params.sharpness_from_support) {
        return Status();
    }
    const std::optional<double> sharpness = parse_double(text);
    if (!sharpness) {
        return invalid_argument("--sharpness is '" + text + "'; expected a number or auto");
    }
    params.pair_score.sharpness = *sharpness;
    return Status();
}

}  // namespace

void RecipeArguments::declare(Options& options) {
    options.number("seed", seed, kSeedRange, "equal seeds give equal files");
    options.number("dim", dim, kDimRange, "numbers in a vector (ials 64, blueprint 50)");
    options.number("iterations", iterations, kIterationsRange,
                   "full passes of training (ials 12, blueprint 20)");
    options.choice("loss", loss, {"rendle", "hu"}, "weighting convention of the objective");
    options.choice("solver", solver, {"eigen-pcg", "cholesky", "cg"},
                   "how rows are solved (eigen-pcg)");
    options.number("solver-steps", solver_steps, {0, 64},
                   "steps of eigen-pcg and cg; 0 goes by dim");
    options.number("unobserved-weight", unobserved_weight, kWeightRange,
                   "rendle: weight of all pairs towards 0 (from the density)");
    options.number("l2-reg", l2_reg, kWeightRange,
                   "regularisation (from the density; blueprint 1)");
    options.number("alpha", alpha, kWeightRange, "hu: confidence for each unit of weight (1)");
    options.number("min-relative-progress", min_relative_progress, {0, 1},
                   "stop when the loss falls by less (0 never; blueprint 0.01)");
    options.flag("stop-on-recall", stop_on_recall,
                 "ials: hold out a fifth of each history and stop when recall falls");
    options.choice("negative", negative, {"confident", "clip", "drop"},
                   "blueprint: what becomes of pairs below chance");
    options.flag("no-diagonal", no_diagonal, "blueprint: leave out pairs of an item with itself");
    options.choice("score", score,
                   {"conditional", "count", "cosine", "jaccard", "llr", "npmi", "pmi", "cooc-pmi"},
                   "cooc: how pairs are scored");
    options.number("group-exponent", group_exponent, kExponentRange,
                   "a group of n items counts n^-a (cooc, graph-filter 0.5, ease 0.4)");
    options.number("own-exponent", own_exponent, kExponentRange,
                   "cooc: exponent of the frequency of the item asked about");
    options.number("other-exponent", other_exponent, kExponentRange,
                   "cooc: exponent of the frequency of the item offered");
    options.number("shrinkage", shrinkage, kWeightRange, "cooc: added below the shrunk cosine");
    options.text(
        "sharpness", sharpness, "X|auto",
        "cooc: power of the conditional score; auto goes by how well counts are known (1)");
    options.choice("several", several, {"sum", "max"},
                   "cooc: what the scores of several items become");
    options.number("window", window, {0, 1'000'000},
                   "cooc: count pairs at most this far apart; 0 counts all of a group");
    options.number("cut-groups-to", cut_groups_to, kCountRange,
                   "cooc: keep a seeded sample of long groups; 0 keeps them whole");
    options.number("ridge", ridge, kWeightRange,
                   "ease: regularisation, in groups (from the table)");
    options.number("dropout", dropout, {0, 100},
                   "ease: more of it in proportion to an item's frequency (0.7)");
    options.number("balance", balance, kExponentRange,
                   "ease: weights count (frequency of the history's item / of the offered)^c (0)");
    options.number("diagonal", diagonal, {0, 0.99},
                   "ease: the most an item's own weight may be, which answers leave out (0.5)");
    options.number("item-exponent", item_exponent, {0, 4},
                   "graph-filter: an item of f groups counts f^-b (0.45)");
    options.number("low-rank-weight", low_rank_weight, {0, 4},
                   "graph-filter: weight of the low-rank part (0.3)");
    options.number("low-rank-dim", low_rank_dim, kDimRange,
                   "graph-filter: singular vectors of that part (256, fewer of small tables)");
    options.number("sharpening", sharpening, {0, 4},
                   "graph-filter: how far scores are sharpened (1)");
    options.number("popularity-exponent", popularity_exponent, kExponentRange,
                   "how strongly popular items are held down in answers");
    options.number("item-popularity-exponent", item_popularity_exponent, kExponentRange,
                   "the same for one item asked about alone (cooc, ease, graph-filter)");
    options.number("neighbours", neighbours, {1, 10'000},
                   "length of the stored lists (100; ease and graph-filter 200)");
}

namespace {

/// Calls use(name, text of the value) for each flag that is not at its default.
template <typename Use>
void for_each_changed(RecipeArguments given, const Use& use) {
    Options given_values("", "");
    given.declare(given_values);
    RecipeArguments untouched;
    Options defaults("", "");
    untouched.declare(defaults);
    for (const Option& option : given_values.all()) {
        const std::string value = value_text(given_values, option.name);
        if (value != value_text(defaults, option.name)) {
            use(option.name, value);
        }
    }
}

/// Flags that no recipe has for itself are everybody's.
bool goes_by(std::string_view recipe, std::string_view flag) {
    const OwnFlag* const own = std::ranges::find(kOwnFlags, flag, &OwnFlag::name);
    return own == std::end(kOwnFlags) || own->first_recipe == recipe ||
           own->second_recipe == recipe || own->third_recipe == recipe;
}

}  // namespace

void RecipeArguments::warn_of_unused(std::span<const std::string> recipes, Console& console) const {
    for_each_changed(*this, [&](const std::string& flag, const std::string&) {
        if (std::ranges::none_of(recipes, [&](const auto& name) { return goes_by(name, flag); })) {
            console.warn(fmt::format("--{} is not used by recipe {}", flag, join(recipes, ", ")));
        }
    });
}

std::vector<std::string> RecipeArguments::changed(std::string_view recipe) const {
    std::vector<std::string> flags;
    for_each_changed(*this, [&](const std::string& flag, const std::string&) {
        if (goes_by(recipe, flag)) {
            flags.push_back(flag);
        }
    });
    return flags;
}

void RecipeArguments::write_changed(std::string_view recipe, JsonWriter& json) const {
    for_each_changed(*this, [&](const std::string& flag, const std::string& value) {
        if (goes_by(recipe, flag)) {
            json.key(flag).raw(value);
        }
    });
}

std::vector<std::string> recipe_choices() {
    std::vector<std::string> names = {std::string(kAutoRecipe)};
    for (const RecipeEntry& entry : recipe_registry()) {
        names.emplace_back(entry.name);
    }
    return names;
}

std::string recipe_summaries() {
    std::string text;
    for (const RecipeEntry& entry : recipe_registry()) {
        text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", entry.name, entry.summary);
    }
    return text;
}

Result<RecipeParams> RecipeArguments::params(Recipe recipe) const {
    RecipeParams params;
    params.recipe = recipe;
    params.seed = seed;
    params.dim = dim;
    params.iterations = iterations;
    params.loss = loss_named(loss);
    params.solver = solver_named(solver);
    params.solver_steps = solver_steps;
    params.unobserved_weight = unobserved_weight;
    params.l2_reg = l2_reg;
    params.alpha = alpha;
    params.min_relative_progress = min_relative_progress;
    params.negative = negative == "clip"   ? NegativeWeights::kClip
                      : negative == "drop" ? NegativeWeights::kDrop
                                           : NegativeWeights::kConfident;
    params.diagonal = !no_diagonal;
    params.stop_on_recall = stop_on_recall;
    const Result<PairScore> pair_score = pair_score_by_name(score);
    if (!pair_score.ok()) {
        return pair_score.status();
    }
    params.pair_score = {.score = *pair_score,
                         .group_exponent = group_exponent.value_or(0.5),
                         .own_exponent = own_exponent,
                         .other_exponent = other_exponent,
                         .shrinkage = shrinkage};
    if (Status status = set_sharpness(sharpness, params); !status.ok()) {
        return status;
    }
    params.takes_best = several == "max";
    params.window = window;
    params.cut_groups_to = cut_groups_to;
    params.popularity_exponent = popularity_exponent;
    params.item_popularity_exponent = item_popularity_exponent;
    params.ease = {.ridge = ridge,
                   .dropout = dropout,
                   .group_exponent = group_exponent,
                   .balance = balance,
                   .diagonal = diagonal};
    params.graph_filter = {.group_exponent = group_exponent,
                           .item_exponent = item_exponent,
                           .low_rank_weight = low_rank_weight,
                           .low_rank_dim = low_rank_dim,
                           .sharpening = sharpening};
    params.num_neighbours = neighbours.value_or(params.num_neighbours);
    params.num_weights = neighbours;
    if (Status status = params.validate(); !status.ok()) {
        return status;
    }
    return params;
}

CleaningDefaults cleaning_of(Recipe recipe) {
    return recipe == Recipe::kBlueprint ? CleaningDefaults::kBlueprint : CleaningDefaults::kKeepAll;
}

}  // namespace segue::cli
