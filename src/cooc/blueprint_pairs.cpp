#include "cooc/blueprint_pairs.h"

#include <algorithm>
#include <tuple>

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

Result<Counted> prepare(const CountInput& input, const CountOptions& options) {
    if (options.group_exponent != 0) {
        return invalid_argument("the blueprint's counts have no group exponent; expected 0");
    }
    Result<PairCounter> counter = PairCounter::create(input, options, Partners::kAll);
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

/// Calls take(partner, c, pmi) for each partner of a counted row and, at its place among them, the
/// item itself.
template <typename Take>
void for_each_entry(const Counted& counted, const PairRow& row, std::vector<double>& pmi,
                    const Take& take) {
    const std::uint32_t frequency = counted.frequencies[row.item_row];
    if (frequency == 0) {
        return;
    }
    pmi.resize(row.partners.size());
    counted.scorer.score_row(row.item_row, row.partners, row.together, row.weighted, pmi);
    const auto own_place = static_cast<std::size_t>(
        std::lower_bound(row.partners.begin(), row.partners.end(), row.item_row) -
        row.partners.begin());
    const auto take_partners = [&](std::size_t begin, std::size_t end) {
        for (std::size_t place = begin; place < end; ++place) {
            take(row.partners[place], row.together[place], pmi[place]);
        }
    };
    take_partners(0, own_place);
    const double own = frequency;
    take(row.item_row, own,
         pointwise_mutual_information(own, own, own, counted.totals.total_frequency));
    take_partners(own_place, row.partners.size());
}

void append_rows(const Counted& counted, const PairRow& row, std::vector<double>& pmi,
                 std::vector<CooccurrenceRow>& rows) {
    for_each_entry(counted, row, pmi, [&](std::uint32_t partner, double together, double value) {
        rows.push_back({.item1_row = row.item_row,
                        .item2_row = partner,
                        .together = together,
                        .frequency1 = counted.frequencies[row.item_row],
                        .frequency2 = counted.frequencies[partner],
                        .pmi = value,
                        .score = together * value});
    });
}

/// The rows of one chunk of items, before they are joined.
struct ChunkRows {
    std::vector<std::uint32_t> columns;
    std::vector<float> values;
};

}  // namespace

Result<SparseMatrix> blueprint_pairs(const CountInput& input, const CountOptions& options,
                                     ThreadPool& pool, const ProgressListener& listener) {
    const Result<Counted> prepared = prepare(input, options);
    if (!prepared.ok()) {
        return prepared.status();
    }
    const Counted& counted = *prepared;
    const std::size_t num_items = counted.counter.num_items();
    SparseMatrix matrix;
    matrix.num_rows = num_items;
    matrix.num_columns = num_items;
    matrix.offsets.assign(num_items + 1, 0);
    const Chunks chunks = item_chunks(counted.counter);
    std::vector<ChunkRows> parts(chunks.count());
    std::vector<std::vector<double>> pmi(pool.num_threads());
    count_all_rows(counted.counter, pool, listener,
                   [&](std::size_t chunk, unsigned worker, const PairRow& row) {
                       ChunkRows& part = parts[chunk];
                       for_each_entry(
                           counted, row, pmi[worker],
                           [&](std::uint32_t partner, double together, double value) {
                               part.columns.push_back(partner);
                               part.values.push_back(static_cast<float>(together * value));
                           });
                       matrix.offsets[row.item_row + 1] = part.columns.size();
                   });
    std::uint64_t num_entries = 0;
    for (std::size_t chunk = 0; chunk < parts.size(); ++chunk) {
        for (std::size_t item = chunks.begin(chunk); item < chunks.end(chunk); ++item) {
            matrix.offsets[item + 1] += num_entries;
        }
        num_entries += parts[chunk].columns.size();
    }
    matrix.columns.reserve(num_entries);
    matrix.values.reserve(num_entries);
    for (ChunkRows& part : parts) {
        matrix.columns.insert(matrix.columns.end(), part.columns.begin(), part.columns.end());
        matrix.values.insert(matrix.values.end(), part.values.begin(), part.values.end());
        part = ChunkRows();
    }
    return matrix;
}

Result<std::vector<CooccurrenceRow>> cooccurrence_rows(const CountInput& input,
                                                       const CountOptions& options,
                                                       ThreadPool& pool,
                                                       const ProgressListener& listener) {
    const Result<Counted> counted = prepare(input, options);
    if (!counted.ok()) {
        return counted.status();
    }
    std::vector<std::vector<CooccurrenceRow>> parts(item_chunks(counted->counter).count());
    std::vector<std::vector<double>> pmi(pool.num_threads());
    count_all_rows(counted->counter, pool, listener,
                   [&](std::size_t chunk, unsigned worker, const PairRow& row) {
                       append_rows(*counted, row, pmi[worker], parts[chunk]);
                   });
    std::size_t num_rows = 0;
    for (const auto& part : parts) {
        num_rows += part.size();
    }
    std::vector<CooccurrenceRow> rows;
    rows.reserve(num_rows);
    for (std::vector<CooccurrenceRow>& part : parts) {
        rows.insert(rows.end(), part.begin(), part.end());
        part = {};
    }
    return rows;
}

Status stream_cooccurrence_rows(
    const CountInput& input, const CountOptions& options,
    const std::function<Status(std::span<const CooccurrenceRow> rows)>& take,
    const ProgressListener& listener) {
    const Result<Counted> counted = prepare(input, options);
    if (!counted.ok()) {
        return counted.status();
    }
    const std::size_t num_items = counted->counter.num_items();
    const std::size_t items_per_report = num_items / 100 + 1;
    RowAccumulator scratch = counted->counter.make_scratch();
    std::vector<double> pmi;
    std::vector<CooccurrenceRow> rows;
    for (std::size_t item = 0; item < num_items; ++item) {
        rows.clear();
        append_rows(*counted, counted->counter.count(static_cast<std::uint32_t>(item), scratch),
                    pmi, rows);
        if (!rows.empty()) {
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

void sort_by_score(std::vector<CooccurrenceRow>& rows, std::span<const std::uint32_t> key_ranks) {
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
