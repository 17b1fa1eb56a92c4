#include "pipeline/choose_recipe.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/memory.h"
#include "base/stopwatch.h"

namespace segue {

namespace {

constexpr bool is_candidate(Recipe recipe) {
    return recipe != Recipe::kBlueprint;
}

/// Estimates are for this many cores, whatever the machine has, so that the choice is the same
/// everywhere.
constexpr double kAssumedCores = 2;
constexpr double kShares[] = {1, 0.5, 0.25, 0.125, 0.0625, 0.03125};
constexpr double kShareOfMemory = 0.8;
/// Few groups say little: parts are cut until so many were judged, but not without end.
constexpr std::size_t kEnoughGroups = 2000;
constexpr std::size_t kMostParts = 3;

RecipeParams with_recipe(RecipeParams params, Recipe recipe) {
    params.recipe = recipe;
    return params;
}

/// "1.6 GB"
std::string gigabytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

double seconds_of(const RecipeCost& cost) {
    return cost.core_seconds / kAssumedCores;
}

bool is_tried(const Candidate& candidate) {
    return candidate.left_out.empty();
}

std::vector<Candidate> find_candidates(const SparseView& interactions, const RecipeParams& params,
                                       const ChooseParams& choose) {
    const std::uint64_t available = available_memory_bytes();
    const std::uint64_t most =
        choose.max_bytes != 0
            ? choose.max_bytes
            : static_cast<std::uint64_t>(kShareOfMemory * static_cast<double>(available));
    std::vector<Candidate> candidates;
    for (const RecipeEntry& entry : recipe_registry()) {
        if (!is_candidate(entry.recipe)) {
            continue;
        }
        Candidate candidate;
        candidate.recipe = entry.recipe;
        candidate.cost = estimated_cost(with_recipe(params, entry.recipe), interactions);
        if (most != 0 && candidate.cost.bytes > most) {
            candidate.left_out = fmt::format("needs {} of memory, {} are there",
                                             gigabytes(candidate.cost.bytes), gigabytes(most));
        }
        candidates.push_back(std::move(candidate));
    }
    return candidates;
}

/// Seconds that trying takes on a share of the groups.
double seconds_of_trial(const std::vector<Candidate>& candidates, const RecipeParams& params,
                        const Dataset& dataset, double share, std::uint64_t seed) {
    Dataset sample;
    if (share < 1) {
        sample = sample_groups(dataset, share, seed);
    }
    const SparseView interactions =
        share < 1 ? sample.interactions.view() : dataset.interactions.view();
    double seconds = 0;
    for (const Candidate& candidate : candidates) {
        if (is_tried(candidate)) {
            seconds +=
                seconds_of(estimated_cost(with_recipe(params, candidate.recipe), interactions));
        }
    }
    return seconds;
}

/// What is tried, on which share of the groups, and how long that takes.
struct Plan {
    double share = 1;
    double seconds = 0;
};

/// Leaves out recipes until the rest can be tried in time.
Plan plan_trial(std::vector<Candidate>& candidates, const RecipeParams& params,
                const Dataset& dataset, double max_seconds) {
    for (;;) {
        for (const double share : kShares) {
            const double seconds =
                seconds_of_trial(candidates, params, dataset, share, params.seed);
            if (seconds <= max_seconds) {
                return {share, seconds};
            }
        }
        Candidate* costliest = nullptr;
        for (Candidate& candidate : candidates) {
            if (is_tried(candidate) && (costliest == nullptr || candidate.cost.core_seconds >
                                                                    costliest->cost.core_seconds)) {
                costliest = &candidate;
            }
        }
        SEGUE_ASSERT(costliest != nullptr);
        costliest->left_out = fmt::format("would take about {:.0f} s, {:.0f} are given",
                                          seconds_of(costliest->cost), max_seconds);
    }
}

std::string plan_text(const std::vector<Candidate>& candidates, const Plan& plan,
                      double max_seconds) {
    std::string tried;
    std::string left_out;
    for (const Candidate& candidate : candidates) {
        std::string& names = is_tried(candidate) ? tried : left_out;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(candidate.recipe));
        if (!is_tried(candidate)) {
            names += fmt::format(" ({})", candidate.left_out);
        }
    }
    return fmt::format(
        "choosing between {} on a validation part{}: about {:.0f} s, at most {:.0f} (--seconds){}",
        tried, plan.share < 1 ? fmt::format(" of 1/{:.0f} of the groups", 1 / plan.share) : "",
        std::max(1.0, plan.seconds), max_seconds,
        left_out.empty() ? "" : fmt::format("; left out: {}", left_out));
}

bool is_better(const Candidate& left, const Candidate& right) {
    if (is_tried(left) != is_tried(right)) {
        return is_tried(left);
    }
    return is_tried(left) && left.score.rank() > right.score.rank();
}

/// Means over all parts.
Result<ValidationScore> score_on_all(const std::vector<DatasetSplit>& parts,
                                     const RecipeParams& params, ThreadPool& pool) {
    ValidationScore mean;
    const auto share = 1 / static_cast<double>(parts.size());
    for (const DatasetSplit& part : parts) {
        const Result<ValidationScore> score = score_on(part, params, pool);
        if (!score.ok()) {
            return score.status();
        }
        mean.recall += share * score->recall;
        mean.ndcg += share * score->ndcg;
        mean.seconds += score->seconds;
    }
    return mean;
}

std::size_t count_judged(const DatasetSplit& part) {
    std::size_t judged = 0;
    for (std::size_t group = 0; group < part.test.num_rows; ++group) {
        judged += part.test.view().row_size(group) > 0 ? 1 : 0;
    }
    return judged;
}

/// One part, or several of seeds one after the other where they have few groups and there is time.
Result<std::vector<DatasetSplit>> cut_parts(const Dataset& dataset, const Plan& plan,
                                            const ChooseParams& choose, std::uint64_t seed) {
    std::vector<DatasetSplit> parts;
    std::size_t judged = 0;
    do {
        Result<DatasetSplit> part =
            cut_validation(dataset, plan.share, choose.most_judged_groups, seed + parts.size());
        if (!part.ok()) {
            return part.status();
        }
        judged += count_judged(*part);
        parts.push_back(std::move(part).value());
    } while (judged < std::min(kEnoughGroups, choose.most_judged_groups) &&
             parts.size() < kMostParts &&
             static_cast<double>(parts.size() + 1) * plan.seconds <= choose.max_seconds);
    return parts;
}

Status try_candidates(const std::vector<DatasetSplit>& parts, const RecipeParams& params,
                      double max_seconds, ThreadPool& pool, const ProgressListener& progress,
                      std::vector<Candidate>& candidates) {
    const Stopwatch watch;
    // Cheap ones first: when the time is up, most of them are done.
    std::ranges::stable_sort(
        candidates, {}, [](const Candidate& candidate) { return candidate.cost.core_seconds; });
    std::size_t num_done = 0;
    for (Candidate& candidate : candidates) {
        report(progress,
               {"choose", num_done++, candidates.size(), "recipes", name_of(candidate.recipe)});
        if (!is_tried(candidate)) {
            continue;
        }
        if (watch.seconds() > max_seconds) {
            candidate.left_out = fmt::format("the {:.0f} s were up", max_seconds);
            continue;
        }
        const Result<ValidationScore> score =
            score_on_all(parts, with_recipe(params, candidate.recipe), pool);
        if (!score.ok()) {
            return score.status().with_context(name_of(candidate.recipe));
        }
        candidate.score = *score;
    }
    return Status();
}

/// For tables where nothing can be tried in time.
RecipeChoice take_cheapest(RecipeChoice choice, double max_seconds) {
    choice.winner = std::ranges::min_element(choice.candidates, {}, [](const Candidate& candidate) {
                        return candidate.cost.core_seconds;
                    })->recipe;
    choice.warnings.push_back(
        fmt::format("no recipe can be tried in {:g} s; {}, the cheapest, was taken", max_seconds,
                    name_of(choice.winner)));
    return choice;
}

}  // namespace

Status ChooseParams::validate() const {
    return max_seconds > 0
               ? Status()
               : invalid_argument(fmt::format("seconds is {}; expected more than 0", max_seconds));
}

std::vector<std::string> names_of_candidates() {
    std::vector<std::string> names;
    for (const RecipeEntry& entry : recipe_registry()) {
        if (is_candidate(entry.recipe)) {
            names.emplace_back(entry.name);
        }
    }
    return names;
}

Result<RecipeChoice> choose_recipe(const Dataset& dataset, const RecipeParams& params,
                                   const ChooseParams& choose, ThreadPool& pool,
                                   const ProgressListener& progress) {
    if (Status status = choose.validate(); !status.ok()) {
        return status;
    }
    const Stopwatch watch;
    RecipeChoice choice;
    choice.candidates = find_candidates(dataset.interactions.view(), params, choose);
    if (std::ranges::none_of(choice.candidates, is_tried)) {
        return resource_limit("no recipe fits in memory: " + choice.candidates.front().left_out);
    }
    const Plan plan = plan_trial(choice.candidates, params, dataset, choose.max_seconds);
    if (std::ranges::none_of(choice.candidates, is_tried)) {
        return take_cheapest(std::move(choice), choose.max_seconds);
    }
    choice.share_of_groups = plan.share;
    const Result<std::vector<DatasetSplit>> parts = cut_parts(dataset, plan, choose, params.seed);
    if (!parts.ok()) {
        choice.winner = Recipe::kIals;
        choice.warnings.push_back("no recipe could be tried, ials was taken: " +
                                  parts.status().message());
        return choice;
    }
    report(progress, {"choose",
                      0,
                      0,
                      {},
                      plan_text(choice.candidates,
                                {plan.share, plan.seconds * static_cast<double>(parts->size())},
                                choose.max_seconds)});
    for (const DatasetSplit& part : *parts) {
        choice.judged_groups += count_judged(part);
    }
    if (Status status =
            try_candidates(*parts, params, choose.max_seconds, pool, progress, choice.candidates);
        !status.ok()) {
        return status;
    }
    std::ranges::stable_sort(choice.candidates, is_better);
    choice.winner = choice.candidates.front().recipe;
    choice.seconds = watch.seconds();
    return choice;
}

void write_choice(const RecipeChoice& choice, JsonWriter& json) {
    json.begin_object();
    for (const Candidate& candidate : choice.candidates) {
        json.key(name_of(candidate.recipe));
        if (!is_tried(candidate)) {
            json.value("left out: " + candidate.left_out);
            continue;
        }
        json.begin_object();
        json.key(fmt::format("recall@{}", kValidationK)).value(candidate.score.recall);
        json.key(fmt::format("ndcg@{}", kValidationK)).value(candidate.score.ndcg).end_object();
    }
    json.end_object();
}

}  // namespace segue
