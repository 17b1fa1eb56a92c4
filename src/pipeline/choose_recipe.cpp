#include "pipeline/choose_recipe.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

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
constexpr double kShareOfMemory = 0.8;
/// Few groups say little: parts are cut until so many were judged, but not without end.
constexpr std::size_t kEnoughGroups = 2000;
constexpr std::size_t kMostParts = 3;

bool is_told(const GraphFilterOptions& options) {
    return options.group_exponent || options.item_exponent || options.low_rank_weight ||
           options.low_rank_dim || options.sharpening;
}

/// The recipe with its defaults, then in its other regimes where none of its options was told.
std::vector<Candidate> candidates_of(Recipe recipe, RecipeParams params) {
    params.recipe = recipe;
    std::vector<Candidate> candidates(1);
    candidates.front().recipe = recipe;
    candidates.front().params = params;
    for (const RecipeRegime& regime : registered(recipe).regimes) {
        if (!regime.is_chosen_from || is_told(params.graph_filter)) {
            continue;
        }
        Candidate candidate = candidates.front();
        for (const auto& [name, value] : regime.settings) {
            find_option(recipe, name)->set(candidate.params, value);
            candidate.settings +=
                fmt::format("{}{} {}", candidate.settings.empty() ? "" : ", ", name, value);
        }
        candidates.push_back(std::move(candidate));
    }
    return candidates;
}

/// "1.6 GB"
std::string gigabytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

/// To learn by a table and to make lists for so many of its groups.
double seconds_of(const RecipeCost& cost, std::size_t num_lists) {
    return (cost.core_seconds + static_cast<double>(num_lists) * cost.core_seconds_of_list) /
           kAssumedCores;
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
        for (Candidate& candidate : candidates_of(entry.recipe, params)) {
            candidate.cost = estimated_cost(candidate.params, interactions);
            if (most != 0 && candidate.cost.bytes > most) {
                candidate.trial_seconds = std::numeric_limits<double>::infinity();
                candidate.left_out = fmt::format("needs {} of memory, {} are there",
                                                 gigabytes(candidate.cost.bytes), gigabytes(most));
            }
            candidates.push_back(std::move(candidate));
        }
    }
    return candidates;
}

/// What is tried, on which share of the groups, and how long that takes.
struct Plan {
    double share = 1;
    double seconds = 0;
};

/// Works out what trials take.
class TrialPlanner {
public:
    TrialPlanner(const Dataset& dataset, const ChooseParams& choose, std::uint64_t seed)
        : dataset_(dataset), choose_(choose), seed_(seed) {}

    /// Says of each candidate what trying it on a share of the groups takes, and adds it up.
    double estimate(std::vector<Candidate>& candidates, double share) const {
        Dataset sample;
        if (share < 1) {
            sample = sample_groups(dataset_, share, seed_);
        }
        const SparseView interactions = (share < 1 ? sample : dataset_).interactions.view();
        const std::size_t judged = std::min(interactions.num_rows, choose_.most_judged_groups);
        double seconds = 0;
        for (Candidate& candidate : candidates) {
            if (is_tried(candidate)) {
                candidate.trial_seconds =
                    seconds_of(estimated_cost(candidate.params, interactions), judged);
                seconds += candidate.trial_seconds;
            }
        }
        return seconds;
    }

    /// Leaves out recipes until the rest can be tried in time on as many groups as say anything
    /// about the whole: a table of few of them is another table.
    Plan plan(std::vector<Candidate>& candidates) const {
        for (auto left = std::ranges::count_if(candidates, is_tried); left > 0; --left) {
            const double smallest = left > 1 ? kSmallestShare : kSmallestShareAlone;
            for (double share = 1; share >= smallest; share /= 2) {
                const double seconds = estimate(candidates, share);
                if (seconds <= choose_.max_seconds) {
                    return {share, seconds};
                }
            }
            Candidate* const costliest = costliest_of(candidates);
            costliest->left_out = fmt::format("would take about {:.0f} s, {:.0f} are given",
                                              costliest->trial_seconds, choose_.max_seconds);
        }
        return {};
    }

private:
    static constexpr double kSmallestShare = 0.5;
    static constexpr double kSmallestShareAlone = 0.03125;

    /// By what trying it took when it was estimated last.
    static Candidate* costliest_of(std::vector<Candidate>& candidates) {
        Candidate* costliest = nullptr;
        for (Candidate& candidate : candidates) {
            if (is_tried(candidate) &&
                (costliest == nullptr || candidate.trial_seconds > costliest->trial_seconds)) {
                costliest = &candidate;
            }
        }
        SEGUE_ASSERT(costliest != nullptr);
        return costliest;
    }

    const Dataset& dataset_;
    const ChooseParams& choose_;
    std::uint64_t seed_;
};

std::string plan_text(const std::vector<Candidate>& candidates, const Plan& plan,
                      double max_seconds) {
    std::string tried;
    std::string left_out;
    for (const Candidate& candidate : candidates) {
        std::string& names = is_tried(candidate) ? tried : left_out;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", title_of(candidate));
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

/// How much slower than estimated this machine is, by what it has done so far.
class Slowdown {
public:
    void add(double estimated_seconds, double seconds) {
        estimated_ += estimated_seconds;
        measured_ += seconds;
    }
    /// Little was done: what is fixed about a fit would count for all of it. And estimates are
    /// rough, so that no recipe is left out for what only another was underestimated by.
    double factor() const {
        constexpr double kFewestSeconds = 2;
        constexpr double kMost = 3;
        return measured_ < kFewestSeconds ? 1
                                          : std::clamp(measured_ / (estimated_ + 0.1), 1.0, kMost);
    }

private:
    double estimated_ = 0;
    double measured_ = 0;
};

Status try_candidates(const std::vector<DatasetSplit>& parts, double max_seconds, ThreadPool& pool,
                      const ProgressListener& progress, std::vector<Candidate>& candidates) {
    const Stopwatch watch;
    // Cheap ones first: when the time is up, most of them are done.
    std::ranges::stable_sort(candidates, {}, &Candidate::trial_seconds);
    Slowdown slowdown;
    std::size_t num_done = 0;
    for (Candidate& candidate : candidates) {
        report(progress, {"choose", num_done++, candidates.size(), "recipes", title_of(candidate)});
        if (!is_tried(candidate)) {
            continue;
        }
        const double estimated = static_cast<double>(parts.size()) * candidate.trial_seconds;
        const double expected = estimated * slowdown.factor();
        const double left = max_seconds - watch.seconds();
        if (expected > left) {
            candidate.left_out = fmt::format(
                "would take about {:.0f} s here, {:.0f} of {:.0f} are "
                "left",
                expected, std::max(0.0, left), max_seconds);
            continue;
        }
        const Stopwatch trial;
        const Result<ValidationScore> score = score_on_all(parts, candidate.params, pool);
        if (!score.ok()) {
            return score.status().with_context(title_of(candidate));
        }
        candidate.score = *score;
        slowdown.add(estimated, trial.seconds());
    }
    return Status();
}

void take(RecipeChoice& choice, const Candidate& winner) {
    choice.winner = winner.recipe;
    choice.params = winner.params;
}

/// For tables where nothing can be tried in time.
RecipeChoice take_cheapest(RecipeChoice choice, double max_seconds) {
    take(choice, *std::ranges::min_element(choice.candidates, {}, &Candidate::trial_seconds));
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
    const Plan plan = TrialPlanner(dataset, choose, params.seed).plan(choice.candidates);
    if (std::ranges::none_of(choice.candidates, is_tried)) {
        return take_cheapest(std::move(choice), choose.max_seconds);
    }
    choice.share_of_groups = plan.share;
    const Result<std::vector<DatasetSplit>> parts = cut_parts(dataset, plan, choose, params.seed);
    if (!parts.ok()) {
        take(choice, candidates_of(Recipe::kIals, params).front());
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
            try_candidates(*parts, choose.max_seconds, pool, progress, choice.candidates);
        !status.ok()) {
        return status;
    }
    std::ranges::stable_sort(choice.candidates, is_better);
    take(choice, choice.candidates.front());
    choice.seconds = watch.seconds();
    return choice;
}

std::string title_of(const Candidate& candidate) {
    const std::string name(name_of(candidate.recipe));
    return candidate.settings.empty() ? name : fmt::format("{} ({})", name, candidate.settings);
}

void write_choice(const RecipeChoice& choice, JsonWriter& json) {
    json.begin_object();
    for (const Candidate& candidate : choice.candidates) {
        json.key(title_of(candidate));
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
