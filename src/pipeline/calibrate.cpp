#include "pipeline/calibrate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "base/quantile.h"
#include "base/stopwatch.h"
#include "index/planner.h"

namespace segue {

namespace {

/// Of the normal distribution, for intervals of 95 %.
constexpr double kDeviations = 1.96;

constexpr std::uint32_t kMostCandidates = 1024;
/// The place among the steps where looking begins: 80 candidates.
constexpr std::size_t kFirstCandidates = 6;

/// Ascending, each about an eighth above the one before, up to and with `last`.
std::vector<std::uint32_t> steps_up_to(std::uint32_t last) {
    std::vector<std::uint32_t> steps;
    for (std::uint32_t step = 1; step < last; step += 1 + step / 8) {
        steps.push_back(step);
    }
    steps.push_back(last);
    return steps;
}

/// 10, 14, 20, 28, 40, ... up to the most there are.
std::vector<std::uint32_t> candidate_steps(std::size_t num_items) {
    std::vector<std::uint32_t> steps;
    const auto most =
        static_cast<std::uint32_t>(std::clamp<std::size_t>(num_items, kRecallAt, kMostCandidates));
    for (std::uint32_t step = kRecallAt; step < most; step *= 2) {
        steps.push_back(step);
        if (step * 7 / 5 < most) {
            steps.push_back(step * 7 / 5);
        }
    }
    steps.push_back(most);
    return steps;
}

/// What the best results are told by.
struct Truth {
    float last_score = 0;
    std::uint32_t num_results = 0;
};

Result<Neighbours> search_all(const LeafIndex& index, const QuerySet& queries,
                              const SearchSetting& setting, ThreadPool& pool) {
    return index.search_batch(queries.vectors.view(),
                              {.k = kRecallAt,
                               .popularity_exponent = setting.popularity_exponent,
                               .excluded = queries.excluded.view(),
                               .path = setting.path,
                               .knobs = setting.knobs},
                              pool);
}

Result<std::vector<Truth>> find_truth(const LeafIndex& index, const QuerySet& queries,
                                      double popularity_exponent, ThreadPool& pool) {
    const Result<Neighbours> exact =
        search_all(index, queries, {popularity_exponent, SearchPath::kExact, {}}, pool);
    if (!exact.ok()) {
        return exact.status();
    }
    std::vector<Truth> truth(queries.size());
    for (std::size_t query = 0; query < queries.size(); ++query) {
        truth[query].num_results =
            static_cast<std::uint32_t>(exact->offsets[query + 1] - exact->offsets[query]);
        truth[query].last_score =
            truth[query].num_results > 0 ? exact->scores[exact->offsets[query + 1] - 1] : 0;
    }
    return truth;
}

Result<RecallEstimate> compare(const LeafIndex& index, const QuerySet& queries,
                               const std::vector<Truth>& truth, const SearchSetting& setting,
                               ThreadPool& pool) {
    const Result<Neighbours> found = search_all(index, queries, setting, pool);
    if (!found.ok()) {
        return found.status();
    }
    std::vector<double> recalls;
    for (std::size_t query = 0; query < queries.size(); ++query) {
        if (truth[query].num_results == 0) {
            continue;
        }
        const auto begin = found->scores.begin();
        const auto hits =
            std::count_if(begin + static_cast<std::ptrdiff_t>(found->offsets[query]),
                          begin + static_cast<std::ptrdiff_t>(found->offsets[query + 1]),
                          [&](float score) { return score >= truth[query].last_score; });
        recalls.push_back(static_cast<double>(hits) / truth[query].num_results);
    }
    return estimate_recall(recalls);
}

/// A search for one vector without a filter, as the planner sees it.
PlannedSearch single_search(const IndexTables& tables, const TreeKnobs& knobs) {
    PlannedSearch search;
    search.num_items = tables.num_items;
    search.dim = tables.dim;
    search.num_leaves = tables.num_leaves();
    search.has_codes = tables.has_codes();
    search.k = kRecallAt;
    search.num_allowed = tables.num_items;
    search.knobs = knobs;
    return search;
}

double cost_of(const IndexTables& tables, const TreeKnobs& knobs) {
    return tree_cost(single_search(tables, knobs));
}

}  // namespace

RecallEstimate estimate_recall(std::span<const double> recalls) {
    RecallEstimate estimate;
    estimate.num_queries = recalls.size();
    if (recalls.empty()) {
        return estimate;
    }
    const auto count = static_cast<double>(recalls.size());
    double sum = 0;
    for (const double recall : recalls) {
        sum += recall;
    }
    const double mean = sum / count;
    double squares = 0;
    for (const double recall : recalls) {
        squares += (recall - mean) * (recall - mean);
    }
    const double variance = squares / std::max(1.0, count - 1);
    const double trials_a_query =
        variance > 0 ? std::clamp(mean * (1 - mean) / variance, 1.0, double{kRecallAt}) : 1;
    const double trials = count * trials_a_query;
    const double z2 = kDeviations * kDeviations;
    const double centre = (mean + z2 / (2 * trials)) / (1 + z2 / trials);
    const double reach = kDeviations / (1 + z2 / trials) *
                         std::sqrt(mean * (1 - mean) / trials + z2 / (4 * trials * trials));
    estimate.mean = mean;
    estimate.low = std::clamp(centre - reach, 0.0, mean);
    estimate.high = std::clamp(centre + reach, mean, 1.0);
    return estimate;
}

Result<RecallEstimate> measure_recall(const LeafIndex& index, const QuerySet& queries,
                                      const SearchSetting& setting, ThreadPool& pool) {
    const Result<std::vector<Truth>> truth =
        find_truth(index, queries, setting.popularity_exponent, pool);
    return truth.ok() ? compare(index, queries, *truth, setting, pool) : truth.status();
}

Result<Latency> measure_latency(const LeafIndex& index, const QuerySet& queries,
                                const SearchSetting& setting) {
    if (queries.size() == 0) {
        return Latency();
    }
    constexpr int kRounds = 3;
    // Scans of large catalogues take milliseconds, all of them alike.
    constexpr std::size_t kFewestQueries = 50;
    constexpr double kLongestRound = 0.5;  // seconds
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const SparseView excluded = queries.excluded.view();
    std::vector<double> microseconds(queries.size(), std::numeric_limits<double>::infinity());
    std::size_t num_timed = queries.size();
    const Stopwatch clock;
    for (int round = 0; round < kRounds; ++round) {
        for (std::size_t query = 0; query < num_timed; ++query) {
            if (round == 0 && query >= kFewestQueries && clock.seconds() > kLongestRound) {
                num_timed = query;
                break;
            }
            const auto before = std::chrono::steady_clock::now();
            const Status status = index.search(queries.vectors.row(query),
                                               {.k = kRecallAt,
                                                .popularity_exponent = setting.popularity_exponent,
                                                .excluded = excluded.row_columns(query),
                                                .path = setting.path,
                                                .knobs = setting.knobs},
                                               scratch, results);
            const std::chrono::duration<double, std::micro> taken =
                std::chrono::steady_clock::now() - before;
            if (!status.ok()) {
                return status;
            }
            microseconds[query] = std::min(microseconds[query], taken.count());
        }
    }
    microseconds.resize(num_timed);
    std::sort(microseconds.begin(), microseconds.end());
    return Latency{quantile(microseconds, 0.5), quantile(microseconds, 0.99)};
}

SearchPath planned_path(const IndexTables& tables, const TreeKnobs& knobs, double exact_share) {
    PlannedSearch search = single_search(tables, knobs);
    search.exact_share = exact_share;
    return plan_search(search);
}

struct KnobFinder::State {
    /// Candidates with the fewest leaves that reach the target, as places of the steps.
    struct Choice {
        std::size_t candidates = 0;
        std::size_t leaves = 0;
        double cost = 0;
    };

    const LeafIndex& index;
    std::span<const CalibrationQueries> queries;
    ThreadPool& pool;
    std::vector<std::uint32_t> leaf_steps;
    std::vector<std::uint32_t> candidate_steps;
    std::map<std::pair<std::size_t, double>, std::vector<Truth>> truths = {};
    std::map<std::tuple<std::size_t, double, std::uint32_t, std::uint32_t>, double> lows = {};
    std::size_t hardest_kind = 0;  // most likely to miss the target: asked first
    Choice last = {};              // where the next search begins: it rarely differs much
    Status status = {};

    TreeKnobs knobs_at(std::size_t leaves, std::size_t candidates) const {
        return {leaf_steps[leaves], candidate_steps[candidates]};
    }
    double low_of(std::size_t kind, double exponent, const TreeKnobs& knobs);
    bool reaches(std::optional<double> exponent, const TreeKnobs& knobs, double target);
    std::optional<Choice> with_candidates(std::optional<double> exponent, double target,
                                          std::size_t candidates, std::size_t guess);
    std::optional<Choice> first_choice(std::optional<double> exponent, double target);
    Choice cheapest(std::optional<double> exponent, double target, Choice best);
};

/// What the lower end of the interval is expected to reach on other queries; 1 after an error,
/// which ends the search soon.
double KnobFinder::State::low_of(std::size_t kind, double exponent, const TreeKnobs& knobs) {
    const auto key =
        std::tuple(kind, exponent, knobs.num_leaves_to_search, knobs.reordering_num_neighbors);
    const auto known = lows.find(key);
    if (known != lows.end()) {
        return known->second;
    }
    const QuerySet& tuning = queries[kind].tuning;
    auto truth = truths.find({kind, exponent});
    if (truth == truths.end()) {
        Result<std::vector<Truth>> found = find_truth(index, tuning, exponent, pool);
        if (!found.ok()) {
            status = found.status();
            return 1;
        }
        truth = truths.emplace(std::pair(kind, exponent), std::move(found).value()).first;
    }
    const Result<RecallEstimate> estimate =
        compare(index, tuning, truth->second, {exponent, SearchPath::kTree, knobs}, pool);
    if (!estimate.ok()) {
        status = estimate.status();
        return 1;
    }
    // Twice as far as the lower end: other queries' lower end is to reach the target as well.
    return lows.emplace(key, 2 * estimate->low - estimate->mean).first->second;
}

bool KnobFinder::State::reaches(std::optional<double> exponent, const TreeKnobs& knobs,
                                double target) {
    for (std::size_t turn = 0; turn < queries.size() && status.ok(); ++turn) {
        const std::size_t kind = (hardest_kind + turn) % queries.size();
        if (low_of(kind, exponent.value_or(queries[kind].usual_exponent), knobs) < target) {
            hardest_kind = kind;
            return false;
        }
    }
    return true;
}

/// The fewest leaves for these candidates, looked for in growing strides from a guess on: recall
/// rises with them.
std::optional<KnobFinder::State::Choice> KnobFinder::State::with_candidates(
    std::optional<double> exponent, double target, std::size_t candidates, std::size_t guess) {
    const auto is_enough = [&](std::size_t leaves) {
        return reaches(exponent, knobs_at(leaves, candidates), target);
    };
    const std::size_t most = leaf_steps.size() - 1;
    std::size_t end = guess;    // enough
    std::size_t begin = guess;  // all below are not
    std::size_t stride = 2;
    if (is_enough(guess)) {
        for (begin = 0; end > 0; stride *= 2) {
            const std::size_t lower = end - std::min(end, stride);
            if (!is_enough(lower)) {
                begin = lower + 1;
                break;
            }
            end = lower;
        }
    } else {
        for (;; stride *= 2) {
            begin = end + 1;
            if (end == most) {
                return std::nullopt;
            }
            end = std::min(end + stride, most);
            if (is_enough(end)) {
                break;
            }
        }
    }
    while (begin < end) {
        const std::size_t middle = (begin + end) / 2;
        is_enough(middle) ? end = middle : begin = middle + 1;
    }
    return Choice{candidates, end, cost_of(index.tables(), knobs_at(end, candidates))};
}

/// Of the candidates that were best before, or the fewest above them that can reach the target.
std::optional<KnobFinder::State::Choice> KnobFinder::State::first_choice(
    std::optional<double> exponent, double target) {
    std::optional<Choice> choice;
    std::size_t candidates = last.candidates;
    for (std::size_t stride = 1; !choice && status.ok(); stride *= 2) {
        choice = with_candidates(exponent, target, candidates, last.leaves);
        if (candidates + 1 == candidate_steps.size()) {
            break;
        }
        candidates = std::min(candidates + stride, candidate_steps.size() - 1);
    }
    return choice;
}

/// Goes on to more candidates, or fewer, as long as that costs less.
KnobFinder::State::Choice KnobFinder::State::cheapest(std::optional<double> exponent, double target,
                                                      Choice best) {
    for (const bool upwards : {true, false}) {
        const std::size_t started_at = best.candidates;
        while (status.ok() &&
               (upwards ? best.candidates + 1 < candidate_steps.size() : best.candidates > 0)) {
            const std::optional<Choice> next = with_candidates(
                exponent, target, upwards ? best.candidates + 1 : best.candidates - 1, best.leaves);
            if (!next || next->cost >= best.cost) {
                break;
            }
            best = *next;
        }
        if (best.candidates != started_at) {
            break;
        }
    }
    return best;
}

KnobFinder::KnobFinder(const LeafIndex& index, std::span<const CalibrationQueries> queries,
                       ThreadPool& pool)
    : state_(std::make_unique<State>(
          State{.index = index,
                .queries = queries,
                .pool = pool,
                .leaf_steps = steps_up_to(static_cast<std::uint32_t>(index.tables().num_leaves())),
                .candidate_steps = candidate_steps(index.tables().num_items)})) {
    state_->last.candidates = std::min(kFirstCandidates, state_->candidate_steps.size() - 1);
}

KnobFinder::~KnobFinder() = default;

Result<std::optional<TreeKnobs>> KnobFinder::find(std::optional<double> popularity_exponent,
                                                  double target) {
    State& state = *state_;
    std::optional<State::Choice> choice = state.first_choice(popularity_exponent, target);
    if (choice) {
        choice = state.cheapest(popularity_exponent, target, *choice);
    }
    if (!state.status.ok()) {
        return state.status;
    }
    if (!choice) {
        return std::optional<TreeKnobs>();
    }
    state.last = *choice;
    return std::optional<TreeKnobs>(state.knobs_at(choice->leaves, choice->candidates));
}

}  // namespace segue
