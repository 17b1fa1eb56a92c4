#pragma once

// Counts how often items are together in groups: for each item, the partners in its groups are
// added up in a dense array (the sparse product X'X row by row, after Gustavson 1978). No list of
// pairs and no hash is ever made; memory is 8 bytes for each entry of the table, 16 where groups
// weigh differently, and some 16 bytes for each item and worker.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "cooc/pair_scores.h"
#include "cooc/row_accumulator.h"
#include "data/sparse.h"

namespace segue {

/// Views what is counted. Only `interactions` is always needed.
struct CountInput {
    SparseView interactions;  // [groups x items]
    std::span<const std::uint32_t>
        positions;  // [num_entries] place of an entry in its group; for windows
};

struct CountOptions {
    double group_exponent = 0;  // a: a group of n items adds n^-a to c_w; 0 makes c_w = c
    bool values_are_counts =
        false;  // values m multiply: a group adds m_i * m_j to c; else they are ignored
    std::uint32_t window =
        0;  // count only pairs at most this far apart by position; 0: all of a group

    /// Returns an error if: the exponent is not finite or outside [-4, 4].
    Status validate() const;
};

/// A group has fewer than 2^24 items.
inline constexpr unsigned kGroupSizeBits = 24;

/// Returns an error if: positions are missing or of the wrong number for a window, values that
/// count are no positive whole numbers, or a group has 2^24 items or more.
Status validate(const CountInput& input, const CountOptions& options);

/// How often each item occurs, [num_items]: entries, or the sum of the values where they are
/// counts. Returns an error if: a sum is above 2^32 - 1.
Result<std::vector<std::uint32_t>> item_frequencies(const SparseView& interactions,
                                                    bool values_are_counts);

/// T and N of a table with these item frequencies.
CountTotals count_totals(const SparseView& interactions,
                         std::span<const std::uint32_t> frequencies);

/// Which partners a row lists: those behind the item (each pair once), or all (each pair from both
/// sides).
enum class Partners { kLater, kAll };

/// A table made ready for counting, row by row in any order. Views the input where it can; the
/// input must outlive *this. Immutable, thread-safe; every worker brings a scratch of its own.
class PairCounter {
public:
    /// Returns an error if: the options or the input do not validate. Requires: interactions are
    /// well-formed.
    static Result<PairCounter> create(const CountInput& input, const CountOptions& options,
                                      Partners partners);

    std::size_t num_items() const { return num_items_; }
    /// Additions that counting all rows takes: the pairs, twice for kAll, and each item with itself
    /// for kAll.
    std::uint64_t num_updates() const { return num_updates_; }
    RowAccumulator make_scratch() const { return RowAccumulator(num_items_, cell_kind_); }

    /// The partners of one item, ascending, without itself. Sums run over groups in ascending
    /// order, so that a row is the same bits whoever counts it. Views `scratch`. Requires: scratch
    /// is of this counter.
    PairRow count(std::uint32_t item_row, RowAccumulator& scratch) const;

private:
    /// A stretch of entries whose items are partners of the item it is listed under. There are as
    /// many as entries of the table: in eight bytes.
    class Run {
    public:
        Run() = default;
        Run(std::uint64_t begin, std::uint64_t length)
            : packed_((begin << kGroupSizeBits) | length) {}
        std::uint64_t begin() const { return packed_ >> kGroupSizeBits; }
        std::uint32_t length() const {
            return static_cast<std::uint32_t>(packed_ & ((1U << kGroupSizeBits) - 1));
        }

    private:
        std::uint64_t packed_ = 0;
    };

    PairCounter() = default;
    /// Calls take(entry, run, group size) for the run of each entry that has partners.
    template <typename Take>
    void for_each_run(const SparseView& interactions, std::span<const std::uint32_t> positions,
                      std::uint32_t window, const Take& take) const;
    void order_by_position(const CountInput& input);
    void list_runs(const CountInput& input, const CountOptions& options);

    std::size_t num_items_ = 0;
    Partners partners_ = Partners::kAll;
    CellKind cell_kind_ = CellKind::kCounts;
    std::uint64_t num_updates_ = 0;
    std::span<const std::uint32_t> columns_;      // of the input, or ordered_columns_
    std::span<const float> values_;               // as columns_; empty unless values are counts
    std::vector<std::uint32_t> ordered_columns_;  // entries of each group by position; for windows
    std::vector<float> ordered_values_;
    std::vector<std::uint32_t> ordered_positions_;
    std::vector<std::uint64_t> run_offsets_;  // [num_items + 1]
    AlignedBuffer<Run> runs_;
    AlignedBuffer<float> own_values_;             // [num runs] m of the item itself; as values_
    AlignedBuffer<double> weights_;               // [num runs] n^-a; empty for counts alone
    std::vector<std::uint64_t> updates_of_item_;  // [num_items]
};

/// Counted rows come in chunks of this many items: few enough to even out popular and rare items,
/// enough that taking a chunk costs nothing.
inline constexpr std::size_t kItemsPerChunk = 64;

inline Chunks item_chunks(const PairCounter& counter) {
    return {.size = counter.num_items(), .chunk_size = kItemsPerChunk};
}

/// Counts all rows: visit(chunk, worker, row) for the items of each chunk of item_chunks() in
/// ascending order, chunks in any order and several at a time. What a visitor writes must go to a
/// place of its chunk's own.
void count_all_rows(
    const PairCounter& counter, ThreadPool& pool, const ProgressListener& listener,
    const std::function<void(std::size_t chunk, unsigned worker, const PairRow& row)>& visit);

}  // namespace segue
