#include "pipeline/neighbour_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "data/sparse.h"
#include "index/build_neighbours.h"
#include "index/exact_index.h"
#include "index/leaf_index.h"
#include "pipeline/calibrate.h"
#include "pipeline/evidence.h"
#include "pipeline/stage_clock.h"

namespace segue {
namespace {

/// Lists compared with exact ones: an interval of about one hundredth.
constexpr std::size_t kJudgedLists = 300;

/// Distinct rows, ascending.
std::vector<std::uint32_t> some_rows(std::size_t num_items, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < std::min(num_items, kJudgedLists); ++i) {
        rows.push_back(static_cast<std::uint32_t>(random.below(num_items)));
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

/// The recall of lists of the table, told by scores.
Result<RecallEstimate> judge(const LeafIndex& index, const ModelParts& parts, std::size_t k,
                             ThreadPool& pool) {
    const std::vector<std::uint32_t> rows = some_rows(parts.items.size(), parts.info.seed);
    Matrix queries(rows.size(), parts.item_vectors.dim());
    SparseMatrix self;
    self.num_rows = rows.size();
    self.num_columns = parts.items.size();
    for (std::size_t query = 0; query < rows.size(); ++query) {
        const std::span<const float> vector = parts.item_vectors.row(rows[query]);
        std::copy(vector.begin(), vector.end(), queries.row(query).begin());
        self.columns.push_back(rows[query]);
        self.offsets.push_back(query + 1);
    }
    const Result<Neighbours> exact =
        index.search_batch(queries.view(),
                           {.k = k,
                            .popularity_exponent = parts.info.popularity_exponent,
                            .excluded = self.view(),
                            .path = SearchPath::kExact},
                           pool);
    if (!exact.ok()) {
        return exact.status();
    }
    std::vector<double> recalls;
    for (std::size_t query = 0; query < rows.size(); ++query) {
        const std::size_t begin = exact->offsets[query];
        const std::size_t end = exact->offsets[query + 1];
        if (begin == end) {
            continue;
        }
        const auto list = std::span(parts.neighbours.scores)
                              .subspan(parts.neighbours.offsets[rows[query]],
                                       parts.neighbours.offsets[rows[query] + 1] -
                                           parts.neighbours.offsets[rows[query]]);
        const auto hits = std::count_if(
            list.begin(), list.end(), [&](float score) { return score >= exact->scores[end - 1]; });
        recalls.push_back(static_cast<double>(hits) / static_cast<double>(end - begin));
    }
    return estimate_recall(recalls);
}

Status add_through_index(ModelParts& parts, ThreadPool& pool, const ProgressListener& progress,
                         NeighbourTableReport& report) {
    const Result<LeafIndex> index = LeafIndex::open(
        parts.index->tables(), parts.item_vectors.view(), parts.index_facts.settings);
    if (!index.ok()) {
        return index.status();
    }
    Result<Neighbours> table =
        build_neighbour_table(*index, parts.item_vectors.view(),
                              {.k = report.k,
                               .popularity_exponent = parts.info.popularity_exponent,
                               .path = SearchPath::kTree},
                              pool, progress);
    if (!table.ok()) {
        return table.status();
    }
    parts.neighbours = std::move(table).value();
    const Result<RecallEstimate> recall = judge(*index, parts, report.k, pool);
    if (!recall.ok()) {
        return recall.status();
    }
    report.through_index = true;
    report.recall = recall->mean;
    report.recall_low = recall->low;
    report.num_judged = recall->num_queries;
    return Status();
}

}  // namespace

double exact_table_seconds(std::size_t num_items, std::size_t dim) {
    // int8 multiply-adds of one core in a second, selection included.
    constexpr double kMultiplyAdds = 2e11;
    const auto items = static_cast<double>(num_items);
    return items * items * static_cast<double>(dim) / kMultiplyAdds;
}

std::string note_of(const NeighbourTableReport& report, std::size_t num_items, std::size_t dim) {
    if (!report.through_index) {
        return fmt::format("{} a list", with_commas(report.k));
    }
    return fmt::format(
        "{} a list, through the index: recall@{} {:.4f} ({:.4f} at least) by {} lists; comparing "
        "all items takes about {} CPU seconds",
        with_commas(report.k), report.k, report.recall, report.recall_low, report.num_judged,
        with_commas(static_cast<std::uint64_t>(exact_table_seconds(num_items, dim))));
}

bool waits_for_index(const MatrixView& vectors) {
    return !exact_table_pays(vectors.num_rows, vectors.dim);
}

bool lacks_neighbours(const ModelParts& parts) {
    return parts.info.answer_by != AnswerBy::kLists && parts.item_vectors.num_rows() > 0 &&
           parts.neighbours.offsets.size() <= 1;
}

Result<NeighbourTableReport> add_neighbours(ModelParts& parts, std::size_t k, ThreadPool& pool,
                                            const ProgressListener& progress, TableWay way) {
    const Stopwatch clock;
    NeighbourTableReport report;
    report.k = k;
    const bool has_tree =
        parts.index && parts.index->tables().has_codes() && parts.index->measure == Measure::kDot;
    const bool routed =
        has_tree && (way == TableWay::kThroughIndex ||
                     (way == TableWay::kAuto && waits_for_index(parts.item_vectors.view())));
    if (routed) {
        if (Status status = add_through_index(parts, pool, progress, report); !status.ok()) {
            return status;
        }
    } else {
        Result<Neighbours> table = build_neighbour_table(
            parts.item_vectors.view(), k, parts.info.popularity_exponent, pool, progress);
        if (!table.ok()) {
            return table.status();
        }
        parts.neighbours = std::move(table).value();
    }
    report.seconds = clock.seconds();
    return report;
}

Status neighbours_stage(ModelParts& parts, std::size_t k, ThreadPool& pool,
                        const ProgressListener& progress, std::vector<FitStage>& stages) {
    const StageClock clock("neighbours");
    const Result<NeighbourTableReport> report = add_neighbours(parts, k, pool, progress);
    if (!report.ok()) {
        return report.status();
    }
    count_evidence(transpose(parts.interactions.view()).view(), pool, parts.neighbours);
    clock.end(stages, note_of(*report, parts.items.size(), parts.item_vectors.dim()));
    return Status();
}

}  // namespace segue
