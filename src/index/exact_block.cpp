#include "index/exact_block.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "index/exact_path.h"
#include "index/gathered_rows.h"
#include "index/query.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

using kernels::BlockLimits;
using kernels::kQueryBlock;

/// Rows between two looks at the thresholds, but for the first looks, which come earlier.
constexpr std::size_t kRowsPerCall = 256;
/// The greatest element of a query in a block.
constexpr std::int32_t kGreatestElement = 127;
/// Leaves that are looked at for a first threshold, and rows of them at most beside two for each
/// result.
constexpr std::size_t kFirstLeaves = 3;
constexpr std::size_t kFirstRows = 2048;

/// Widens the limits of a group of rows by those of another's.
void add_limits(const BlockLimits& from, BlockLimits& limits) {
    limits.error = std::max(limits.error, from.error);
    limits.length = std::max(limits.length, from.length);
    limits.least_factor = std::min(limits.least_factor, from.least_factor);
    limits.greatest_factor = std::max(limits.greatest_factor, from.greatest_factor);
    limits.least_offset = std::min(limits.least_offset, from.least_offset);
    limits.inverse_of_greatest_scale =
        std::min(limits.inverse_of_greatest_scale, from.inverse_of_greatest_scale);
    limits.inverse_of_least_scale =
        std::max(limits.inverse_of_least_scale, from.inverse_of_least_scale);
}

}  // namespace

ExactBatchTables::ExactBatchTables(const PreparedBatch& prepared)
    : batch(prepared),
      terms(prepared.terms),
      tables(prepared.terms.index.tables),
      bounds(prepared.terms.index.bounds) {
    has_bounds = level_factors.set(tables, terms.popularity_exponent);
    if (level_factors.used) {
        change_factors();
    }
    if (tables.measure == Measure::kSquaredL2) {
        const MatrixView& centres = tables.leaf_centres;
        leaf_offsets.resize(centres.num_rows);
        kernels::active_kernels().squared_norms(centres.data, centres.stride, centres.num_rows,
                                                centres.dim, leaf_offsets.data());
    }
    if (terms.has_leaf_bounds()) {
        balls = terms.index.balls.of(tables);
    }
}

void ExactBatchTables::change_factors() {
    // A score is at most its product times the greatest factor of its level, so that a product has
    // to reach the threshold divided by that.
    factors = AlignedBuffer<float>(tables.num_items);
    changed_limits_ = bounds.blocks;
    for (std::size_t position = 0; position < tables.num_items; ++position) {
        const float factor = 1 / level_factors.greatest[tables.norm_levels[position]];
        BlockLimits& limits = changed_limits_[position / kBlockPositions];
        const bool first = position % kBlockPositions == 0;
        limits.least_factor = first ? factor : std::min(limits.least_factor, factor);
        limits.greatest_factor = first ? factor : std::max(limits.greatest_factor, factor);
        factors[position] = factor;
    }
}

void ExactBlock::start(const ExactBatchTables& shared, std::span<const std::uint32_t> queries) {
    shared_ = &shared;
    const std::size_t count = queries.size();
    num_queries_ = count;
    const std::size_t dim = shared.tables.dim;
    row_bytes_ = int8_row_bytes(dim);
    if (hits_.empty()) {
        packed_ = AlignedBuffer<std::uint8_t>(kernels::packed_query_bytes(dim));
        prepared_.resize(dim * kQueryBlock);
        elements_.resize(dim * kQueryBlock);
        hits_.resize(kRowsPerCall * kQueryBlock);
        zeros_.resize(kFirstRows);
        row_hits_.resize(kFirstRows);
        wide_query_.resize(row_bytes_);
    }
    sums_.fill(0);
    thresholds_.fill(std::numeric_limits<float>::infinity());
    error_factors_.fill(0);
    length_factors_.fill(0);
    offset_factors_.fill(0);
    lengths_.fill(0);
    leaf_greatest_.assign(shared.balls.size() * kQueryBlock, 0);
    for (std::size_t q = 0; q < count; ++q) {
        start_query(q, queries[q]);
    }
    kernels::active_kernels().int8->pack_queries(elements_.data(), count, dim, packed_.data());
}

void ExactBlock::start_query(std::size_t q, std::uint32_t number) {
    const SearchTerms& terms = shared_->terms;
    const IndexTables& tables = shared_->tables;
    const std::size_t dim = tables.dim;
    const std::span<float> prepared = {prepared_.data() + q * dim, dim};
    prepare_query(shared_->batch.queries.row(number), tables.measure, prepared.data());
    is_tied_[q] = tables.measure != Measure::kSquaredL2 && is_zero(prepared);
    QuantisedQuery& query = queries_[q];
    query.set(tables, shared_->bounds, prepared, terms.popularity_exponent, kGreatestElement);
    if (!shared_->has_bounds) {
        query.drop_bounds();
    }
    for (std::size_t i = 0; i < dim; ++i) {
        sums_[q] += query.elements()[i];
        elements_[q * dim + i] = static_cast<std::int8_t>(query.elements()[i]);
    }
    error_factors_[q] = query.error_factor();
    length_factors_[q] = query.length_factor();
    offset_factors_[q] = query.offset_factor();
    lengths_[q] = query.length();
    excluded_[q].assign(shared_->batch.excluded_rows(number), tables.num_items);
    admissions_[q].start(
        terms.k, terms.min_score, query,
        RowScorer(terms.index.items, tables.measure, terms.popularity_exponent, prepared.data()));
    if (tables.num_leaves() > 1 && !is_tied_[q]) {
        look_at_leaves(q);
    }
}

void ExactBlock::look_at_leaves(std::size_t q) {
    const IndexTables& tables = shared_->tables;
    const MatrixView& centres = tables.leaf_centres;
    leaf_scores_.resize(centres.num_rows);
    kernels::active_kernels().dot_many(prepared_.data() + q * tables.dim, centres.data,
                                       centres.stride, centres.num_rows, centres.dim,
                                       leaf_scores_.data());
    for (std::size_t leaf = 0; leaf < shared_->leaf_offsets.size(); ++leaf) {
        leaf_scores_[leaf] = 2 * leaf_scores_[leaf] - shared_->leaf_offsets[leaf];
    }
    for (std::size_t leaf = 0; leaf < shared_->balls.size(); ++leaf) {
        leaf_greatest_[leaf * kQueryBlock + q] =
            queries_[q].greatest_of(leaf_scores_[leaf], shared_->balls[leaf]);
    }
    std::copy(queries_[q].elements().begin(), queries_[q].elements().end(), wide_query_.begin());
    constexpr float kTaken = -std::numeric_limits<float>::infinity();
    low_bounds_.clear();
    for (std::size_t i = 0; i < kFirstLeaves; ++i) {
        const auto best = std::max_element(leaf_scores_.begin(), leaf_scores_.end());
        if (*best == kTaken) {
            break;  // no leaf twice: its items count once
        }
        collect_low_bounds(q, static_cast<std::size_t>(best - leaf_scores_.begin()));
        *best = kTaken;
    }
    const std::size_t k = shared_->terms.k;
    if (low_bounds_.size() >= k) {
        const auto kth = low_bounds_.begin() + static_cast<std::ptrdiff_t>(k - 1);
        std::nth_element(low_bounds_.begin(), kth, low_bounds_.end(), std::greater<>());
        admissions_[q].raise_threshold(*kth);
    }
}

void ExactBlock::collect_low_bounds(std::size_t q, std::size_t leaf) {
    const IndexTables& tables = shared_->tables;
    const std::size_t begin = tables.leaf_offsets[leaf];
    const std::size_t count =
        std::min<std::size_t>(kFirstRows, tables.leaf_offsets[leaf + 1] - begin);
    // Every row: what is not below -infinity.
    const std::size_t num_hits = kernels::active_kernels().int8->select_rows(
        {.query = wide_query_.data(),
         .rows = tables.rows.data() + begin * row_bytes_,
         .row_bytes = row_bytes_,
         .num_rows = count,
         .scales = zeros_.data(),
         .biases = zeros_.data(),
         .threshold = -std::numeric_limits<float>::infinity()},
        row_hits_.data());
    for (std::size_t h = 0; h < num_hits; ++h) {
        const std::size_t position = begin + row_hits_[h].row;
        if (shared_->terms.is_allowed(position) &&
            !excluded_[q].contains(tables.item_rows[position])) {
            const float lower = queries_[q]
                                    .range_of(tables, shared_->bounds, shared_->level_factors,
                                              position, row_hits_[h].sum)
                                    .lower;
            if (lower > -std::numeric_limits<float>::infinity()) {
                low_bounds_.push_back(lower);
            }
        }
    }
}

void ExactBlock::set_thresholds() {
    for (std::size_t q = 0; q < num_queries_; ++q) {
        if (!is_tied_[q]) {
            const float threshold = admissions_[q].threshold() - queries_[q].error();
            // The greatest factor makes the greatest score only of what is above 0.
            thresholds_[q] = threshold > 0 ? threshold : threshold * shared_->level_factors.widest;
        }
    }
}

std::span<const kernels::BlockHit> ExactBlock::select(const Rows& rows, std::size_t num_rows) {
    return {hits_.data(),
            kernels::active_kernels().int8->select_block({.packed_queries = packed_.data(),
                                                          .query_sums = sums_.data(),
                                                          .thresholds = thresholds_.data(),
                                                          .error_factors = error_factors_.data(),
                                                          .length_factors = length_factors_.data(),
                                                          .offset_factors = offset_factors_.data(),
                                                          .query_lengths = lengths_.data(),
                                                          .rows = rows.rows,
                                                          .row_bytes = row_bytes_,
                                                          .dim = shared_->tables.dim,
                                                          .num_rows = num_rows,
                                                          .scales = rows.scales,
                                                          .factors = rows.factors,
                                                          .offsets = rows.offsets,
                                                          .limits = rows.limits},
                                                         hits_.data())};
}

void ExactBlock::offer(const kernels::BlockHit& hit, std::size_t position) {
    const std::uint32_t q = hit.query;
    if (q >= num_queries_ || is_tied_[q]) {
        return;
    }
    const std::uint32_t row = shared_->tables.item_rows[position];
    if (!excluded_[q].contains(row)) {
        admissions_[q].offer(row, queries_[q].range_of(shared_->tables, shared_->bounds,
                                                       shared_->level_factors, position, hit.sum));
    }
}

void ExactBlock::scan(std::size_t begin, std::size_t end) {
    const LeafFilter* filter = shared_->terms.filter;
    if (filter == nullptr || !filter->is_narrow()) {
        scan_all(begin, end);
        return;
    }
    const std::span<const std::uint32_t> all = filter->positions();
    const auto first = std::lower_bound(all.begin(), all.end(), begin);
    scan_gathered({first, std::lower_bound(first, all.end(), end)});
}

bool ExactBlock::may_hit(std::size_t first, std::size_t& leaf) const {
    if (shared_->balls.empty()) {
        return true;
    }
    const std::span<const std::uint64_t> offsets = shared_->tables.leaf_offsets;
    while (offsets[leaf + 1] <= first) {
        ++leaf;
    }
    for (std::size_t of_block = leaf;
         of_block < shared_->balls.size() && offsets[of_block] < first + kBlockPositions;
         ++of_block) {
        const float* greatest = leaf_greatest_.data() + of_block * kQueryBlock;
        int num_below = 0;
        for (std::size_t q = 0; q < kQueryBlock; ++q) {
            num_below += greatest[q] < thresholds_[q] ? 1 : 0;
        }
        if (num_below != static_cast<int>(kQueryBlock)) {
            return true;
        }
    }
    return false;
}

void ExactBlock::scan_all(std::size_t begin, std::size_t end) {
    const IndexTables& tables = shared_->tables;
    const AlignedBuffer<float>& factors = shared_->factors;
    const AlignedBuffer<float>& offsets = shared_->bounds.offsets;
    std::size_t count = kBlockPositions;
    std::size_t leaf = 0;
    std::size_t next = begin;
    while (true) {
        set_thresholds();
        while (next < end && !may_hit(next, leaf)) {
            next += kBlockPositions;
        }
        if (next >= end) {
            return;
        }
        const std::size_t first = next;
        do {
            next += kBlockPositions;
        } while (next < end && next < first + count && may_hit(next, leaf));
        count = std::min(2 * count, kRowsPerCall);
        const std::size_t num_rows = std::min(next, end) - first;
        for (const kernels::BlockHit& hit :
             select({.rows = tables.rows.data() + first * row_bytes_,
             .scales = tables.row_scales.data() + first,
             .factors = factors.size() != 0 ? factors.data() + first : nullptr,
             .offsets = offsets.size() != 0 ? offsets.data() + first : nullptr,
             .limits = shared_->limits().data() + first / kBlockPositions},
                    num_rows)) {
            if (shared_->terms.is_allowed(first + hit.row)) {
                offer(hit, first + hit.row);
            }
        }
    }
}

void ExactBlock::gather(std::span<const std::uint32_t> positions) {
    const IndexTables& tables = shared_->tables;
    const AlignedBuffer<float>& factors = shared_->factors;
    const AlignedBuffer<float>& offsets = shared_->bounds.offsets;
    gather_rows(tables, shared_->bounds, positions, rows_.data());
    for (std::size_t slot = 0; slot < positions.size(); ++slot) {
        const std::size_t position = positions[slot];
        const BlockLimits& from = shared_->limits()[position / kBlockPositions];
        BlockLimits& limits = limits_[slot / kBlockPositions];
        if (slot % kBlockPositions == 0) {
            limits = from;
        } else {
            add_limits(from, limits);
        }
        scales_[slot] = tables.row_scales[position];
        factors_[slot] = factors.size() != 0 ? factors[position] : 1;
        offsets_[slot] = offsets.size() != 0 ? offsets[position] : 0;
    }
}

void ExactBlock::scan_gathered(std::span<const std::uint32_t> positions) {
    if (scales_.empty()) {
        rows_ = AlignedBuffer<std::uint8_t>(kRowsPerCall * row_bytes_);
        scales_.resize(kRowsPerCall);
        factors_.resize(kRowsPerCall);
        offsets_.resize(kRowsPerCall);
        limits_.resize(kRowsPerCall / kBlockPositions);
    }
    while (!positions.empty()) {
        const auto some = positions.first(std::min(positions.size(), kRowsPerCall));
        positions = positions.subspan(some.size());
        gather(some);
        set_thresholds();
        for (const kernels::BlockHit& hit : select({.rows = rows_.data(),
                                            .scales = scales_.data(),
                                            .factors = factors_.data(),
                                            .offsets = offsets_.data(),
                                            .limits = limits_.data()},
                                                   some.size())) {
            offer(hit, some[hit.row]);
        }
    }
}

}  // namespace segue
