#pragma once

// What the blueprint's sp_ComputePMI makes of a cleaned table: every pair of items that share a
// group, mirrored, and every item with itself, with PMI and the training weight c * PMI. The
// filters stand before this (ingest).

#include <cstdint>
#include <functional>
#include <span>

#include "base/large_vector.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "cooc/mirrored_triangle.h"
#include "cooc/pair_counter.h"

namespace segue {

/// [items x items], symmetric, columns ascending: c * PMI of each pair in f32, and f * log2(T / f)
/// on the diagonal. T is the sum of item frequencies. Items of frequency 0 have no entries. The
/// group exponent of `options` must be 0; the same bytes for any number of threads. Returns an
/// error if: options or input do not validate. Requires: interactions are well-formed.
Result<MirroredMatrix<float>> blueprint_pairs(const CountInput& input, const CountOptions& options,
                                              ThreadPool& pool,
                                              const ProgressListener& listener = {});

/// One row of the blueprint's table of pairs.
struct CooccurrenceRow {
    std::uint32_t item1_row = 0;
    std::uint32_t item2_row = 0;
    double together = 0;  // c; the frequency where item1 is item2
    std::uint32_t frequency1 = 0;
    std::uint32_t frequency2 = 0;
    double pmi = 0;
    double score = 0;  // c * pmi
};

/// The same entries with all that is known of them, item1 ascending, then item2: some 40 bytes
/// each, in memory.
Result<LargeVector<CooccurrenceRow>> cooccurrence_rows(const CountInput& input,
                                                       const CountOptions& options,
                                                       ThreadPool& pool,
                                                       const ProgressListener& listener = {});

/// The same in the same order, a batch for each item1, without keeping them. An error of `take`
/// ends it.
Status stream_cooccurrence_rows(
    const CountInput& input, const CountOptions& options,
    const std::function<Status(std::span<const CooccurrenceRow> rows)>& take,
    const ProgressListener& listener = {});

/// By score descending, then by the ranks of the keys of item1 and item2; `key_ranks` [num_items]
/// is the place of each item's key among the sorted keys, or empty to go by row.
void sort_by_score(std::span<CooccurrenceRow> rows, std::span<const std::uint32_t> key_ranks);

}  // namespace segue
