#pragma once

// The index: one store of int8 rows in leaf order, an exact and a tree path over it. docs/index.md
// says how it works and when which path is taken.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/neighbours.h"
#include "data/sparse.h"
#include "index/leaf_filter.h"
#include "index_build/index_tables.h"

namespace segue {

enum class SearchPath {
    kAuto,   // the planner chooses
    kExact,  // every item: the int8 rows admit, f32 decides; the result of ExactIndex, ties
             // included
    kTree,   // some leaves: codes admit, int8 and f32 rescore
};

/// "auto", "exact", "tree"
std::string_view name_of(SearchPath path);

/// How much of the tree a search reads. Zeros mean: what the index was calibrated to.
struct TreeKnobs {
    std::uint32_t num_leaves_to_search = 0;
    /// Candidates of the codes that are rescored (ScaNN's pre_reorder_num_neighbors); k at least.
    std::uint32_t reordering_num_neighbors = 0;
};

/// What a search asks beside its vector. Items that are excluded, filtered out or below min_score
/// are skipped, never scored low: where k others exist there are k results, on every path.
struct IndexSearchOptions {
    std::size_t k = 10;
    /// gamma: dot products are divided by ||j||^gamma (0 where j is zero). Only for Measure::kDot;
    /// finite.
    double popularity_exponent = 0;
    /// Item rows not to offer, in any order; rows that do not exist are ignored.
    std::span<const std::uint32_t> excluded = {};
    /// Null: all items. Must be of this index.
    const LeafFilter* filter = nullptr;
    /// Results have at least this score.
    std::optional<float> min_score = {};
    SearchPath path = SearchPath::kAuto;
    TreeKnobs knobs = {};
};

/// What many queries share; excluded rows are each query's own.
struct IndexBatchOptions {
    std::size_t k = 10;
    double popularity_exponent = 0;
    /// Row q has the item rows not to offer to query q; no rows: nothing is excluded.
    /// [num_queries x num_items]
    SparseView excluded = {};
    const LeafFilter* filter = nullptr;
    std::optional<float> min_score = {};
    SearchPath path = SearchPath::kAuto;
    TreeKnobs knobs = {};
};

/// What a search did: for people who ask why, and for tests.
struct SearchTrace {
    SearchPath path = SearchPath::kAuto;  // the one taken
    std::uint64_t leaves = 0;             // read
    std::uint64_t scored = 0;             // entries scored by codes (tree) or int8 rows (exact)
    std::uint64_t candidates = 0;         // admitted by that pass
    std::uint64_t rescored = 0;           // by f32 rows
    bool widened = false;  // more leaves were read because k results were not found at first
};

/// Knobs for a popularity exponent: what `segue index` found for the recall asked for.
struct CalibratedKnobs {
    double popularity_exponent = 0;
    TreeKnobs knobs;
};

/// Recall@10 that knobs are calibrated to, where nothing else is asked for.
inline constexpr double kUsualTargetRecall = 0.95;

/// What searches without knobs use. Empty: knobs that reach about .95 recall@10 on most data.
struct IndexSettings {
    /// The path of a single query without a filter; kAuto: the planner's rule.
    SearchPath path = SearchPath::kAuto;
    std::vector<CalibratedKnobs> calibrated;  // ascending exponents
    /// [0, 1] what they were calibrated to.
    double target_recall = kUsualTargetRecall;
    /// [0, 1] of the rows that exact searches at the built exponent read: blocks of rows too short
    /// to be hits are skipped.
    double exact_share = 1;
};

/// Memory of one thread's searches: after some queries no search allocates. Not thread-safe; one a
/// thread, of any index.
class SearchScratch {
public:
    SearchScratch();
    SearchScratch(SearchScratch&&) noexcept;
    SearchScratch& operator=(SearchScratch&&) noexcept;
    ~SearchScratch();

private:
    friend class LeafIndex;
    struct Buffers;
    std::unique_ptr<Buffers> buffers_;
};

/// Searches tables and item vectors it views; both must outlive it. Results are in the order of
/// comes_before, and their scores are those of the f32 vectors, computed as ExactIndex does.
/// Immutable, thread-safe.
class LeafIndex {
public:
    /// Checks everything in the tables that addresses memory, whatever file they came from.
    /// `items` [num_items x dim] are the f32 vectors in item order. Returns an error if: a table
    /// has another size than the others ask for, leaf or code offsets do not ascend to the end,
    /// item_rows is no permutation, a code position is out of range, or a number that must be
    /// finite is not.
    static Result<LeafIndex> open(const IndexTables& tables, const MatrixView& items,
                                  IndexSettings settings = {});
    LeafIndex(LeafIndex&&) noexcept;
    LeafIndex& operator=(LeafIndex&&) noexcept;
    ~LeafIndex();

    const IndexTables& tables() const;
    const IndexSettings& settings() const;

    /// Replaces `results` by at most k, fewer only where fewer items may be offered. Returns an
    /// error if: the query has another dimension or an element that is not finite, the filter is of
    /// an index of another size, min_score is NaN, the exponent is not finite or given with another
    /// measure, or the tree is asked for and there is none.
    Status search(std::span<const float> query, const IndexSearchOptions& options,
                  SearchScratch& scratch, std::vector<ScoredRow>& results,
                  SearchTrace* trace = nullptr) const;

    /// The list of each row of `queries` [num_queries x dim], in the order asked (`together` stays
    /// empty): what search gives for each alone. The same bytes for any number of threads. Returns
    /// an error as search does, naming the query.
    Result<Neighbours> search_batch(const MatrixView& queries, const IndexBatchOptions& options,
                                    ThreadPool& pool, const ProgressListener& progress = {}) const;

private:
    struct State;
    explicit LeafIndex(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace segue
