// Many queries at once: blocks of 64 share every load of an int8 row.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

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
/// Rows that are worth a unit of work of their own.
constexpr std::size_t kMinRowsPerPart = 16384;
/// A block of so few queries is faster one query at a time: multiplying 64 takes about as long as
/// reading the rows eight times.
constexpr std::size_t kFewQueries = 6;
/// Candidates of a block of queries would need much memory beyond this k.
constexpr std::size_t kMostForBlocks = 8192;
/// The greatest element of a query in a block.
constexpr std::int32_t kGreatestElement = 127;

/// Rows as select_block wants them.
struct RowsView {
    const std::uint8_t* rows;
    const float* scales;
    const float* factors;  // or null
    const float* offsets;  // or null
    const BlockLimits* limits;
};

/// Rows that pass a filter, brought together with what belongs to them.
struct GatheredBlock {
    AlignedBuffer<std::uint8_t> rows;
    std::vector<float> scales;
    std::vector<float> factors;
    std::vector<float> offsets;
    std::vector<BlockLimits> limits;
};

/// Memory of one thread.
struct Worker {
    AlignedBuffer<std::uint8_t> packed;
    std::vector<float> prepared;  // [kQueryBlock x dim]
    std::vector<std::int8_t> elements;
    std::vector<kernels::BlockHit> hits;
    std::array<QuantisedQuery, kQueryBlock> queries;
    std::array<Admission, kQueryBlock> admissions;
    std::array<ItemRowSet, kQueryBlock> excluded;
    std::array<bool, kQueryBlock> is_zero;
    alignas(64) std::array<std::int32_t, kQueryBlock> sums;
    alignas(64) std::array<float, kQueryBlock> thresholds;
    alignas(64) std::array<float, kQueryBlock> error_factors;
    alignas(64) std::array<float, kQueryBlock> length_factors;
    alignas(64) std::array<float, kQueryBlock> offset_factors;
    GatheredBlock gathered;
    ExactBuffers single;
};

/// One call of search_exact_batch. Its units of work are (block of queries, part of the rows); what
/// they find does not depend on how rows are divided, since f32 scores do not and comes_before is a
/// total order.
class ExactBatch {
public:
    ExactBatch(const PreparedBatch& batch, ThreadPool& pool);

    Neighbours run(const ProgressListener& progress);

private:
    void change_factors();
    void search_unit(std::size_t block, std::size_t part, Worker& worker);
    void search_single(std::size_t query, Worker& worker);
    void start_queries(std::size_t first_query, std::size_t num_queries, Worker& worker) const;
    void set_thresholds(std::size_t num_queries, Worker& worker) const;
    void scan_all(std::size_t num_queries, std::size_t begin, std::size_t end,
                  Worker& worker) const;
    void scan_gathered(std::size_t num_queries, std::size_t begin, std::size_t end,
                       Worker& worker) const;
    void gather(std::span<const std::uint32_t> positions, GatheredBlock& block) const;
    std::size_t select(const RowsView& view, std::size_t num_rows, Worker& worker) const;
    void offer(const kernels::BlockHit& hit, std::size_t position, Worker& worker) const;
    void collect(std::size_t first_block, std::size_t end_block, Neighbours& out) const;

    std::size_t end_query_of(std::size_t block) const {
        return std::min(batch_.queries.num_rows, (block + 1) * kQueryBlock);
    }
    std::vector<ScoredRow>& list_of(std::size_t query, std::size_t part) {
        return lists_[(query - wave_begin_ * kQueryBlock) * num_parts_ + part];
    }

    const PreparedBatch& batch_;
    const SearchTerms& terms_;
    const IndexTables& tables_;
    const IndexBounds& bounds_;
    ThreadPool& pool_;
    std::size_t row_bytes_;
    LevelFactors level_factors_;
    bool has_bounds_ = true;
    // Where the exponent is not the built one: [num_items], and limits with them.
    AlignedBuffer<float> factors_;
    std::vector<BlockLimits> changed_limits_;
    const BlockLimits* limits_;
    std::size_t num_parts_ = 1;
    std::size_t wave_begin_ = 0;
    std::vector<std::vector<ScoredRow>> lists_;  // [queries of the wave x num_parts]
    std::vector<Worker> workers_;
};

ExactBatch::ExactBatch(const PreparedBatch& batch, ThreadPool& pool)
    : batch_(batch),
      terms_(batch.terms),
      tables_(batch.terms.index.tables),
      bounds_(batch.terms.index.bounds),
      pool_(pool),
      row_bytes_(int8_row_bytes(tables_.dim)),
      limits_(bounds_.blocks.data()),
      workers_(pool.num_threads()) {
    has_bounds_ = level_factors_.set(tables_, terms_.popularity_exponent);
    if (level_factors_.used) {
        change_factors();
    }
}

void ExactBatch::change_factors() {
    // A score is at most its product times the greatest factor of its level, so that a product has
    // to reach the threshold divided by that.
    factors_ = AlignedBuffer<float>(tables_.num_items);
    changed_limits_ = bounds_.blocks;
    for (std::size_t position = 0; position < tables_.num_items; ++position) {
        const float factor = 1 / level_factors_.greatest[tables_.norm_levels[position]];
        BlockLimits& limits = changed_limits_[position / kBlockPositions];
        const bool first = position % kBlockPositions == 0;
        limits.least_factor = first ? factor : std::min(limits.least_factor, factor);
        limits.greatest_factor = first ? factor : std::max(limits.greatest_factor, factor);
        factors_[position] = factor;
    }
    limits_ = changed_limits_.data();
}

void ExactBatch::start_queries(std::size_t first_query, std::size_t num_queries,
                               Worker& worker) const {
    const std::size_t dim = tables_.dim;
    if (worker.hits.empty()) {
        worker.packed = AlignedBuffer<std::uint8_t>(kernels::packed_query_bytes(dim));
        worker.prepared.resize(dim * kQueryBlock);
        worker.elements.resize(dim * kQueryBlock);
        worker.hits.resize(kRowsPerCall * kQueryBlock);
    }
    worker.sums.fill(0);
    worker.thresholds.fill(std::numeric_limits<float>::infinity());
    worker.error_factors.fill(0);
    worker.length_factors.fill(0);
    worker.offset_factors.fill(0);
    for (std::size_t q = 0; q < num_queries; ++q) {
        const std::size_t query = first_query + q;
        const std::span<float> prepared = {worker.prepared.data() + q * dim, dim};
        prepare_query(batch_.queries.row(query), tables_.measure, prepared.data());
        QuantisedQuery& quantised = worker.queries[q];
        quantised.set(tables_, bounds_, prepared, terms_.popularity_exponent, kGreatestElement);
        if (!has_bounds_) {
            quantised.drop_bounds();
        }
        worker.is_zero[q] = tables_.measure != Measure::kSquaredL2 && is_zero(prepared);
        for (std::size_t i = 0; i < dim; ++i) {
            worker.sums[q] += quantised.elements()[i];
            worker.elements[q * dim + i] = static_cast<std::int8_t>(quantised.elements()[i]);
        }
        worker.error_factors[q] = quantised.error_factor();
        worker.length_factors[q] = quantised.length_factor();
        worker.offset_factors[q] = quantised.offset_factor();
        worker.excluded[q].assign(batch_.excluded_rows(query), tables_.num_items);
        worker.admissions[q].start(terms_.k, terms_.min_score, quantised,
                                   RowScorer(terms_.index.items, tables_.measure,
                                             terms_.popularity_exponent, prepared.data()));
    }
    kernels::active_kernels().int8->pack_queries(worker.elements.data(), num_queries, dim,
                                                 worker.packed.data());
}

void ExactBatch::set_thresholds(std::size_t num_queries, Worker& worker) const {
    for (std::size_t q = 0; q < num_queries; ++q) {
        if (worker.is_zero[q]) {
            continue;
        }
        const float threshold = worker.admissions[q].threshold() - worker.queries[q].error();
        // The greatest factor makes the greatest score only of what is above 0.
        worker.thresholds[q] = threshold > 0 ? threshold : threshold * level_factors_.widest;
    }
}

std::size_t ExactBatch::select(const RowsView& view, std::size_t num_rows, Worker& worker) const {
    return kernels::active_kernels().int8->select_block(
        {.packed_queries = worker.packed.data(),
         .query_sums = worker.sums.data(),
         .thresholds = worker.thresholds.data(),
         .error_factors = worker.error_factors.data(),
         .length_factors = worker.length_factors.data(),
         .offset_factors = worker.offset_factors.data(),
         .rows = view.rows,
         .row_bytes = row_bytes_,
         .dim = tables_.dim,
         .num_rows = num_rows,
         .scales = view.scales,
         .factors = view.factors,
         .offsets = view.offsets,
         .limits = view.limits},
        worker.hits.data());
}

void ExactBatch::offer(const kernels::BlockHit& hit, std::size_t position, Worker& worker) const {
    const std::uint32_t row = tables_.item_rows[position];
    if (!worker.excluded[hit.query].contains(row)) {
        worker.admissions[hit.query].offer(
            row, worker.queries[hit.query].range_of(tables_, bounds_, level_factors_, position,
                                                    hit.sum));
    }
}

void ExactBatch::scan_all(std::size_t num_queries, std::size_t begin, std::size_t end,
                          Worker& worker) const {
    std::size_t count = kBlockPositions;
    for (std::size_t first = begin; first < end; first += count) {
        // Few rows at first: without thresholds every one is a hit.
        count = first == begin ? kBlockPositions : std::min(2 * count, kRowsPerCall);
        set_thresholds(num_queries, worker);
        const std::size_t num_hits = select(
            {.rows = tables_.rows.data() + first * row_bytes_,
             .scales = tables_.row_scales.data() + first,
             .factors = level_factors_.used ? factors_.data() + first : nullptr,
             .offsets = bounds_.offsets.size() != 0 ? bounds_.offsets.data() + first : nullptr,
             .limits = limits_ + first / kBlockPositions},
            std::min(count, end - first), worker);
        for (std::size_t h = 0; h < num_hits; ++h) {
            const kernels::BlockHit& hit = worker.hits[h];
            if (hit.query < num_queries && !worker.is_zero[hit.query] &&
                terms_.is_allowed(first + hit.row)) {
                offer(hit, first + hit.row, worker);
            }
        }
    }
}

void ExactBatch::gather(std::span<const std::uint32_t> positions, GatheredBlock& block) const {
    gather_rows(tables_, bounds_, positions, block.rows.data());
    for (std::size_t slot = 0; slot < positions.size(); ++slot) {
        const std::size_t position = positions[slot];
        const BlockLimits& from = limits_[position / kBlockPositions];
        BlockLimits& limits = block.limits[slot / kBlockPositions];
        if (slot % kBlockPositions == 0) {
            limits = from;
        } else {
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
        block.scales[slot] = tables_.row_scales[position];
        block.factors[slot] = level_factors_.used ? factors_[position] : 1;
        block.offsets[slot] = bounds_.offsets.size() != 0 ? bounds_.offsets[position] : 0;
    }
}

void ExactBatch::scan_gathered(std::size_t num_queries, std::size_t begin, std::size_t end,
                               Worker& worker) const {
    GatheredBlock& block = worker.gathered;
    if (block.scales.empty()) {
        block.rows = AlignedBuffer<std::uint8_t>(kRowsPerCall * row_bytes_);
        block.scales.resize(kRowsPerCall);
        block.factors.resize(kRowsPerCall);
        block.offsets.resize(kRowsPerCall);
        block.limits.resize(kRowsPerCall / kBlockPositions);
    }
    const std::span<const std::uint32_t> all = terms_.filter->positions();
    auto next = std::lower_bound(all.begin(), all.end(), begin);
    const auto last = std::lower_bound(next, all.end(), end);
    while (next != last) {
        const auto count = std::min<std::ptrdiff_t>(last - next, kRowsPerCall);
        const std::span<const std::uint32_t> positions(next, next + count);
        next += count;
        gather(positions, block);
        set_thresholds(num_queries, worker);
        const std::size_t num_hits =
            select({.rows = block.rows.data(),
                    .scales = block.scales.data(),
                    .factors = level_factors_.used ? block.factors.data() : nullptr,
                    .offsets = bounds_.offsets.size() != 0 ? block.offsets.data() : nullptr,
                    .limits = block.limits.data()},
                   positions.size(), worker);
        for (std::size_t h = 0; h < num_hits; ++h) {
            const kernels::BlockHit& hit = worker.hits[h];
            if (hit.query < num_queries && !worker.is_zero[hit.query]) {
                offer(hit, positions[hit.row], worker);
            }
        }
    }
}

void ExactBatch::search_single(std::size_t query, Worker& worker) {
    worker.prepared.resize(std::max(worker.prepared.size(), tables_.dim));
    const std::span<float> prepared = {worker.prepared.data(), tables_.dim};
    prepare_query(batch_.queries.row(query), tables_.measure, prepared.data());
    worker.excluded[0].assign(batch_.excluded_rows(query), tables_.num_items);
    SearchTrace trace;
    search_exact({terms_, prepared, worker.excluded[0]}, worker.single, list_of(query, 0), trace);
}

void ExactBatch::search_unit(std::size_t block, std::size_t part, Worker& worker) {
    const std::size_t first_query = block * kQueryBlock;
    const std::size_t num_queries = end_query_of(block) - first_query;
    if (num_queries <= kFewQueries || terms_.k > kMostForBlocks) {
        for (std::size_t q = part; q < num_queries; q += num_parts_) {
            search_single(first_query + q, worker);
        }
        return;
    }
    const std::size_t num_blocks = bounds_.blocks.size();
    const std::size_t begin = num_blocks * part / num_parts_ * kBlockPositions;
    const std::size_t end =
        std::min(num_blocks * (part + 1) / num_parts_ * kBlockPositions, tables_.num_items);
    start_queries(first_query, num_queries, worker);
    if (terms_.filter != nullptr && terms_.filter->is_narrow()) {
        scan_gathered(num_queries, begin, end, worker);
    } else {
        scan_all(num_queries, begin, end, worker);
    }
    for (std::size_t q = 0; q < num_queries; ++q) {
        const std::span<const ScoredRow> best = worker.admissions[q].finish();
        list_of(first_query + q, part).assign(best.begin(), best.end());
    }
    // All items tie: not for a scan that looks for the best.
    for (std::size_t q = part; q < num_queries; q += num_parts_) {
        if (worker.is_zero[q]) {
            search_single(first_query + q, worker);
        }
    }
}

void ExactBatch::collect(std::size_t first_block, std::size_t end_block, Neighbours& out) const {
    const std::size_t num_queries = end_query_of(end_block - 1) - first_block * kQueryBlock;
    std::vector<ScoredRow> merged;
    for (std::size_t query = 0; query < num_queries; ++query) {
        merged.clear();
        for (std::size_t part = 0; part < num_parts_; ++part) {
            const std::vector<ScoredRow>& list = lists_[query * num_parts_ + part];
            merged.insert(merged.end(), list.begin(), list.end());
        }
        if (num_parts_ > 1) {
            std::sort(merged.begin(), merged.end(), comes_before);
            merged.resize(std::min(merged.size(), terms_.k));
        }
        for (const ScoredRow& scored : merged) {
            out.item_rows.push_back(scored.item_row);
            out.scores.push_back(scored.score);
        }
        out.offsets.push_back(out.item_rows.size());
    }
}

Neighbours ExactBatch::run(const ProgressListener& progress) {
    constexpr std::size_t kMaxReports = 100;
    Neighbours out;
    const Chunks blocks = {batch_.queries.num_rows, kQueryBlock};
    const std::size_t num_units = std::size_t{4} * pool_.num_threads();
    const std::size_t wave_size = std::max(num_units, blocks.count() / kMaxReports);
    for (wave_begin_ = 0; wave_begin_ < blocks.count(); wave_begin_ += wave_size) {
        const std::size_t wave_end = std::min(blocks.count(), wave_begin_ + wave_size);
        const std::size_t wave_blocks = wave_end - wave_begin_;
        // One thread gains nothing from parts.
        const std::size_t most_parts =
            pool_.num_threads() == 1
                ? 1
                : std::max<std::size_t>(1, tables_.num_items / kMinRowsPerPart);
        num_parts_ = std::clamp<std::size_t>(num_units / wave_blocks, 1, most_parts);
        lists_.assign(wave_blocks * kQueryBlock * num_parts_, {});
        pool_.for_each(wave_blocks * num_parts_, [&](std::size_t unit, unsigned worker) {
            search_unit(wave_begin_ + unit / num_parts_, unit % num_parts_, workers_[worker]);
        });
        collect(wave_begin_, wave_end, out);
        report(progress, {.stage = "search",
                          .done = end_query_of(wave_end - 1),
                          .total = batch_.queries.num_rows,
                          .unit = "queries",
                          .note = {}});
    }
    return out;
}

}  // namespace

Neighbours search_exact_batch(const PreparedBatch& batch, ThreadPool& pool,
                              const ProgressListener& progress) {
    return ExactBatch(batch, pool).run(progress);
}

}  // namespace segue
