#include "pipeline/tune.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/random.h"
#include "base/stopwatch.h"
#include "base/text.h"

namespace segue {

namespace {

/// What a round looks at: a share of the groups, and how many validation parts of it.
struct Round {
    double share = 1;
    std::size_t num_parts = 1;
};

constexpr double kRoundShares[] = {0.25, 0.5, 1};
/// How many trials stay for the next round.
constexpr double kKept = 0.5;
/// A round on fewer groups tells noise apart, not settings; it is skipped.
constexpr std::size_t kFewestGroups = 1000;
/// Tables of fewer are judged on a part more in every round.
constexpr std::size_t kEnoughGroups = 2000;
constexpr std::size_t kMostParts = 3;
/// The part of a range that is searched around the default.
constexpr double kNearShare = 0.35;
/// Enough to tell settings apart, and short to read.
constexpr int kDigits = 3;

double rounded(double value, bool is_whole) {
    if (is_whole || value == 0 || !std::isfinite(value)) {
        return std::round(value);
    }
    const double scale = std::pow(10, kDigits - 1 - std::floor(std::log10(std::abs(value))));
    return std::round(value * scale) / scale;
}

/// Where a value is in the range of an option, and back: 0 at its low end, 1 at its high end.
double place_of(const RecipeOption& option, double value) {
    if (option.scale == OptionScale::kLogarithmic) {
        return std::log(std::max(value, option.low * 1e-3) / option.low) /
               std::log(option.high / option.low);
    }
    return (value - option.low) / (option.high - option.low);
}

double value_at(const RecipeOption& option, double place) {
    const double value = option.scale == OptionScale::kLogarithmic
                             ? option.low * std::pow(option.high / option.low, place)
                             : option.low + place * (option.high - option.low);
    return rounded(value, option.is_whole);
}

std::vector<const RecipeOption*> searched_options(const TuneParams& params) {
    std::vector<const RecipeOption*> options;
    for (const RecipeOption& option : registered(params.recipe.recipe).options) {
        if (!option.of_single_items &&
            std::ranges::find(params.fixed, option.name) == params.fixed.end()) {
            options.push_back(&option);
        }
    }
    return options;
}

/// Places that fill a cube evenly however many are taken: multiples of powers of the root of
/// x^(d+1) = x + 1 (Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018).
class EvenPlaces {
public:
    EvenPlaces(std::size_t num_dimensions, std::uint64_t seed) {
        double root = 2;
        for (int step = 0; step < 64; ++step) {
            root = std::pow(1 + root, 1.0 / static_cast<double>(num_dimensions + 1));
        }
        Random random(seed);
        for (std::size_t d = 0; d < num_dimensions; ++d) {
            steps_.push_back(std::pow(root, -static_cast<double>(d + 1)));
            starts_.push_back(random.uniform());
        }
    }
    double at(std::size_t index, std::size_t dimension) const {
        const double place = starts_[dimension] + static_cast<double>(index) * steps_[dimension];
        return place - std::floor(place);
    }

private:
    std::vector<double> steps_;
    std::vector<double> starts_;
};

using Values = std::vector<std::pair<std::string, double>>;

/// The defaults, then those with the settings of each regime that are searched.
std::vector<Values> known_settings(const TuneParams& params,
                                   const std::vector<const RecipeOption*>& options,
                                   const std::vector<double>& defaults) {
    Values values;
    for (std::size_t d = 0; d < options.size(); ++d) {
        values.emplace_back(options[d]->name, value_at(*options[d], defaults[d]));
    }
    std::vector<Values> known = {values};
    for (const RecipeRegime& regime : registered(params.recipe.recipe).regimes) {
        Values changed = values;
        for (auto& [name, value] : changed) {
            const auto found = std::ranges::find(regime.settings, std::string_view(name),
                                                 &std::pair<std::string_view, double>::first);
            value = found == regime.settings.end() ? value : found->second;
        }
        if (std::ranges::find(known, changed) == known.end()) {
            known.push_back(std::move(changed));
        }
    }
    return known;
}

/// The settings to try. `defaults` are the places of the defaults.
std::vector<TuneTrial> make_trials(const TuneParams& params,
                                   const std::vector<const RecipeOption*>& options,
                                   const std::vector<double>& defaults) {
    const EvenPlaces places(options.size(), params.seed);
    const std::vector<Values> known = known_settings(params, options, defaults);
    std::vector<TuneTrial> trials(params.num_trials);
    for (std::size_t number = 0; number < trials.size(); ++number) {
        trials[number].number = number;
        if (number < known.size()) {
            trials[number].values = known[number];
            continue;
        }
        for (std::size_t d = 0; d < options.size(); ++d) {
            double place = places.at(number, d);
            if (number % 2 == 1) {
                const double middle = std::clamp(defaults[d], 0.0, 1.0);
                place = std::clamp(middle + kNearShare * (place - 0.5), 0.0, 1.0);
            }
            trials[number].values.emplace_back(options[d]->name, value_at(*options[d], place));
        }
    }
    return trials;
}

/// Best first, ties by number.
bool is_better(const TuneTrial& left, const TuneTrial& right) {
    if (left.share_of_groups != right.share_of_groups) {
        return left.share_of_groups > right.share_of_groups;
    }
    if (left.num_parts != right.num_parts) {
        return left.num_parts > right.num_parts;
    }
    if (left.score.rank() != right.score.rank()) {
        return left.score.rank() > right.score.rank();
    }
    return left.number < right.number;
}

/// Work that goes on over the rounds.
struct Search {
    const Dataset& dataset;
    const TuneParams& params;
    ThreadPool& pool;
    const ProgressListener& progress;
    Stopwatch watch;
    std::size_t num_planned = 0;  // fits of all rounds
    TuneReport report;
};

/// The setting for a part of the table: where the default of an option comes from the table, its
/// value goes up and down with it.
RecipeParams settings_for(const Search& search, const TuneTrial& trial, const SparseView& part) {
    RecipeParams settings = search.params.recipe;
    if (trial.number == 0) {
        return settings;
    }
    for (const auto& [name, value] : trial.values) {
        const RecipeOption& option = *find_option(settings.recipe, name);
        double scaled = value;
        if (option.scale == OptionScale::kLogarithmic && !option.is_whole) {
            const double whole_default =
                option.value(search.params.recipe, search.dataset.interactions.view());
            const double part_default = option.value(search.params.recipe, part);
            scaled *= whole_default > 0 && part_default > 0 ? part_default / whole_default : 1;
        }
        option.set(settings, scaled);
    }
    return settings;
}

/// Judges a trial on one part more of the share that its round looks at.
void add_score(const ValidationScore& score, double share, TuneTrial& trial) {
    if (trial.share_of_groups != share) {
        trial.num_parts = 0;
        trial.score = {};
    }
    trial.share_of_groups = share;
    ++trial.num_parts;
    const double weight = 1 / static_cast<double>(trial.num_parts);
    trial.score.recall += weight * (score.recall - trial.score.recall);
    trial.score.ndcg += weight * (score.ndcg - trial.score.ndcg);
    trial.score.seconds += score.seconds;
}

/// What a round says of itself while it runs.
std::string round_note(const Round& round, double best) {
    return fmt::format("{:.0f} % of the groups{}, best {:.4f}", 100 * round.share,
                       round.num_parts > 1 ? fmt::format(", part {}", round.num_parts) : "", best);
}

/// Each of the first trials on the last of the round's parts: they know the others.
Status run_round(Search& search, const Round& round, std::size_t num_running) {
    const Result<DatasetSplit> part =
        cut_validation(search.dataset, round.share, search.params.most_judged_groups,
                       search.params.seed + round.num_parts - 1);
    if (!part.ok()) {
        return part.status();
    }
    double best = 0;
    std::vector<TuneTrial>& trials = search.report.trials;
    for (std::size_t at = 0; at < num_running; ++at) {
        if (search.watch.seconds() > search.params.max_seconds && search.report.num_fits > 0) {
            search.report.time_was_up = true;
            return Status();
        }
        report(search.progress, {"tune", search.report.num_fits, search.num_planned, "trials",
                                 round_note(round, best)});
        const Result<ValidationScore> score = score_on(
            *part, settings_for(search, trials[at], part->train.interactions.view()), search.pool);
        if (!score.ok()) {
            return score.status().with_context(fmt::format("trial {}", trials[at].number));
        }
        add_score(*score, round.share, trials[at]);
        best = std::max(best, trials[at].score.rank());
        ++search.report.num_fits;
    }
    return Status();
}

/// The rounds for a table.
std::vector<Round> rounds_for(std::size_t num_groups) {
    std::vector<Round> rounds;
    for (const double share : kRoundShares) {
        if (share == 1 || share * static_cast<double>(num_groups) >= kFewestGroups) {
            rounds.push_back({share, 1});
        }
    }
    while (num_groups < kEnoughGroups && rounds.size() < kMostParts) {
        rounds.push_back({1, rounds.size() + 1});
    }
    return rounds;
}

std::size_t num_kept(std::size_t num_running) {
    return std::max<std::size_t>(
        1, static_cast<std::size_t>(std::ceil(kKept * static_cast<double>(num_running))));
}

/// Brings the defaults among the first `num_running`, in place of the last of them.
void keep_defaults(std::vector<TuneTrial>& trials, std::size_t num_running) {
    const auto defaults = std::ranges::find(trials, std::size_t{0}, &TuneTrial::number);
    const auto last = trials.begin() + static_cast<std::ptrdiff_t>(num_running) - 1;
    if (num_running > 1 && defaults > last) {
        std::iter_swap(defaults, last);
    }
}

}  // namespace

Status TuneParams::validate() const {
    if (num_trials == 0) {
        return invalid_argument("no trial to make, expected for example 20");
    }
    if (!(max_seconds > 0)) {
        return invalid_argument(fmt::format("seconds is {}; expected more than 0", max_seconds));
    }
    for (const std::string& name : fixed) {
        if (find_option(recipe.recipe, name) == nullptr) {
            return invalid_argument(
                fmt::format("recipe {} has no option '{}'", name_of(recipe.recipe), name));
        }
    }
    if (searched_options(*this).empty()) {
        return invalid_argument(
            fmt::format("nothing of recipe {} is left to search: all of it is "
                        "told",
                        name_of(recipe.recipe)));
    }
    return recipe.validate();
}

const TuneTrial& TuneReport::defaults() const {
    return *std::ranges::find(trials, std::size_t{0}, &TuneTrial::number);
}

RecipeParams with_values(RecipeParams params, const TuneTrial& trial) {
    for (const auto& [name, value] : trial.values) {
        find_option(params.recipe, name)->set(params, value);
    }
    return params;
}

Result<TuneReport> tune_recipe(const Dataset& dataset, const TuneParams& params, ThreadPool& pool,
                               const ProgressListener& progress) {
    if (Status status = params.validate(); !status.ok()) {
        return status;
    }
    const std::vector<const RecipeOption*> options = searched_options(params);
    std::vector<double> defaults;
    for (const RecipeOption* option : options) {
        defaults.push_back(
            place_of(*option, option->value(params.recipe, dataset.interactions.view())));
    }
    Search search{dataset, params, pool, progress, {}, 0, {}};
    search.report.trials = make_trials(params, options, defaults);
    const std::vector<Round> rounds = rounds_for(dataset.groups.size());
    std::size_t num_running = params.num_trials;
    for (std::size_t round = 0; round < rounds.size(); ++round) {
        search.num_planned += num_running;
        num_running = num_kept(num_running);
    }
    num_running = params.num_trials;
    for (const Round& round : rounds) {
        if (Status status = run_round(search, round, num_running); !status.ok()) {
            return status;
        }
        std::ranges::sort(search.report.trials, is_better);
        if (search.report.time_was_up) {
            break;
        }
        num_running = num_kept(num_running);
        if (&round != &rounds.back()) {
            keep_defaults(search.report.trials, num_running);
        }
    }
    search.report.seconds = search.watch.seconds();
    return std::move(search.report);
}

}  // namespace segue
