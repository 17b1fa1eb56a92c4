#include "cooc/neighbour_lists.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "cooc/best_partners.h"

namespace segue {

namespace {

/// The lists of one chunk of items, before they are joined.
struct ChunkLists {
    std::vector<std::uint32_t> sizes;
    std::vector<std::uint32_t> item_rows;
    std::vector<float> scores;
    std::vector<std::uint32_t> together;
};

/// What one thread brings along.
struct Worker {
    BestPartners best;
    std::vector<double> scores;
};

std::uint32_t to_evidence(double together) {
    constexpr double kMost = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min(together, kMost));
}

/// Appends the best partners of one counted row. Candidates carry their place in the row, which
/// ascends as the partners do, so that ties end up by item.
void append_list(const PairRow& row, const PairScorer& scorer, std::uint32_t min_together,
                 Worker& worker, ChunkLists& lists) {
    worker.scores.resize(row.partners.size());
    scorer.score_row(row.item_row, row.partners, row.together, row.weighted, worker.scores);
    worker.best.clear();
    for (std::size_t place = 0; place < row.partners.size(); ++place) {
        if (row.together[place] >= min_together) {
            worker.best.offer(
                {static_cast<std::uint32_t>(place), static_cast<float>(worker.scores[place])});
        }
    }
    const std::span<const ScoredRow> best = worker.best.take_sorted();
    lists.sizes.push_back(static_cast<std::uint32_t>(best.size()));
    for (const ScoredRow& candidate : best) {
        lists.item_rows.push_back(row.partners[candidate.item_row]);
        lists.scores.push_back(candidate.score);
        lists.together.push_back(to_evidence(row.together[candidate.item_row]));
    }
}

Neighbours join(std::vector<ChunkLists>& chunks) {
    Neighbours result;
    std::size_t num_entries = 0;
    for (const ChunkLists& chunk : chunks) {
        for (const std::uint32_t size : chunk.sizes) {
            result.offsets.push_back(result.offsets.back() + size);
        }
        num_entries += chunk.item_rows.size();
    }
    result.item_rows.reserve(num_entries);
    result.scores.reserve(num_entries);
    result.together.reserve(num_entries);
    for (ChunkLists& chunk : chunks) {
        result.item_rows.insert(result.item_rows.end(), chunk.item_rows.begin(),
                                chunk.item_rows.end());
        result.scores.insert(result.scores.end(), chunk.scores.begin(), chunk.scores.end());
        result.together.insert(result.together.end(), chunk.together.begin(), chunk.together.end());
        chunk = ChunkLists();
    }
    return result;
}

}  // namespace

Status NeighbourListParams::validate() const {
    if (list_length == 0) {
        return invalid_argument("lists of 0 neighbours were asked for; expected at least 1");
    }
    return score.validate();
}

Result<Neighbours> cooc_neighbours(const CountInput& input, const NeighbourListParams& params,
                                   ThreadPool& pool, const ProgressListener& listener) {
    if (const Status status = params.validate(); !status.ok()) {
        return status;
    }
    // Only the conditional score looks at weighted counts.
    const bool is_weighted = params.score.score == PairScore::kConditional;
    Result<PairCounter> counter =
        PairCounter::create(input,
                            {.group_exponent = is_weighted ? params.score.group_exponent : 0,
                             .values_are_counts = params.values_are_counts,
                             .window = params.window},
                            Partners::kAll);
    if (!counter.ok()) {
        return counter.status();
    }
    const Result<std::vector<std::uint32_t>> frequencies =
        item_frequencies(input.interactions, params.values_are_counts);
    if (!frequencies.ok()) {
        return frequencies.status();
    }
    const PairScorer scorer(params.score, *frequencies,
                            count_totals(input.interactions, *frequencies));
    const std::size_t list_length = std::min(params.list_length, counter->num_items() + 1);
    std::vector<Worker> workers(pool.num_threads(), Worker{BestPartners(list_length), {}});
    std::vector<ChunkLists> lists(item_chunks(*counter).count());
    count_all_rows(*counter, pool, listener,
                   [&](std::size_t chunk, unsigned worker, const PairRow& row) {
                       append_list(row, scorer, params.min_together, workers[worker], lists[chunk]);
                   });
    return join(lists);
}

}  // namespace segue
