#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "index/build_index.h"
#include "index/leaf_index.h"
#include "index_commands.h"
#include "index_measure.h"
#include "index_sources.h"
#include "index_truth.h"

namespace segue::bench {
namespace {

constexpr std::size_t kAccuracyAt = 100;
constexpr double kRecallThere = 0.966;
/// Of the exact accuracy, for a setting of the tree to count as giving the same.
constexpr double kSameAccuracy = 0.99;

/// One figure of the tutorial and ours.
struct SeedRow {
    std::string name;
    std::string target;
    std::string ours;
    std::string theirs;
    bool met = false;
};

/// Mean time and recall@10 of single queries.
struct Searched {
    double mean_us = 0;
    double recall = 0;
};

Result<Searched> search_each(const LeafIndex& index, const VectorSet& set, const SetTruth& truth,
                             SearchPath path, TreeKnobs knobs, double seconds) {
    constexpr std::size_t kResults = 10;
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    std::vector<std::uint32_t> answers(set.queries.num_rows() * kResults, 0xFFFFFFFF);
    Status failure;
    const auto search = [&](std::size_t query) {
        const Status status =
            index.search(set.queries.row(query), {.k = kResults, .path = path, .knobs = knobs},
                         scratch, results);
        if (!status.ok()) {
            failure = status;
        }
        for (std::size_t i = 0; i < results.size(); ++i) {
            answers[query * kResults + i] = results[i].item_row;
        }
    };
    search(0);
    const SingleTimes times = time_calls(set.queries.num_rows(), seconds, search);
    if (!failure.ok()) {
        return failure;
    }
    answers.resize(times.cpu_ns.size() * kResults);
    return Searched{times.mean_us(), recall_by_score(set, truth, answers, kResults)};
}

/// Share of pairs whose item is among the best 100 of its query, and the CPU seconds of finding
/// them: every query is searched, equal ones too.
struct Accuracy {
    double share = 0;
    double cpu_seconds = 0;
    TreeKnobs knobs;
};

Result<Accuracy> top_accuracy(const LeafIndex& index, const HeldOutPairs& pairs, SearchPath path,
                              TreeKnobs knobs, ThreadPool& pool) {
    const std::int64_t before = process_cpu_ns();
    const auto lists = index.search_batch(pairs.queries.view(),
                                          {.k = kAccuracyAt, .path = path, .knobs = knobs}, pool);
    const double seconds = 1e-9 * static_cast<double>(process_cpu_ns() - before);
    if (!lists.ok()) {
        return lists.status();
    }
    std::size_t hits = 0;
    for (std::size_t pair = 0; pair < pairs.item_rows.size(); ++pair) {
        const auto begin = lists->item_rows.begin();
        const auto from = begin + static_cast<std::ptrdiff_t>(lists->offsets[pair]);
        const auto to = begin + static_cast<std::ptrdiff_t>(lists->offsets[pair + 1]);
        hits += std::find(from, to, pairs.item_rows[pair]) != to ? 1 : 0;
    }
    return Accuracy{static_cast<double>(hits) / static_cast<double>(pairs.item_rows.size()),
                    seconds, knobs};
}

constexpr std::uint32_t kLeavesTried[] = {2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192};

Result<SeedRow> quickest_at_recall(const LeafIndex& index, const VectorSet& set,
                                   const SetTruth& truth) {
    SeedRow row{.name = fmt::format("{} x {}, recall@10 of at least .966, one query",
                                    set.items.num_rows(), set.items.dim()),
                .target = "0.1 ms",
                .ours = "not reached",
                .theirs = "3.39 ms there"};
    double best_us = 0;
    for (const std::uint32_t leaves : kLeavesTried) {
        for (const std::uint32_t reordering : {100U, 200U, 400U, 800U}) {
            const auto searched =
                search_each(index, set, truth, SearchPath::kTree, {leaves, reordering}, 0.3);
            if (!searched.ok()) {
                return searched.status();
            }
            if (searched->recall >= kRecallThere && (best_us == 0 || searched->mean_us < best_us)) {
                best_us = searched->mean_us;
                row.ours = fmt::format("{:.3f} ms at {:.3f}", best_us * 1e-3, searched->recall);
                row.met = best_us < 100;
            }
        }
    }
    return row;
}

/// The quickest search of the tree that is as accurate as the exact one; the most accurate where
/// none is. For each number of leaves the fewest candidates that are enough, until more leaves have
/// been no quicker some times.
Result<Accuracy> quickest_accuracy(const LeafIndex& index, const HeldOutPairs& pairs,
                                   double exact_share, ThreadPool& pool) {
    constexpr int kMostSlower = 3;
    const double enough = kSameAccuracy * exact_share;
    Accuracy best;
    int num_slower = 0;
    for (const std::uint32_t leaves : kLeavesTried) {
        for (const std::uint32_t reordering : {150U, 250U, 400U, 1000U, 2500U}) {
            const auto found =
                top_accuracy(index, pairs, SearchPath::kTree, {leaves, reordering}, pool);
            if (!found.ok()) {
                return found;
            }
            const bool first = best.share < enough;
            if (first ? found->share > best.share
                      : found->share >= enough && found->cpu_seconds < best.cpu_seconds) {
                best = found.value();
                num_slower = 0;
            }
            if (found->share >= enough) {
                break;
            }
        }
        num_slower += best.share >= enough ? 1 : 0;
        if (num_slower > kMostSlower) {
            break;
        }
    }
    return best;
}

Result<std::vector<SeedRow>> accuracy_rows(const LeafIndex& index, const HeldOutPairs& pairs,
                                           ThreadPool& pool) {
    const auto exact = top_accuracy(index, pairs, SearchPath::kExact, {}, pool);
    if (!exact.ok()) {
        return exact.status();
    }
    const std::string name = fmt::format("top-100 accuracy of {} queries", pairs.item_rows.size());
    std::vector<SeedRow> rows = {
        {.name = name + ", exactly",
         .target = "5 CPU s",
         .ours = fmt::format("{:.2f} CPU s ({:.4f})", exact->cpu_seconds, exact->share),
         .theirs = "48.3 s there",
         .met = exact->cpu_seconds <= 5}};
    const auto tree = quickest_accuracy(index, pairs, exact->share, pool);
    if (!tree.ok()) {
        return tree.status();
    }
    rows.push_back(
        {.name = name + ", through the index",
         .target = "1.0 CPU s",
         .ours = fmt::format("{:.2f} CPU s ({:.4f}; {} leaves, {} candidates)", tree->cpu_seconds,
                             tree->share, tree->knobs.num_leaves_to_search,
                             tree->knobs.reordering_num_neighbors),
         .theirs = "1.6 s there",
         .met = tree->cpu_seconds <= 1 && tree->share >= kSameAccuracy * exact->share});
    return rows;
}

Result<std::vector<SeedRow>> measure(const VectorSet& set, const SetTruth& truth,
                                     const HeldOutPairs& pairs) {
    ThreadPool pool(2);
    const auto parts = build_index(set.items.view(), {}, pool);
    if (!parts.ok()) {
        return parts.status();
    }
    const auto index = LeafIndex::open(parts->tables(), set.items.view());
    if (!index.ok()) {
        return index.status();
    }
    const auto exact = search_each(*index, set, truth, SearchPath::kExact, {}, 1);
    if (!exact.ok()) {
        return exact.status();
    }
    std::vector<SeedRow> rows = {
        {.name = fmt::format("{} x {}, exact, one query", set.items.num_rows(), set.items.dim()),
         .target = "5 ms",
         .ours = fmt::format("{:.2f} ms at {:.3f}", exact->mean_us * 1e-3, exact->recall),
         .theirs = "25.5 ms there",
         .met = exact->mean_us < 5000}};
    const auto approximate = quickest_at_recall(*index, set, truth);
    if (!approximate.ok()) {
        return approximate.status();
    }
    rows.push_back(approximate.value());
    const auto accuracies = accuracy_rows(*index, pairs, pool);
    if (!accuracies.ok()) {
        return accuracies.status();
    }
    rows.insert(rows.end(), accuracies->begin(), accuracies->end());
    return rows;
}

}  // namespace

Status measure_seeds(Arguments arguments) {
    if (arguments.size() != 4) {
        return invalid_argument("usage: index_bench seeds FOLDER BUNDLE HELD_OUT.tsv OUT.json");
    }
    const auto set = read_set(arguments[0]);
    if (!set.ok()) {
        return set.status();
    }
    const auto truth = read_truth(arguments[0], set->queries.num_rows());
    if (!truth.ok()) {
        return truth.status();
    }
    const auto pairs = read_held_out(arguments[1], arguments[2]);
    if (!pairs.ok()) {
        return pairs.status();
    }
    const auto rows = measure(set.value(), truth.value(), pairs.value());
    if (!rows.ok()) {
        return rows.status();
    }
    JsonWriter json;
    json.begin_object().key("rows").begin_array();
    for (const SeedRow& row : rows.value()) {
        fmt::print("{:60} {} ({}, target {})\n", row.name, row.ours, row.theirs, row.target);
        json.begin_object().key("name").value(row.name).key("target_text").value(row.target);
        json.key("ours_text").value(row.ours).key("theirs_text").value(row.theirs);
        json.key("met").value(row.met).end_object();
    }
    json.end_array().end_object();
    return write_json(json.text(), arguments[3]);
}

}  // namespace segue::bench
