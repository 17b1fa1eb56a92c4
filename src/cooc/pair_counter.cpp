#include "cooc/pair_counter.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

namespace segue {

namespace {

// Runs are short (some ten items) and anywhere in memory; asked for this many runs ahead they have
// arrived.
constexpr std::uint64_t kRunsAhead = 6;
constexpr std::uint32_t kColumnsPerCacheLine = 16;

constexpr std::size_t kProgressSteps = 100;

}  // namespace

Status CountOptions::validate() const {
    if (!(group_exponent >= -4 && group_exponent <= 4)) {
        return invalid_argument(
            fmt::format("group exponent is {}; expected -4 to 4", group_exponent));
    }
    return Status();
}

Status validate(const CountInput& input, const CountOptions& options) {
    const SparseView& interactions = input.interactions;
    if (options.window > 0 && input.positions.size() != interactions.num_entries()) {
        return invalid_argument(
            fmt::format("a window of {} needs the position of each of {} entries; found {}",
                        options.window, interactions.num_entries(), input.positions.size()));
    }
    constexpr std::size_t kMostItems = (std::size_t{1} << kGroupSizeBits) - 1;
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        if (interactions.row_size(group) > kMostItems) {
            return resource_limit(fmt::format(
                "group row {} has {} items; at most {} can be counted; leave long groups out, or "
                "cut them, by --max-group-size",
                group, interactions.row_size(group), kMostItems));
        }
    }
    if (options.values_are_counts) {
        for (const float value : interactions.values) {
            if (!(value >= 1 && std::trunc(value) == value && std::isfinite(value))) {
                return invalid_argument(fmt::format(
                    "a value that counts rows is {}; expected a whole number from 1", value));
            }
        }
    }
    return Status();
}

Result<std::vector<std::uint32_t>> item_frequencies(const SparseView& interactions,
                                                    bool values_are_counts) {
    if (!values_are_counts || interactions.values.empty()) {
        return column_counts(interactions);
    }
    std::vector<double> sums(interactions.num_columns, 0);
    for (std::size_t entry = 0; entry < interactions.num_entries(); ++entry) {
        sums[interactions.columns[entry]] += static_cast<double>(interactions.values[entry]);
    }
    std::vector<std::uint32_t> frequencies(sums.size());
    for (std::size_t row = 0; row < sums.size(); ++row) {
        if (!(sums[row] >= 0 && sums[row] <= std::numeric_limits<std::uint32_t>::max())) {
            return resource_limit(fmt::format(
                "item row {} occurs {} times; at most 4294967295 can be counted", row, sums[row]));
        }
        frequencies[row] = static_cast<std::uint32_t>(sums[row]);
    }
    return frequencies;
}

CountTotals count_totals(const SparseView& interactions,
                         std::span<const std::uint32_t> frequencies) {
    CountTotals totals;
    for (const std::uint32_t frequency : frequencies) {
        totals.total_frequency += static_cast<double>(frequency);
    }
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        totals.num_groups += interactions.row_size(group) > 0 ? 1 : 0;
    }
    return totals;
}

Result<PairCounter> PairCounter::create(const CountInput& input, const CountOptions& options,
                                        Partners partners) {
    for (const Status& status : {options.validate(), segue::validate(input, options)}) {
        if (!status.ok()) {
            return status;
        }
    }
    PairCounter counter;
    counter.num_items_ = input.interactions.num_columns;
    counter.partners_ = partners;
    counter.columns_ = input.interactions.columns;
    if (options.values_are_counts) {
        counter.values_ = input.interactions.values;
    }
    const bool has_sums = options.group_exponent != 0 || !counter.values_.empty();
    counter.cell_kind_ = has_sums ? CellKind::kSums : CellKind::kCounts;
    if (options.window > 0) {
        counter.order_by_position(input);
    }
    counter.list_runs(input, options);
    return counter;
}

/// Within each group, entries in the order of their positions: a window is one stretch then.
void PairCounter::order_by_position(const CountInput& input) {
    const SparseView& interactions = input.interactions;
    std::vector<std::uint64_t> order(interactions.num_entries());
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        std::sort(order.begin() + static_cast<std::ptrdiff_t>(interactions.offsets[group]),
                  order.begin() + static_cast<std::ptrdiff_t>(interactions.offsets[group + 1]),
                  [&](std::uint64_t left, std::uint64_t right) {
                      const std::uint32_t left_position = input.positions[left];
                      const std::uint32_t right_position = input.positions[right];
                      return left_position != right_position ? left_position < right_position
                                                             : left < right;
                  });
    }
    for (const std::uint64_t entry : order) {
        ordered_columns_.push_back(columns_[entry]);
        ordered_positions_.push_back(input.positions[entry]);
        if (!values_.empty()) {
            ordered_values_.push_back(values_[entry]);
        }
    }
    columns_ = ordered_columns_;
    values_ = ordered_values_;
}

template <typename Take>
void PairCounter::for_each_run(const SparseView& interactions,
                               std::span<const std::uint32_t> positions, std::uint32_t window,
                               const Take& take) const {
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        const std::uint64_t begin = interactions.offsets[group];
        const std::uint64_t end = interactions.offsets[group + 1];
        std::uint64_t run_begin = begin;
        std::uint64_t run_end = window > 0 ? begin : end;
        for (std::uint64_t entry = begin; entry < end; ++entry) {
            if (window > 0) {
                while (positions[entry] - positions[run_begin] > window) {
                    ++run_begin;
                }
                while (run_end < end && positions[run_end] - positions[entry] <= window) {
                    ++run_end;
                }
            } else if (partners_ == Partners::kLater) {
                run_begin = entry + 1;
            }
            if (run_end > run_begin) {
                take(entry, Run(run_begin, run_end - run_begin), end - begin);
            }
        }
    }
}

void PairCounter::list_runs(const CountInput& input, const CountOptions& options) {
    const SparseView& interactions = input.interactions;
    const std::span<const std::uint32_t> positions = ordered_positions_;
    std::size_t largest_group = 0;
    run_offsets_.assign(num_items_ + 1, 0);
    updates_of_item_.assign(num_items_, 0);
    for_each_run(interactions, positions, options.window,
                 [&](std::uint64_t entry, Run run, std::size_t group_size) {
                     ++run_offsets_[columns_[entry] + 1];
                     updates_of_item_[columns_[entry]] += run.length();
                     largest_group = std::max(largest_group, group_size);
                 });
    std::partial_sum(run_offsets_.begin(), run_offsets_.end(), run_offsets_.begin());
    num_updates_ =
        std::accumulate(updates_of_item_.begin(), updates_of_item_.end(), std::uint64_t{0});
    const bool has_sums = cell_kind_ == CellKind::kSums;
    std::vector<double> weight_of_size(has_sums ? largest_group + 1 : 0);
    for (std::size_t size = 1; size < weight_of_size.size(); ++size) {
        weight_of_size[size] = std::pow(static_cast<double>(size), -options.group_exponent);
    }
    runs_ = AlignedBuffer<Run>(run_offsets_.back());
    weights_ = AlignedBuffer<double>(has_sums ? run_offsets_.back() : 0);
    own_values_ = AlignedBuffer<float>(values_.empty() ? 0 : run_offsets_.back());
    std::vector<std::uint64_t> next(run_offsets_.begin(), run_offsets_.end() - 1);
    for_each_run(interactions, positions, options.window,
                 [&](std::uint64_t entry, Run run, std::size_t group_size) {
                     const std::uint64_t place = next[columns_[entry]]++;
                     runs_[place] = run;
                     if (has_sums) {
                         weights_[place] = weight_of_size[group_size];
                     }
                     if (!values_.empty()) {
                         own_values_[place] = values_[entry];
                     }
                 });
}

PairRow PairCounter::count(std::uint32_t item_row, RowAccumulator& scratch) const {
    scratch.begin(updates_of_item_[item_row]);
    const std::uint64_t end = run_offsets_[item_row + 1];
    for (std::uint64_t place = run_offsets_[item_row]; place < end; ++place) {
        if (place + kRunsAhead < end) {
            const Run ahead = runs_[place + kRunsAhead];
            const std::uint32_t* const columns = columns_.data() + ahead.begin();
            __builtin_prefetch(columns);
            __builtin_prefetch(columns + std::min(ahead.length() - 1, kColumnsPerCacheLine));
        }
        const Run run = runs_[place];
        const std::span<const std::uint32_t> partners = columns_.subspan(run.begin(), run.length());
        if (cell_kind_ == CellKind::kCounts) {
            scratch.add(partners);
        } else if (values_.empty()) {
            scratch.add(partners, weights_[place]);
        } else {
            scratch.add(partners, values_.subspan(run.begin(), run.length()),
                        static_cast<double>(own_values_[place]), weights_[place]);
        }
    }
    return scratch.finish(item_row, partners_ == Partners::kLater ? item_row + 1 : 0);
}

void count_all_rows(const PairCounter& counter, ThreadPool& pool, const ProgressListener& listener,
                    const std::function<void(std::size_t, unsigned, const PairRow&)>& visit) {
    const Chunks chunks = item_chunks(counter);
    std::vector<RowAccumulator> scratches;
    for (unsigned worker = 0; worker < pool.num_threads(); ++worker) {
        scratches.push_back(counter.make_scratch());
    }
    const std::size_t chunks_per_report = chunks.count() / kProgressSteps + 1;
    std::atomic<std::size_t> num_done{0};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        for (std::size_t item = chunks.begin(chunk); item < chunks.end(chunk); ++item) {
            visit(chunk, worker,
                  counter.count(static_cast<std::uint32_t>(item), scratches[worker]));
        }
        const std::size_t done = num_done.fetch_add(1, std::memory_order_relaxed) + 1;
        // Worker 0 is the thread that called; the listener is its own.
        if (worker == 0 && done % chunks_per_report == 0) {
            report(listener, {.stage = "count pairs",
                              .done = std::min(done * kItemsPerChunk, chunks.size),
                              .total = chunks.size,
                              .unit = "items",
                              .note = {}});
        }
    });
}

}  // namespace segue
