#include "cooc/blueprint_pairs.h"

#include <algorithm>
#include <tuple>

#include "cooc/mirrored_triangle.h"
#include "cooc/triangle_blocks.h"

namespace segue {

namespace {

constexpr PairScoreParams kPmiOnly = {.score = PairScore::kPmi};

/// A counter with all that PMI needs.
struct Counted {
    PairCounter counter;
    std::vector<std::uint32_t> frequencies;
    PairScorer scorer;
    CountTotals totals;
};

Result<Counted> prepare(const CountInput& input, const CountOptions& options, Partners partners) {
    if (options.group_exponent != 0) {
        return invalid_argument("the blueprint's counts have no group exponent; expected 0");
    }
    Result<PairCounter> counter = PairCounter::create(input, options, partners);
    if (!counter.ok()) {
        return counter.status();
    }
    Result<std::vector<std::uint32_t>> frequencies =
        item_frequencies(input.interactions, options.values_are_counts);
    if (!frequencies.ok()) {
        return frequencies.status();
    }
    const CountTotals totals = count_totals(input.interactions, *frequencies);
    PairScorer scorer(kPmiOnly, *frequencies, totals);
    return Counted{std::move(*counter), std::move(*frequencies), std::move(scorer), totals};
}

double own_pmi(const Counted& counted, std::uint32_t item_row) {
    const double frequency = counted.frequencies[item_row];
    return pointwise_mutual_information(frequency, frequency, frequency,
                                        counted.totals.total_frequency);
}

/// What one thread brings along.
template <typename Value>
struct Worker {
    std::vector<double> pmi;
    TriangleBlocks<Value> rows;
};

/// Counts every pair once and calls value_of(c, pmi) for each entry of the upper triangle, diagonal
/// included.
template <typename Value, typename ValueOf>
MirroredMatrix<Value> count_mirrored(const Counted& counted, ThreadPool& pool,
                                     const ProgressListener& listener, const ValueOf& value_of) {
    const Chunks chunks = item_chunks(counted.counter);
    std::vector<TriangleChunk<Value>> triangle(chunks.count());
    std::vector<Worker<Value>> workers(pool.num_threads());
    const auto append = [&](const PairRow& row, Worker<Value>& worker) {
        if (counted.frequencies[row.item_row] == 0) {
            worker.rows.append_row(0);
            return;
        }
        worker.pmi.resize(row.partners.size());
        counted.scorer.score_row(row.item_row, row.partners, row.together, row.weighted,
                                 worker.pmi);
        const auto [columns, values] = worker.rows.append_row(row.partners.size() + 1);
        columns[0] = row.item_row;
        std::copy(row.partners.begin(), row.partners.end(), columns.begin() + 1);
        values[0] = value_of(static_cast<double>(counted.frequencies[row.item_row]),
                             own_pmi(counted, row.item_row));
        for (std::size_t place = 0; place < row.partners.size(); ++place) {
            values[place + 1] = value_of(row.together[place], worker.pmi[place]);
        }
    };
    count_all_rows(counted.counter, pool, listener,
                   [&](std::size_t chunk, unsigned number, const PairRow& row) {
                       append(row, workers[number]);
                       if (row.item_row + 1 == chunks.end(chunk)) {
                           triangle[chunk] = workers[number].rows.end_chunk();
                       }
                   });
    return mirror_triangle<Value>(chunks, triangle, pool);
}

/// What is known of the entries of one row. The PMI is worked out as for the matrix: the same bits.
void fill_rows(const Counted& counted, std::uint32_t item_row,
               std::span<const std::uint32_t> partners, std::span<const double> together,
               std::vector<double>& pmi, CooccurrenceRow* rows) {
    pmi.resize(partners.size());
    counted.scorer.score_row(item_row, partners, together, together, pmi);
    for (std::size_t place = 0; place < partners.size(); ++place) {
        rows[place] = {.item1_row = item_row,
                       .item2_row = partners[place],
                       .together = together[place],
                       .frequency1 = counted.frequencies[item_row],
                       .frequency2 = counted.frequencies[partners[place]],
                       .pmi = pmi[place],
                       .score = together[place] * pmi[place]};
    }
}

}  // namespace

Result<MirroredMatrix<float>> blueprint_pairs(const CountInput& input, const CountOptions& options,
                                              ThreadPool& pool, const ProgressListener& listener) {
    const Result<Counted> counted = prepare(input, options, Partners::kLater);
    if (!counted.ok()) {
        return counted.status();
    }
    return count_mirrored<float>(*counted, pool, listener, [](double together, double pmi) {
        return static_cast<float>(together * pmi);
    });
}

Result<LargeVector<CooccurrenceRow>> cooccurrence_rows(const CountInput& input,
                                                       const CountOptions& options,
                                                       ThreadPool& pool,
                                                       const ProgressListener& listener) {
    const Result<Counted> counted = prepare(input, options, Partners::kLater);
    if (!counted.ok()) {
        return counted.status();
    }
    const MirroredMatrix<double> mirrored = count_mirrored<double>(
        *counted, pool, listener, [](double together, double) { return together; });
    LargeVector<CooccurrenceRow> rows(mirrored.num_entries());
    const Chunks chunks = item_chunks(counted->counter);
    std::vector<std::vector<double>> pmi(pool.num_threads());
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        for (std::size_t item = chunks.begin(chunk); item < chunks.end(chunk); ++item) {
            const std::uint64_t begin = mirrored.offsets[item];
            const std::uint64_t size = mirrored.offsets[item + 1] - begin;
            fill_rows(*counted, static_cast<std::uint32_t>(item),
                      std::span(mirrored.columns).subspan(begin, size),
                      std::span(mirrored.values).subspan(begin, size), pmi[worker],
                      rows.data() + begin);
        }
    });
    return rows;
}

Status stream_cooccurrence_rows(
    const CountInput& input, const CountOptions& options,
    const std::function<Status(std::span<const CooccurrenceRow> rows)>& take,
    const ProgressListener& listener) {
    const Result<Counted> counted = prepare(input, options, Partners::kAll);
    if (!counted.ok()) {
        return counted.status();
    }
    const std::size_t num_items = counted->counter.num_items();
    const std::size_t items_per_report = num_items / 100 + 1;
    RowAccumulator scratch = counted->counter.make_scratch();
    std::vector<double> pmi;
    std::vector<std::uint32_t> partners;
    std::vector<double> together;
    std::vector<CooccurrenceRow> rows;
    for (std::uint32_t item = 0; item < num_items; ++item) {
        if (counted->frequencies[item] > 0) {
            const PairRow row = counted->counter.count(item, scratch);
            const auto own_place =
                std::lower_bound(row.partners.begin(), row.partners.end(), item) -
                row.partners.begin();
            partners.assign(row.partners.begin(), row.partners.end());
            partners.insert(partners.begin() + own_place, item);
            together.assign(row.together.begin(), row.together.end());
            together.insert(together.begin() + own_place, counted->frequencies[item]);
            rows.resize(partners.size());
            fill_rows(*counted, item, partners, together, pmi, rows.data());
            if (Status status = take(rows); !status.ok()) {
                return status;
            }
        }
        if ((item + 1) % items_per_report == 0) {
            report(listener, {.stage = "count pairs",
                              .done = item + 1,
                              .total = num_items,
                              .unit = "items",
                              .note = {}});
        }
    }
    return Status();
}

void sort_by_score(std::span<CooccurrenceRow> rows, std::span<const std::uint32_t> key_ranks) {
    const auto rank = [&](std::uint32_t item_row) {
        return key_ranks.empty() ? item_row : key_ranks[item_row];
    };
    std::sort(rows.begin(), rows.end(),
              [&](const CooccurrenceRow& left, const CooccurrenceRow& right) {
                  if (left.score != right.score) {
                      return left.score > right.score;
                  }
                  return std::tuple(rank(left.item1_row), rank(left.item2_row)) <
                         std::tuple(rank(right.item1_row), rank(right.item2_row));
              });
}

}  // namespace segue
