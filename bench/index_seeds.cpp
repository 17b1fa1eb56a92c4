#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "index/leaf_index.h"
#include "index_build/build_index.h"
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
/// recall@10 of the tutorial's first setting, which its evaluation was timed with. Ours must reach
/// it among the best 100, which is harder.
constexpr double kEvaluatedRecallThere = 0.931;

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

/// Share of pairs whose item is among the best 100 of its query, the share of the best 100 that was
/// found, and the CPU seconds of finding them: every query is searched, equal ones too.
struct Accuracy {
    double share = 0;
    double recall = 1;
    double cpu_seconds = 0;
    TreeKnobs knobs;
};

/// `last_scores` are the least of the exact lists, which an exact search fills.
Result<Accuracy> top_accuracy(const LeafIndex& index, const HeldOutPairs& pairs, SearchPath path,
                              TreeKnobs knobs, std::vector<float>& last_scores, ThreadPool& pool) {
    const std::int64_t before = process_cpu_ns();
    const auto lists = index.search_batch(pairs.queries.view(),
                                          {.k = kAccuracyAt, .path = path, .knobs = knobs}, pool);
    const double seconds = 1e-9 * static_cast<double>(process_cpu_ns() - before);
    if (!lists.ok()) {
        return lists.status();
    }
    Accuracy accuracy = {0, 1, seconds, knobs};
    const std::size_t num_pairs = pairs.item_rows.size();
    std::size_t hits = 0;
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (std::size_t pair = 0; pair < num_pairs; ++pair) {
        const auto from = static_cast<std::ptrdiff_t>(lists->offsets[pair]);
        const auto to = static_cast<std::ptrdiff_t>(lists->offsets[pair + 1]);
        const auto rows = lists->item_rows.begin();
        hits += std::find(rows + from, rows + to, pairs.item_rows[pair]) != rows + to ? 1 : 0;
        if (path == SearchPath::kExact) {
            last_scores.push_back(lists->scores[static_cast<std::size_t>(to) - 1]);
        }
        const auto scores = lists->scores.begin();
        found += static_cast<std::size_t>(std::count_if(
            scores + from, scores + to, [&](float score) { return score >= last_scores[pair]; }));
        wanted += kAccuracyAt;
    }
    accuracy.share = static_cast<double>(hits) / static_cast<double>(num_pairs);
    accuracy.recall = static_cast<double>(found) / static_cast<double>(wanted);
    return accuracy;
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

/// Searches of the tree over a grid, up to some that are as accurate as the exact one.
Result<std::vector<Accuracy>> tree_accuracies(const LeafIndex& index, const HeldOutPairs& pairs,
                                              double exact_share, std::vector<float>& last_scores,
                                              ThreadPool& pool) {
    std::vector<Accuracy> all;
    for (const std::uint32_t leaves : kLeavesTried) {
        for (const std::uint32_t reordering : {250U, 450U, 1000U, 2500U}) {
            const auto found = top_accuracy(index, pairs, SearchPath::kTree, {leaves, reordering},
                                            last_scores, pool);
            if (!found.ok()) {
                return found.status();
            }
            all.push_back(found.value());
        }
        if (all.back().share >= kSameAccuracy * exact_share) {
            break;
        }
    }
    return all;
}

/// The quickest of those that are enough; of the others where none is.
template <typename IsEnough>
SeedRow quickest_row(const std::vector<Accuracy>& all, const std::string& name,
                     IsEnough is_enough) {
    const Accuracy& best =
        *std::min_element(all.begin(), all.end(), [&](const Accuracy& left, const Accuracy& right) {
            return std::pair(!is_enough(left), left.cpu_seconds) <
                   std::pair(!is_enough(right), right.cpu_seconds);
        });
    return {
        .name = name,
        .target = "1.0 CPU s",
        .ours = fmt::format("{:.2f} CPU s ({:.4f}; recall@100 {:.3f}, {} leaves, {} candidates)",
                            best.cpu_seconds, best.share, best.recall,
                            best.knobs.num_leaves_to_search, best.knobs.reordering_num_neighbors),
        .theirs = "1.6 s there at recall@10 0.931",
        .met = best.cpu_seconds <= 1 && is_enough(best)};
}

Result<std::vector<SeedRow>> accuracy_rows(const LeafIndex& index, const HeldOutPairs& pairs,
                                           ThreadPool& pool) {
    std::vector<float> last_scores;
    const auto exact = top_accuracy(index, pairs, SearchPath::kExact, {}, last_scores, pool);
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
    const auto tree = tree_accuracies(index, pairs, exact->share, last_scores, pool);
    if (!tree.ok()) {
        return tree.status();
    }
    rows.push_back(quickest_row(*tree, name + ", index at the recall there", [](const auto& one) {
        return one.recall >= kEvaluatedRecallThere;
    }));
    rows.push_back(quickest_row(*tree, name + ", index as accurate", [&](const auto& one) {
        return one.share >= kSameAccuracy * exact->share;
    }));
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
    const auto measured = read_set_with_truth(arguments[0]);
    if (!measured.ok()) {
        return measured.status();
    }
    const auto pairs = read_held_out(arguments[1], arguments[2]);
    if (!pairs.ok()) {
        return pairs.status();
    }
    const auto rows = measure(measured->set, measured->truth, pairs.value());
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
