#pragma once

// Exact search: every item is scored and the best k are kept while scanning. The answer every
// approximate index is measured against, and the right one for small catalogues and narrow filters.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/measure.h"
#include "data/neighbours.h"
#include "data/sparse.h"

namespace segue {

/// What to look for. Items that are excluded, not allowed or below min_score are skipped, never
/// scored low: where k others exist there are k results.
struct SearchOptions {
    std::size_t k = 10;
    /// gamma: dot products are divided by ||j||^gamma (0 where j is zero). Only for Measure::kDot;
    /// finite.
    double popularity_exponent = 0;
    /// Rows not to offer, in any order; rows that do not exist are ignored.
    std::span<const std::uint32_t> excluded = {};
    /// Bit r % 64 of word r / 64 set: row r may be offered. Empty: all rows. [(num_items + 63) /
    /// 64]
    std::span<const std::uint64_t> allowed = {};
    /// Results have at least this score.
    std::optional<float> min_score = {};
};

/// What to look for with each of many queries.
struct BatchSearchOptions {
    std::size_t k = 10;
    double popularity_exponent = 0;
    /// Row q has the item rows not to offer to query q; no rows: nothing is excluded. [num_queries
    /// x num_items]
    SparseView excluded = {};
    /// As in SearchOptions, for all queries.
    std::span<const std::uint64_t> allowed = {};
    std::optional<float> min_score = {};
};

/// Searches rows of vectors it views; they must outlive it. Results are in the order of
/// comes_before. An item whose score is not finite (a damaged or overflowing vector) is never a
/// result. The same bytes for any number of threads; in kDot and kCosine the scores of one query
/// alone and of the same query in a batch may differ by rounding. Immutable, thread-safe.
class ExactIndex {
public:
    /// Computes the norm of every row. Searches with `usual_exponent` find the powers of the norms
    /// computed; others compute them as they go. Requires: fewer than 2^32 - 1 rows.
    ExactIndex(const MatrixView& items, Measure measure, double usual_exponent = 0);

    const MatrixView& items() const { return items_; }
    Measure measure() const { return measure_; }
    /// [num_items] Euclidean lengths.
    std::span<const float> norms() const { return norms_.span(); }

    /// At most k results, fewer only where fewer items may be offered.
    /// Returns an error if: the query has another dimension or an element that is not finite,
    /// `allowed` has the wrong size, min_score is NaN, or the exponent is not finite or given with
    /// another measure.
    Result<std::vector<ScoredRow>> search(std::span<const float> query,
                                          const SearchOptions& options) const;

    /// The list of each row of `queries` [num_queries x dim], in the order asked (`together` stays
    /// empty). Returns an error as search does, naming the query; also if `excluded` has another
    /// number of rows.
    Result<Neighbours> search_batch(const MatrixView& queries, const BatchSearchOptions& options,
                                    ThreadPool& pool, const ProgressListener& progress = {}) const;

private:
    friend class BatchSearch;
    Status check(std::size_t query_dim, std::span<const std::uint64_t> allowed,
                 std::optional<float> min_score, double popularity_exponent) const;
    /// What dot products with the rows [begin, end) are multiplied by: stored, or computed into
    /// `out` [end - begin]; null for 1.
    const float* scales(std::size_t begin, std::size_t end, double popularity_exponent,
                        float* out) const;
    void score_rows(const float* query, std::size_t begin, std::size_t end,
                    double popularity_exponent, float* scores) const;

    MatrixView items_;
    Measure measure_;
    double usual_exponent_;
    AlignedBuffer<float> norms_;
    AlignedBuffer<float> usual_scales_;  // [num_items], empty where all are 1
};

/// The best k of every item by dot / ||j||^popularity_exponent, itself left out: the table `fit`
/// stores. Returns an error if: a vector or the exponent is not finite.
Result<Neighbours> build_neighbour_table(const MatrixView& vectors, std::size_t k,
                                         double popularity_exponent, ThreadPool& pool,
                                         const ProgressListener& progress = {});

}  // namespace segue
