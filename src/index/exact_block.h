#pragma once

// Exact search for a block of up to 64 queries at a time, which share every load of an int8 row.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "index/admission.h"
#include "index/item_row_set.h"
#include "index/prepared_search.h"
#include "index/score_bounds.h"
#include "kernels/int8_kernels.h"

namespace segue {

/// What all blocks of a batch share. Views the batch. Immutable, thread-safe.
class ExactBatchTables {
public:
    explicit ExactBatchTables(const PreparedBatch& batch);

    const PreparedBatch& batch;
    const SearchTerms& terms;
    const IndexTables& tables;
    const IndexBounds& bounds;
    LevelFactors level_factors;
    bool has_bounds = true;
    /// [num_items] what thresholds are multiplied by, where the exponent is not the built one.
    AlignedBuffer<float> factors;
    /// [num_leaves] squared lengths of the centres for kSquaredL2, else empty.
    std::vector<float> leaf_offsets;
    /// [num_leaves] where they bound scores, else empty.
    std::span<const LeafBall> balls;

    std::span<const kernels::BlockLimits> limits() const {
        return changed_limits_.empty() ? std::span<const kernels::BlockLimits>(bounds.blocks)
                                       : changed_limits_;
    }

private:
    void change_factors();

    std::vector<kernels::BlockLimits> changed_limits_;
};

/// Memory and work of one thread. Not thread-safe.
class ExactBlock {
public:
    /// Begins anew with these queries of the batch, kQueryBlock at most. Views the tables.
    void start(const ExactBatchTables& shared, std::span<const std::uint32_t> queries);

    /// Searches the positions [begin, end); begin is a multiple of kBlockPositions.
    void scan(std::size_t begin, std::size_t end);

    /// The best k of queries[q] among what was scanned. Valid until the next start.
    std::span<const ScoredRow> finish(std::size_t q) { return admissions_[q].finish(); }

    /// Queries all items tie for: they are not scanned.
    bool is_tied(std::size_t q) const { return is_tied_[q]; }

private:
    /// Rows as select_block wants them.
    struct Rows {
        const std::uint8_t* rows;
        const float* scales;
        const float* factors;  // or null
        const float* offsets;  // or null
        const kernels::BlockLimits* limits;
    };

    void start_query(std::size_t q, std::uint32_t query);
    /// Raises the threshold of a query to what its nearest leaves promise.
    void look_at_leaves(std::size_t q);
    void collect_low_bounds(std::size_t q, std::size_t leaf);
    void set_thresholds();
    /// Whether a row of the block that begins at `first` may be a hit, as far as leaves tell.
    /// `leaf` is one before that of the block's first row, or that one, and becomes it.
    bool may_hit(std::size_t first, std::size_t& leaf) const;
    void scan_all(std::size_t begin, std::size_t end);
    void scan_gathered(std::span<const std::uint32_t> positions);
    void gather(std::span<const std::uint32_t> positions);
    std::span<const kernels::BlockHit> select(const Rows& rows, std::size_t num_rows);
    void offer(const kernels::BlockHit& hit, std::size_t position);

    const ExactBatchTables* shared_ = nullptr;
    std::size_t num_queries_ = 0;
    std::size_t row_bytes_ = 0;

    AlignedBuffer<std::uint8_t> packed_;
    std::vector<float> prepared_;  // [kQueryBlock x dim]
    std::vector<std::int8_t> elements_;
    std::vector<kernels::BlockHit> hits_;
    std::array<QuantisedQuery, kernels::kQueryBlock> queries_;
    std::array<Admission, kernels::kQueryBlock> admissions_;
    std::array<ItemRowSet, kernels::kQueryBlock> excluded_;
    std::array<bool, kernels::kQueryBlock> is_tied_ = {};
    std::array<std::int32_t, kernels::kQueryBlock> sums_ = {};
    std::array<float, kernels::kQueryBlock> thresholds_ = {};
    std::array<float, kernels::kQueryBlock> error_factors_ = {};
    std::array<float, kernels::kQueryBlock> length_factors_ = {};
    std::array<float, kernels::kQueryBlock> offset_factors_ = {};
    std::array<float, kernels::kQueryBlock> lengths_ = {};

    // Of look_at_leaves.
    std::vector<float> leaf_scores_;
    std::vector<float> leaf_greatest_;  // [num_leaves x kQueryBlock] no score is above, in units
    std::vector<float> low_bounds_;
    std::vector<std::int16_t> wide_query_;
    std::vector<float> zeros_;
    std::vector<kernels::RowHit> row_hits_;

    // Rows that pass a narrow filter, brought together with what belongs to them.
    AlignedBuffer<std::uint8_t> rows_;
    std::vector<float> scales_;
    std::vector<float> factors_;
    std::vector<float> offsets_;
    std::vector<kernels::BlockLimits> limits_;
};

}  // namespace segue
