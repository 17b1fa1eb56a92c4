#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/quantile.h"
#include "base/random.h"
#include "index/exact_index.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"
#include "index_commands.h"
#include "index_measure.h"
#include "vector_sets.h"

namespace segue::bench {
namespace {

constexpr std::size_t kResults = 10;
constexpr std::size_t kFilters = 6;
constexpr std::size_t kQueriesPerFilter = 100;
constexpr double kTolerance = 1e-3;

enum class FilterKind {
    kRandom,      // any items
    kCorrelated,  // items like one item, asked for by queries like it
    kOpposed,     // items like one item, asked for by queries unlike it
};

constexpr std::string_view name_of(FilterKind kind) {
    return kind == FilterKind::kRandom       ? "random"
           : kind == FilterKind::kCorrelated ? "correlated"
                                             : "opposed";
}

struct FilteredQueries {
    std::vector<std::uint64_t> bitmap;
    std::vector<std::uint32_t> queries;
};

/// Numbers [0, scores.size()) with the greatest scores first, `count` of them.
std::vector<std::uint32_t> greatest(const std::vector<float>& scores, std::size_t count) {
    std::vector<std::uint32_t> rows(scores.size());
    std::iota(rows.begin(), rows.end(), 0U);
    count = std::min(count, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count), rows.end(),
                      [&](std::uint32_t left, std::uint32_t right) {
                          return comes_before({left, scores[left]}, {right, scores[right]});
                      });
    rows.resize(count);
    return rows;
}

std::vector<float> scores_against(const Matrix& rows, std::span<const float> vector, float sign) {
    std::vector<float> scores(rows.num_rows());
    for (std::size_t row = 0; row < rows.num_rows(); ++row) {
        scores[row] =
            sign * std::inner_product(vector.begin(), vector.end(), rows.row(row).begin(), 0.0F);
    }
    return scores;
}

FilteredQueries make_filter(const VectorSet& set, FilterKind kind, double share, Random& random) {
    const std::size_t num_items = set.items.num_rows();
    const auto count = std::max<std::size_t>(
        kResults, static_cast<std::size_t>(share * static_cast<double>(num_items)));
    const auto anchor = set.items.row(random.below(num_items));
    FilteredQueries made;
    made.bitmap.assign((num_items + 63) / 64, 0);
    std::vector<float> item_scores;
    if (kind == FilterKind::kRandom) {
        item_scores.resize(num_items);
        for (float& score : item_scores) {
            score = static_cast<float>(random.uniform());
        }
    } else {
        item_scores = scores_against(set.items, anchor, 1);
    }
    for (const std::uint32_t row : greatest(item_scores, count)) {
        made.bitmap[row / 64] |= std::uint64_t{1} << (row % 64);
    }
    const float sign = kind == FilterKind::kOpposed ? -1 : 1;
    made.queries = greatest(scores_against(set.queries, anchor, sign), kQueriesPerFilter);
    return made;
}

/// What searches with one kind of filter took and found. Not thread-safe.
struct FilterTally {
    std::vector<double> cpu_us;
    std::size_t reached = 0;
    std::size_t wanted = 0;
    double scored = 0;
    SearchPath path = SearchPath::kAuto;

    double percentile_us(double share) {
        std::sort(cpu_us.begin(), cpu_us.end());
        return quantile(cpu_us, share);
    }
};

Status search_filtered(const VectorSet& set, const LeafIndex& index, const ExactIndex& exact,
                       const FilteredQueries& filtered, FilterTally& tally) {
    const auto filter = LeafFilter::from_bitmap(index.tables(), filtered.bitmap);
    if (!filter.ok()) {
        return filter.status();
    }
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    for (const std::uint32_t query : filtered.queries) {
        const auto vector = set.queries.row(query);
        const IndexSearchOptions options{.k = kResults, .filter = &filter.value()};
        SearchTrace trace;
        Status status = index.search(vector, options, scratch, results, &trace);
        const std::int64_t before = process_cpu_ns();
        if (status.ok()) {
            status = index.search(vector, options, scratch, results);
        }
        tally.cpu_us.push_back(1e-3 * static_cast<double>(process_cpu_ns() - before));
        if (!status.ok()) {
            return status;
        }
        const auto truth = exact.search(vector, {.k = kResults, .allowed = filtered.bitmap});
        if (!truth.ok()) {
            return truth.status();
        }
        const float last = truth->back().score;
        const auto enough = static_cast<float>(static_cast<double>(last) -
                                               kTolerance * std::abs(static_cast<double>(last)));
        tally.reached += static_cast<std::size_t>(
            std::count_if(results.begin(), results.end(),
                          [&](const ScoredRow& row) { return row.score >= enough; }));
        tally.wanted += kResults;
        tally.scored += static_cast<double>(trace.scored);
        tally.path = trace.path;
    }
    return {};
}

/// The index with the fewest leaves to search, in steps of an eighth, with which searches without a
/// filter reach the target.
Result<LeafIndex> open_tuned(const VectorSet& set, const SetTruth& truth, const IndexParts& parts,
                             ThreadPool& pool) {
    constexpr std::size_t kQueries = 1000;
    constexpr std::uint32_t kCandidates = 160;
    const Matrix queries = copy_rows(set.queries, 0, std::min(kQueries, set.queries.num_rows()));
    for (std::uint32_t leaves = 4;; leaves += 1 + leaves / 8) {
        Result<LeafIndex> index = LeafIndex::open(parts.tables(), set.items.view(),
                                                  {.calibrated = {{0, {leaves, kCandidates}}}});
        if (!index.ok() || leaves >= index->tables().num_leaves()) {
            return index;
        }
        const Result<Neighbours> found =
            index->search_batch(queries.view(), {.k = kResults, .path = SearchPath::kTree}, pool);
        if (!found.ok()) {
            return found.status();
        }
        std::size_t reached = 0;
        for (std::size_t query = 0; query < queries.num_rows(); ++query) {
            const auto last = static_cast<double>(truth.scores[query * kTruthSize + kResults - 1]);
            for (std::uint64_t i = found->offsets[query]; i < found->offsets[query + 1]; ++i) {
                const auto score = static_cast<double>(found->scores[i]);
                reached += score >= last - kTolerance * std::abs(last) ? 1 : 0;
            }
        }
        const auto wanted = static_cast<double>(queries.num_rows() * kResults);
        if (static_cast<double>(reached) / wanted >= kUsualTargetRecall) {
            return index;
        }
    }
}

Status measure(const VectorSet& set, const SetTruth& truth, JsonWriter& json) {
    ThreadPool pool(2);
    const auto parts = build_index(set.items.view(), {}, pool);
    if (!parts.ok()) {
        return parts.status();
    }
    const auto index = open_tuned(set, truth, *parts, pool);
    if (!index.ok()) {
        return index.status();
    }
    const ExactIndex exact(set.items.view(), Measure::kDot);
    // All items may be offered first: what searches without a filter cost.
    for (const double share : {1.0, 0.5, 0.1, 0.01, 0.001}) {
        for (const FilterKind kind :
             {FilterKind::kRandom, FilterKind::kCorrelated, FilterKind::kOpposed}) {
            if (share == 1 && kind != FilterKind::kRandom) {
                continue;
            }
            Random random(17);
            FilterTally tally;
            for (std::size_t i = 0; i < kFilters; ++i) {
                const Status status = search_filtered(set, *index, exact,
                                                      make_filter(set, kind, share, random), tally);
                if (!status.ok()) {
                    return status;
                }
            }
            const double recall =
                static_cast<double>(tally.reached) / static_cast<double>(tally.wanted);
            json.begin_object().key("selectivity").value(share).key("kind").value(name_of(kind));
            json.key("path").value(segue::name_of(tally.path)).key("recall").value(recall);
            json.key("p50_us").value(tally.percentile_us(0.5));
            json.key("p99_us").value(tally.percentile_us(0.99));
            json.key("scored").value(tally.scored / static_cast<double>(tally.cpu_us.size()));
            json.end_object();
        }
    }
    return {};
}

}  // namespace

Status measure_filters(Arguments arguments) {
    if (arguments.size() != 2) {
        return invalid_argument("usage: index_bench filters FOLDER OUT.json");
    }
    const auto measured = read_set_with_truth(arguments[0]);
    if (!measured.ok()) {
        return measured.status();
    }
    JsonWriter json;
    json.begin_object().key("rows").begin_array();
    if (Status status = measure(measured->set, measured->truth, json); !status.ok()) {
        return status;
    }
    json.end_array().end_object();
    return write_json(json.text(), arguments[1]);
}

}  // namespace segue::bench
