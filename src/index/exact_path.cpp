#include "index/exact_path.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "base/give_way.h"
#include "index/gathered_rows.h"
#include "index_build/row_scorer.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

/// Rows between two looks at the threshold: a multiple of kBlockPositions. What is computed for
/// each of them stays in the first level of cache.
constexpr std::size_t kRowsPerCall = 1024;
/// Rows of the first call, which finds no threshold; twice as many in each that follows.
constexpr std::size_t kFirstRows = 64;

/// One call of search_exact.
class ExactScan {
public:
    ExactScan(const PreparedSearch& search, ExactBuffers& buffers, SearchTrace& trace);

    void scan_all();
    void scan_gathered(const LeafFilter& filter);

private:
    /// What leaves say of the scores of their blocks.
    void bound_blocks();
    /// Looks at the threshold again.
    void start_call();
    /// Whether a row of the block may reach the threshold, as far as leaves and lengths tell.
    bool may_hit(std::size_t block) const;
    /// The first position from `begin` on whose block may hit; num_items or more if there is none.
    std::size_t begin_of_run(std::size_t begin) const;
    /// Where the blocks end that follow `begin` without a pause, at most `count` rows.
    std::size_t end_of_run(std::size_t begin, std::size_t count) const;
    void set_biases(std::size_t begin, std::size_t end);
    /// `slot` of the next call becomes the row at `position`.
    void set_row(std::size_t slot, std::size_t position);
    /// Returns the hits.
    std::span<const kernels::RowHit> scan(const std::uint8_t* rows, const float* scales,
                                          std::size_t count);
    void offer(std::size_t position, std::int32_t sum);

    const PreparedSearch& search_;
    const IndexTables& tables_;
    const IndexBounds& bounds_;
    ExactBuffers& buffers_;
    SearchTrace& trace_;
    std::size_t row_bytes_;
    float threshold_ = 0;
    /// What norms change scores by, at the end of each level that makes upper bounds; null for
    /// nothing.
    const float* factors_ = nullptr;
};

ExactScan::ExactScan(const PreparedSearch& search, ExactBuffers& buffers, SearchTrace& trace)
    : search_(search),
      tables_(search.terms.index.tables),
      bounds_(search.terms.index.bounds),
      buffers_(buffers),
      trace_(trace),
      row_bytes_(int8_row_bytes(tables_.dim)) {
    QuantisedQuery& query = buffers.quantised;
    query.set(tables_, bounds_, search.query, search.terms.popularity_exponent,
              kernels::kMaxQueryElement);
    if (!buffers.factors.set(tables_, search.terms.popularity_exponent)) {
        query.drop_bounds();
    }
    buffers.query.assign(row_bytes_, 0);
    std::transform(query.elements().begin(), query.elements().end(), buffers.query.begin(),
                   [](std::int32_t element) { return static_cast<std::int16_t>(element); });
    buffers.scales.resize(kRowsPerCall);
    buffers.biases.resize(kRowsPerCall);
    buffers.hits.resize(kRowsPerCall);
    buffers.admission.start(search.terms.k, search.terms.min_score, query,
                            RowScorer(search.terms.index.items, tables_.measure,
                                      search.terms.popularity_exponent, search.query.data()));
}

void ExactScan::bound_blocks() {
    buffers_.block_greatest.clear();
    if (!search_.terms.has_leaf_bounds()) {
        return;
    }
    const std::span<const LeafBall> balls = search_.terms.index.balls.of(tables_);
    const MatrixView& centres = tables_.leaf_centres;
    buffers_.leaf_products.resize(centres.num_rows);
    kernels::active_kernels().dot_many(search_.query.data(), centres.data, centres.stride,
                                       centres.num_rows, centres.dim,
                                       buffers_.leaf_products.data());
    buffers_.block_greatest.assign(bounds_.blocks.size(), -std::numeric_limits<float>::infinity());
    for (std::size_t leaf = 0; leaf < balls.size(); ++leaf) {
        const float greatest =
            buffers_.quantised.greatest_of(buffers_.leaf_products[leaf], balls[leaf]);
        const std::size_t end = tables_.leaf_offsets[leaf + 1];
        for (std::size_t block = tables_.leaf_offsets[leaf] / kBlockPositions;
             block * kBlockPositions < end; ++block) {
            float& of_block = buffers_.block_greatest[block];
            of_block = std::max(of_block, greatest);
        }
    }
}

void ExactScan::start_call() {
    // Below the threshold by what every score may be wrong.
    threshold_ = buffers_.admission.threshold() - buffers_.quantised.error();
    if (buffers_.factors.used) {
        // The greater factor makes the greater score only of what is above 0.
        factors_ = threshold_ > 0 ? buffers_.factors.greatest : buffers_.factors.least;
    }
}

void ExactScan::set_biases(std::size_t begin, std::size_t end) {
    const float offset_factor = buffers_.quantised.offset_factor();
    for (std::size_t first = begin; first < end; first += kBlockPositions) {
        const float error = buffers_.quantised.error_of(bounds_.blocks[first / kBlockPositions]);
        const std::size_t last = std::min(end, first + kBlockPositions);
        float* biases = buffers_.biases.data() + (first - begin);
        if (factors_ != nullptr) {
            float* scales = buffers_.scales.data() + (first - begin);
            for (std::size_t i = 0; i < last - first; ++i) {
                const float factor = factors_[tables_.norm_levels[first + i]];
                scales[i] = tables_.row_scales[first + i] * factor;
                biases[i] = error * factor;
            }
        } else if (bounds_.offsets.size() != 0) {
            for (std::size_t i = 0; i < last - first; ++i) {
                biases[i] = error - offset_factor * bounds_.offsets[first + i];
            }
        } else {
            std::fill_n(biases, last - first, error);
        }
    }
}

void ExactScan::set_row(std::size_t slot, std::size_t position) {
    const QuantisedQuery& query = buffers_.quantised;
    const float factor = factors_ != nullptr ? factors_[tables_.norm_levels[position]] : 1;
    const float offset = bounds_.offsets.size() != 0 ? bounds_.offsets[position] : 0;
    const float error = query.error_of(bounds_.blocks[position / kBlockPositions]);
    buffers_.scales[slot] = tables_.row_scales[position] * factor;
    buffers_.biases[slot] = error * factor - query.offset_factor() * offset;
}

std::span<const kernels::RowHit> ExactScan::scan(const std::uint8_t* rows, const float* scales,
                                                 std::size_t count) {
    trace_.scored += count;
    return {buffers_.hits.data(),
            kernels::active_kernels().int8->select_rows({.query = buffers_.query.data(),
                                                         .rows = rows,
                                                         .row_bytes = row_bytes_,
                                                         .num_rows = count,
                                                         .scales = scales,
                                                         .biases = buffers_.biases.data(),
                                                         .threshold = threshold_},
                                                        buffers_.hits.data())};
}

void ExactScan::offer(std::size_t position, std::int32_t sum) {
    const std::uint32_t row = tables_.item_rows[position];
    if (!search_.excluded.contains(row)) {
        const ScoreRange range =
            buffers_.quantised.range_of(tables_, bounds_, buffers_.factors, position, sum);
        buffers_.admission.offer(row, range);
    }
}

bool ExactScan::may_hit(std::size_t block) const {
    if (!buffers_.block_greatest.empty() && buffers_.block_greatest[block] < threshold_) {
        return false;
    }
    if (factors_ != nullptr) {
        return true;
    }
    // Somewhat more, for the rounding of products and sums.
    constexpr float kMore = 1 + 0x1p-18F;
    const QuantisedQuery& query = buffers_.quantised;
    const kernels::BlockLimits& limits = bounds_.blocks[block];
    const float greatest = query.length() * limits.length * kMore + query.error_of(limits) -
                           query.offset_factor() * limits.least_offset;
    return !(greatest < threshold_);
}

std::size_t ExactScan::begin_of_run(std::size_t begin) const {
    std::size_t block = (begin + kBlockPositions - 1) / kBlockPositions;
    while (block < bounds_.blocks.size() && !may_hit(block)) {
        ++block;
    }
    return block * kBlockPositions;
}

std::size_t ExactScan::end_of_run(std::size_t begin, std::size_t count) const {
    // Shorter pauses are cheaper read than skipped.
    constexpr std::size_t kLeastPause = 4;
    const std::size_t last = std::min(bounds_.blocks.size(), (begin + count) / kBlockPositions);
    std::size_t end = begin / kBlockPositions;
    for (std::size_t block = end; block < last && block < end + kLeastPause; ++block) {
        end = may_hit(block) ? block + 1 : end;
    }
    return std::min(end * kBlockPositions, tables_.num_items);
}

void ExactScan::scan_all() {
    std::size_t count = kFirstRows;
    bound_blocks();
    start_call();
    for (std::size_t begin = begin_of_run(0); begin < tables_.num_items;) {
        const std::size_t end = end_of_run(begin, count);
        set_biases(begin, end);
        const float* scales =
            factors_ != nullptr ? buffers_.scales.data() : tables_.row_scales.data() + begin;
        for (const kernels::RowHit& hit :
             scan(tables_.rows.data() + begin * row_bytes_, scales, end - begin)) {
            if (search_.terms.is_allowed(begin + hit.row)) {
                offer(begin + hit.row, hit.sum);
            }
        }
        give_way();
        count = std::min(2 * count, kRowsPerCall);
        start_call();
        begin = begin_of_run(end);
    }
}

void ExactScan::scan_gathered(const LeafFilter& filter) {
    const std::size_t rows_per_call = gathered_rows_per_call(row_bytes_);
    if (buffers_.rows.size() < rows_per_call * row_bytes_) {
        buffers_.rows = AlignedBuffer<std::uint8_t>(rows_per_call * row_bytes_);
    }
    std::vector<std::uint32_t>& positions = buffers_.positions;
    std::span<const std::uint32_t> rest = filter.positions();
    for (std::size_t count = kFirstRows; !rest.empty();
         count = std::min(2 * count, rows_per_call)) {
        const std::span<const std::uint32_t> some = rest.first(std::min(count, rest.size()));
        rest = rest.subspan(some.size());
        start_call();
        positions.clear();
        std::copy_if(some.begin(), some.end(), std::back_inserter(positions),
                     [this](std::size_t position) { return may_hit(position / kBlockPositions); });
        gather_rows(tables_, bounds_, positions, buffers_.rows.data());
        for (std::size_t slot = 0; slot < positions.size(); ++slot) {
            set_row(slot, positions[slot]);
        }
        for (const kernels::RowHit& hit :
             scan(buffers_.rows.data(), buffers_.scales.data(), positions.size())) {
            offer(positions[hit.row], hit.sum);
        }
        give_way();
    }
}

/// For a query that is zero: every score is 0, but for items that are not finite, which are in
/// blocks without a bound.
void find_first_rows(const PreparedSearch& search, TopK& best) {
    const SearchTerms& terms = search.terms;
    const IndexTables& tables = terms.index.tables;
    const RowScorer score_of(terms.index.items, tables.measure, terms.popularity_exponent,
                             search.query.data());
    best.start(terms.k, terms.min_score);
    for (std::size_t position = 0; position < tables.num_items; ++position) {
        const std::uint32_t row = tables.item_rows[position];
        if (!comes_before({row, 0}, best.worst()) || !terms.is_allowed(position) ||
            search.excluded.contains(row)) {
            continue;
        }
        const bool bounded =
            std::isfinite(terms.index.bounds.blocks[position / kBlockPositions].length);
        const float score = bounded ? 0 : score_of(row);
        if (std::isfinite(score)) {
            best.offer({row, score});
        }
    }
}

}  // namespace

bool is_zero(std::span<const float> query) {
    return std::all_of(query.begin(), query.end(), [](float value) { return value == 0; });
}

void search_exact(const PreparedSearch& search, ExactBuffers& buffers,
                  std::vector<ScoredRow>& results, SearchTrace& trace) {
    const SearchTerms& terms = search.terms;
    trace.path = SearchPath::kExact;
    ExactScan scan(search, buffers, trace);
    std::span<const ScoredRow> best;
    if (terms.index.tables.measure != Measure::kSquaredL2 && is_zero(search.query) &&
        buffers.quantised.has_low_bounds()) {
        find_first_rows(search, buffers.best);
        best = buffers.best.finish();
    } else {
        if (terms.filter != nullptr && terms.filter->is_narrow()) {
            scan.scan_gathered(*terms.filter);
        } else {
            scan.scan_all();
        }
        best = buffers.admission.finish();
        trace.candidates += buffers.admission.num_admitted();
        trace.rescored += buffers.admission.num_rescored();
    }
    results.assign(best.begin(), best.end());
}

}  // namespace segue
