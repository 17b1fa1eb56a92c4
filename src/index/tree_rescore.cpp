#include "index/tree_rescore.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "index/tree_select.h"
#include "index_build/row_scorer.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

constexpr std::uint32_t kEmptySlot = 0xFFFFFFFF;
constexpr std::size_t kLineBytes = 64;
/// Errors of a dot product with an int8 row, in steps of the row times the length of the query:
/// rounding errors are uniform in half a step, and four standard deviations of their sum are 1.15.
constexpr float kEstimatedError = 1.2F;
/// Rounding of f32 scores, and of the 16-bit query, as a share of the greatest score there can be.
constexpr float kRelativeError = 1e-5F;

std::uint32_t mixed(std::uint32_t position) {
    return position * 0x9E3779B9U;
}

}  // namespace

void Rescorer::start(const SearchTerms& terms, std::span<const std::uint32_t> entries) {
    const IndexTables& tables = terms.index.tables;
    positions_.resize(entries.size());
    if (tables.code_positions.empty()) {
        std::copy(entries.begin(), entries.end(), positions_.begin());
    } else {
        const std::size_t num_slots = std::bit_ceil(entries.size() * 2 + 2);
        const int shift = 32 - std::countr_zero(num_slots);
        slots_.assign(num_slots, kEmptySlot);
        std::size_t count = 0;
        for (const std::uint32_t entry : entries) {
            const std::uint32_t position = tables.code_positions[entry];
            std::size_t slot = mixed(position) >> shift;
            while (slots_[slot] != kEmptySlot && slots_[slot] != position) {
                slot = (slot + 1) & (num_slots - 1);
            }
            if (slots_[slot] == kEmptySlot) {
                slots_[slot] = position;
                positions_[count++] = position;
            }
        }
        positions_.resize(count);
    }
    num_candidates_ = positions_.size();
    const std::size_t row_bytes = int8_row_bytes(tables.dim);
    for (const std::uint32_t position : positions_) {
        const std::uint8_t* row = tables.rows.data() + position * row_bytes;
        for (std::size_t at = 0; at < row_bytes && at < 4 * kLineBytes; at += kLineBytes) {
            __builtin_prefetch(row + at);
        }
        __builtin_prefetch(tables.row_scales.data() + position);
        __builtin_prefetch(tables.item_rows.data() + position);
    }
}

void Rescorer::score_rows(const SearchTerms& terms, const TreeQuery& query, bool strict) {
    const IndexTables& tables = terms.index.tables;
    const std::size_t count = positions_.size();
    dots_.resize(count);
    scores_.resize(count);
    errors_.resize(count);
    kernels::active_kernels().codes->dot_gathered(query.wide(), tables.rows.data(),
                                                  int8_row_bytes(tables.dim), positions_.data(),
                                                  count, dots_.data());
    const auto dim = static_cast<float>(tables.dim);
    // A row is at most 127 steps an element; the query is off by half a step of its own.
    const float error = query.length() * (strict ? 0.5F * std::sqrt(dim) : kEstimatedError) +
                        64 * dim * query.wide_unit();
    const float largest_row = 127 * dim * kRelativeError;
    const bool distances = tables.measure == Measure::kSquaredL2;
    const double exponent = terms.popularity_exponent - tables.built_exponent;
    const bool factors = tables.measure == Measure::kDot && exponent != 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t position = positions_[i];
        const float step = tables.row_scales[position];
        float score = static_cast<float>(dots_[i]) * (query.wide_unit() * step);
        float off = step * (error + largest_row);
        if (distances) {
            const float norm = tables.norms[position];
            const float bias = norm * (norm / (2 * query.largest()));
            score -= bias;
            off += kRelativeError * (bias + query.length() * query.length() * query.largest());
        } else if (factors) {
            const float factor = power_of_norm(tables.norms[position], exponent);
            score *= factor;
            off *= factor;
        }
        // What is not finite here may not be so in f32: such candidates are not lost.
        const bool known = std::isfinite(score) && std::isfinite(off);
        scores_[i] = known ? score : 0;
        errors_[i] = known ? off : 0;
    }
}

void Rescorer::choose_finalists(std::size_t count) {
    finalists_.clear();
    if (positions_.size() <= count) {
        finalists_.assign(positions_.begin(), positions_.end());
        return;
    }
    const ScoreCut<float> cut = cut_floats(*kernels::active_kernels().codes, scores_, count);
    float worst = 0;
    for (std::size_t i = 0; i < positions_.size(); ++i) {
        worst = scores_[i] >= cut.threshold ? std::max(worst, errors_[i]) : worst;
    }
    const float least = cut.threshold - worst;
    for (std::size_t i = 0; i < positions_.size(); ++i) {
        if (scores_[i] + errors_[i] >= least) {
            finalists_.push_back(positions_[i]);
        }
    }
}

std::size_t Rescorer::finish(const PreparedSearch& search, const TreeQuery& query,
                             std::size_t surplus, bool strict, std::vector<ScoredRow>& results,
                             SearchTrace& trace) {
    const SearchTerms& terms = search.terms;
    const IndexTables& tables = terms.index.tables;
    score_rows(terms, query, strict);
    choose_finalists(terms.k + search.excluded.size() + surplus);
    const RowScorer score(terms.index.items, tables.measure, terms.popularity_exponent,
                          search.query.data());
    for (std::uint32_t& finalist : finalists_) {
        finalist = tables.item_rows[finalist];
        score.prefetch(finalist);
    }
    results.clear();
    std::size_t found = 0;
    for (const std::uint32_t item_row : finalists_) {
        if (search.excluded.contains(item_row)) {
            continue;
        }
        const float value = score(item_row);
        if (!std::isfinite(value)) {
            continue;
        }
        ++found;
        if (!terms.min_score || value >= *terms.min_score) {
            results.push_back({item_row, value});
        }
    }
    trace.candidates += num_candidates_;
    trace.rescored += finalists_.size();
    const std::size_t kept = std::min(terms.k, results.size());
    std::partial_sort(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(kept),
                      results.end(), comes_before);
    results.resize(kept);
    return found;
}

}  // namespace segue
