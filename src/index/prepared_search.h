#pragma once

// What LeafIndex hands to its paths: an open index, and searches that are checked, with their
// defaults filled in.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/aligned_buffer.h"
#include "data/matrix.h"
#include "data/sparse.h"
#include "index/item_row_set.h"
#include "index/leaf_balls.h"
#include "index/leaf_filter.h"
#include "index/leaf_index.h"
#include "index/score_bounds.h"
#include "index/tree_tables.h"
#include "index_build/index_tables.h"

namespace segue {

/// Checked tables, the vectors behind them, and what opening and first searches derive. Immutable,
/// thread-safe.
struct OpenIndex {
    IndexTables tables;
    /// [num_items x dim] f32 vectors in item order
    MatrixView items;
    IndexBounds bounds;
    /// Empty for an index without codes.
    TreeTables tree;
    LeafBalls balls;
};

/// What all queries of a call share.
struct SearchTerms {
    const OpenIndex& index;
    /// [1, num_items]
    std::size_t k = 0;
    double popularity_exponent = 0;
    /// Null: all items.
    const LeafFilter* filter = nullptr;
    /// Not NaN.
    std::optional<float> min_score = {};
    /// Of the caller, else as calibrated; 0 where neither says.
    TreeKnobs knobs = {};
    /// What the knobs were calibrated to.
    double target_recall = kUsualTargetRecall;
    /// Whether leaves beyond the knobs' are read where they promise better items.
    bool reads_on = false;

    /// Whether what a leaf's ball says of a score holds, and tells leaves apart.
    bool has_leaf_bounds() const {
        return index.tables.measure != Measure::kSquaredL2 && index.tables.num_leaves() > 1 &&
               (index.tables.measure != Measure::kDot ||
                popularity_exponent == index.tables.built_exponent) &&
               (filter == nullptr || !filter->is_narrow());
    }

    bool is_allowed(std::size_t position) const {
        return filter == nullptr || (filter->bits()[position / 64] >> (position % 64) & 1) != 0;
    }
};

/// One query.
struct PreparedSearch {
    const SearchTerms& terms;
    /// [dim] finite; as dot products want it (of length 1, or 0, for Measure::kCosine)
    std::span<const float> query;
    /// Item rows not to offer.
    const ItemRowSet& excluded;
};

/// Many queries. They are not yet as dot products want them: see prepare_query (query.h).
struct PreparedBatch {
    const SearchTerms& terms;
    /// [num_queries x dim] finite
    const MatrixView& queries;
    /// No rows: nothing is excluded. [num_queries x num_items]
    const SparseView& excluded;

    std::span<const std::uint32_t> excluded_rows(std::size_t query) const {
        return excluded.num_rows == 0 ? std::span<const std::uint32_t>()
                                      : excluded.row_columns(query);
    }
};

}  // namespace segue
