#include "pipeline/calibrate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace segue {

namespace {

/// Of the normal distribution, for intervals of 95 %.
constexpr double kDeviations = 1.96;

// Nanoseconds on one core of the machine that docs/index.md describes.
constexpr double kCentreNanoseconds = 0.033;  // a dimension of a centre scored
constexpr double kCodeNanoseconds = 0.012;    // a byte of codes scanned
constexpr double kCandidateNanoseconds = 40;  // a candidate rescored, its row read from memory
constexpr double kRowNanoseconds = 0.05;      // a byte of an int8 row scanned
constexpr double kSearchNanoseconds = 2000;   // any search

constexpr std::uint32_t kMostCandidates = 1024;

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
    constexpr std::size_t kWarmUp = 32;
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    std::vector<double> microseconds;
    const SparseView excluded = queries.excluded.view();
    for (std::size_t turn = 0; turn < queries.size() + kWarmUp; ++turn) {
        const std::size_t query = turn % std::max<std::size_t>(1, queries.size());
        if (queries.size() == 0) {
            return Latency();
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
        if (turn >= kWarmUp) {
            microseconds.push_back(taken.count());
        }
    }
    std::sort(microseconds.begin(), microseconds.end());
    return Latency{microseconds[microseconds.size() / 2],
                   microseconds[microseconds.size() * 99 / 100]};
}

double tree_cost(const IndexTables& tables, const TreeKnobs& knobs) {
    const auto num_leaves = static_cast<double>(std::max<std::size_t>(1, tables.num_leaves()));
    const double share =
        std::min(1.0, static_cast<double>(knobs.num_leaves_to_search) / num_leaves);
    return kSearchNanoseconds + kCentreNanoseconds * num_leaves * static_cast<double>(tables.dim) +
           kCodeNanoseconds * share * static_cast<double>(tables.codes.size()) +
           kCandidateNanoseconds * static_cast<double>(knobs.reordering_num_neighbors);
}

double exact_cost(const IndexTables& tables) {
    return kSearchNanoseconds + kRowNanoseconds * static_cast<double>(tables.rows.size());
}

struct KnobFinder::State {
    struct Choice {
        TreeKnobs knobs;
        std::size_t place = 0;  // of candidate_steps
    };
    const LeafIndex& index;
    std::span<const CalibrationQueries> queries;
    ThreadPool& pool;
    std::vector<std::uint32_t> leaf_steps;
    std::vector<std::uint32_t> candidate_steps;
    std::map<std::pair<std::size_t, double>, std::vector<Truth>> truths = {};
    std::map<std::tuple<std::size_t, double, std::uint32_t, std::uint32_t>, double> lows = {};
    std::size_t hardest_kind = 0;                // most likely to miss the target: asked first
    std::optional<std::size_t> last_place = {};  // of candidate_steps, that was best last time
    Status status = {};

    double low_of(std::size_t kind, double exponent, const TreeKnobs& knobs);
    bool reaches(std::optional<double> exponent, const TreeKnobs& knobs, double target);
    std::optional<std::size_t> fewest_leaves(std::optional<double> exponent,
                                             std::uint32_t candidates, double target,
                                             std::size_t least);
    std::optional<Choice> cheapest(std::optional<double> exponent, double target, std::size_t begin,
                                   std::size_t end);
};

/// The lower end of the interval; 1 after an error, which ends the search soon.
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
    return lows.emplace(key, estimate->low).first->second;
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

/// The first of leaf_steps, from place `least` on, that reaches the target; recall rises with them.
std::optional<std::size_t> KnobFinder::State::fewest_leaves(std::optional<double> exponent,
                                                            std::uint32_t candidates, double target,
                                                            std::size_t least) {
    std::size_t end = leaf_steps.size();
    // In growing strides, so that few searches read most of the leaves.
    std::size_t begin = least;
    for (std::size_t stride = 4; begin < leaf_steps.size(); stride *= 2) {
        const std::size_t place = std::min(begin + stride, leaf_steps.size() - 1);
        if (reaches(exponent, {leaf_steps[place], candidates}, target)) {
            end = place;
            break;
        }
        begin = place + 1;
    }
    if (end == leaf_steps.size()) {
        return std::nullopt;
    }
    while (begin < end && status.ok()) {
        const std::size_t middle = (begin + end) / 2;
        if (reaches(exponent, {leaf_steps[middle], candidates}, target)) {
            end = middle;
        } else {
            begin = middle + 1;
        }
    }
    return end;
}

/// Of the candidate steps [begin, end), each with the leaves it needs.
std::optional<KnobFinder::State::Choice> KnobFinder::State::cheapest(std::optional<double> exponent,
                                                                     double target,
                                                                     std::size_t begin,
                                                                     std::size_t end) {
    std::optional<Choice> best;
    double best_cost = 0;
    // With fewer candidates more leaves are needed, never fewer.
    std::size_t least = 0;
    for (std::size_t place = end; place > begin; --place) {
        const std::uint32_t candidates = candidate_steps[place - 1];
        if (best && tree_cost(index.tables(), {leaf_steps[least], candidates}) >= best_cost) {
            continue;
        }
        const std::optional<std::size_t> leaves =
            fewest_leaves(exponent, candidates, target, least);
        if (!leaves || !status.ok()) {
            break;
        }
        least = *leaves;
        const TreeKnobs knobs = {leaf_steps[least], candidates};
        if (!best || tree_cost(index.tables(), knobs) < best_cost) {
            best = Choice{knobs, place - 1};
            best_cost = tree_cost(index.tables(), knobs);
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
                .candidate_steps = candidate_steps(index.tables().num_items)})) {}

KnobFinder::~KnobFinder() = default;

Result<std::optional<TreeKnobs>> KnobFinder::find(std::optional<double> popularity_exponent,
                                                  double target) {
    State& state = *state_;
    // Near what was best before, first: it rarely differs much.
    constexpr std::size_t kNear = 2;
    std::optional<State::Choice> choice;
    if (state.last_place) {
        const std::size_t end =
            std::min(*state.last_place + kNear + 1, state.candidate_steps.size());
        choice = state.cheapest(popularity_exponent, target,
                                *state.last_place - std::min(kNear, *state.last_place), end);
    }
    if (!choice && state.status.ok()) {
        choice = state.cheapest(popularity_exponent, target, 0, state.candidate_steps.size());
    }
    if (!state.status.ok()) {
        return state.status;
    }
    if (!choice) {
        return std::optional<TreeKnobs>();
    }
    state.last_place = choice->place;
    return std::optional<TreeKnobs>(choice->knobs);
}

}  // namespace segue
