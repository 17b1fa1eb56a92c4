#include "index/tree_query.h"

#include <algorithm>
#include <cmath>

#include "index/tree_tables.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

constexpr std::int32_t kGreatestScore = 32767;
/// Range of 16-bit scores that the lookups of one entry may take.
constexpr float kLookupRange = 40000;
constexpr double kBiasLimit = 1 << 29;
constexpr float kShortLevels = 127;
/// The 16-bit query splits into two signed bytes.
constexpr std::int32_t kWideLevels = 32639;

template <typename Value>
void reserve(AlignedBuffer<Value>& buffer, std::size_t size) {
    if (buffer.size() < size) {
        buffer = AlignedBuffer<Value>(size);
    }
}

std::int32_t rounded_bias(double bias) {
    return static_cast<std::int32_t>(std::lrint(std::clamp(bias, -kBiasLimit, kBiasLimit)));
}

}  // namespace

TreeQuery::Norms TreeQuery::norms_of(const SearchTerms& terms) {
    const IndexTables& tables = terms.index.tables;
    if (tables.measure == Measure::kSquaredL2) {
        return Norms::kDistance;
    }
    return tables.measure == Measure::kDot && terms.popularity_exponent != tables.built_exponent
               ? Norms::kFactor
               : Norms::kNone;
}

bool TreeQuery::start(const SearchTerms& terms, std::span<const float> query,
                      TreeQueryScratch& scratch) {
    const IndexTables& tables = terms.index.tables;
    const TreeTables& tree = terms.index.tree;
    const std::size_t dim = tables.dim;
    largest_ = 0;
    for (const float value : query) {
        largest_ = std::max(largest_, std::fabs(value));
    }
    const float inverse = 1 / largest_;
    if (largest_ == 0 || !std::isfinite(inverse)) {
        return false;
    }
    reserve(unit_, (dim + 3) / 4 * 4);
    reserve(short_, tree.num_centre_groups * 4);
    reserve(wide_, int8_row_bytes(dim));
    const std::int32_t wide_levels = std::min(
        kWideLevels, static_cast<std::int32_t>(0x7FFFFFFF / 255 / static_cast<std::int32_t>(dim)));
    double squared = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        const float unit = std::clamp(query[i] * inverse, -1.0F, 1.0F);
        unit_[i] = unit;
        squared += static_cast<double>(unit) * static_cast<double>(unit);
        short_[i] = static_cast<std::int8_t>(std::lrint(unit * kShortLevels));
        wide_[i] = static_cast<std::int16_t>(std::lrint(unit * static_cast<float>(wide_levels)));
    }
    // Buffers serve indexes of any dimension: what lies behind this one is not zero by itself.
    std::fill(unit_.data() + dim, unit_.data() + (dim + 3) / 4 * 4, 0.0F);
    std::fill(short_.data() + dim, short_.data() + tree.num_centre_groups * 4, std::int8_t{0});
    std::fill(wide_.data() + dim, wide_.data() + int8_row_bytes(dim), std::int16_t{0});
    length_ = static_cast<float>(std::sqrt(squared));
    wide_unit_ = 1 / static_cast<float>(wide_levels);
    const bool distances = tables.measure == Measure::kSquaredL2;
    norms_ = norms_of(terms);
    offset_scale_ = distances ? 0.5F * inverse : length_;

    reserve(scratch.leaf_scores, tree.centre_scales.size());
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    codes.score_centres({.centres = tree.centres.data(),
                         .num_blocks = tree.num_centre_blocks(),
                         .num_groups = tree.num_centre_groups,
                         .query = short_.data(),
                         .scales = tree.centre_scales.data(),
                         .offsets = tree.centre_offsets.data(),
                         .query_scale = 1 / kShortLevels,
                         .offset_scale = offset_scale_},
                        scratch.leaf_scores.data());
    if (norms_ == Norms::kFactor) {
        start_factors(terms, scratch);
    }
    const std::size_t num_subspaces = segue::num_subspaces(dim);
    reserve(scratch.products, num_subspaces * kCodewords);
    reserve(scratch.lows, num_subspaces);
    reserve(scratch.highs, num_subspaces);
    reserve(tables_, tree.num_lines * kernels::kCodeLineBytes);
    std::fill(tables_.data() + num_subspaces * kCodewords,
              tables_.data() + tree.num_lines * kernels::kCodeLineBytes, std::uint8_t{0});
    codes.multiply_codebook(unit_.data(), tables.codebook.data(), num_subspaces,
                            scratch.products.data(), scratch.lows.data(), scratch.highs.data());
    return true;
}

void TreeQuery::start_factors(const SearchTerms& terms, TreeQueryScratch& scratch) {
    const IndexTables& tables = terms.index.tables;
    const TreeTables& tree = terms.index.tree;
    const double exponent = tables.built_exponent - terms.popularity_exponent;
    // The middle of level L is low * ratio^(L + 1/2).
    const double ratio = std::pow(static_cast<double>(tables.norm_ratio), exponent);
    double factor = std::pow(static_cast<double>(tables.norm_low), exponent) * std::sqrt(ratio);
    for (double& one : scratch.factors) {
        one = factor;
        factor *= ratio;
    }
    const double greatest =
        std::max(scratch.factors[tree.lowest_level], scratch.factors[tree.highest_level]);
    for (std::size_t level = 0; level < kernels::kNumLevels; ++level) {
        const double share = std::clamp(scratch.factors[level] / greatest, 0.0, 1.0);
        level_words_[level] =
            std::isfinite(share) ? static_cast<std::int16_t>(std::lrint(share * 32767)) : 0;
    }
    reserve(scratch.leaf_choice, scratch.leaf_scores.size());
    for (std::size_t leaf = 0; leaf < scratch.leaf_scores.size(); ++leaf) {
        const std::size_t level = leaf < tree.leaf_levels.size() ? tree.leaf_levels[leaf] : 0;
        scratch.leaf_choice[leaf] =
            std::isfinite(scratch.leaf_scores[leaf])
                ? scratch.leaf_scores[leaf] * static_cast<float>(scratch.factors[level] / greatest)
                : scratch.leaf_scores[leaf];
    }
}

void TreeQuery::choose_leaves(const SearchTerms& terms, std::size_t count,
                              TreeQueryScratch& scratch) {
    const TreeTables& tree = terms.index.tree;
    const std::span<const float> ranks = leaf_ranks(scratch).first(tree.centre_scales.size());
    if (terms.filter != nullptr) {
        choose_passing(ranks, tree, *terms.filter, count, scratch.select, scratch.reach, leaves_);
    } else {
        choose_best(ranks, count, scratch.select, leaves_);
    }
}

void TreeQuery::nearest_leaves(std::size_t count, TreeQueryScratch& scratch,
                               std::vector<std::uint32_t>& indices) const {
    const AlignedBuffer<float>& scores =
        norms_ == Norms::kFactor ? scratch.leaf_choice : scratch.leaf_scores;
    scratch.chosen_scores.resize(leaves_.size());
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
        scratch.chosen_scores[i] = scores[leaves_[i]];
    }
    choose_best(scratch.chosen_scores, count, scratch.select, indices);
}

float TreeQuery::leaf_dot(const SearchTerms& terms, const TreeQueryScratch& scratch,
                          std::uint32_t leaf) const {
    return scratch.leaf_scores[leaf] - offset_scale_ * terms.index.tree.centre_offsets[leaf];
}

bool TreeQuery::make_tables(const SearchTerms& terms, TreeQueryScratch& scratch) {
    const IndexTables& tables = terms.index.tables;
    const TreeTables& tree = terms.index.tree;
    const std::size_t num_subspaces = segue::num_subspaces(tables.dim);
    float widest = 0;
    float range = 0;
    float low = 0;
    float reach = 0;
    for (std::size_t s = 0; s < num_subspaces; ++s) {
        widest = std::max(widest, scratch.highs[s] - scratch.lows[s]);
        range += scratch.highs[s] - scratch.lows[s];
        low += scratch.lows[s];
        reach += std::max(std::fabs(scratch.highs[s]), std::fabs(scratch.lows[s]));
    }
    float least = 0;
    float greatest = 0;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
        const float dot = leaf_dot(terms, scratch, leaves_[i]);
        least = i == 0 ? dot : std::min(least, dot);
        greatest = i == 0 ? dot : std::max(greatest, dot);
    }
    float norm_range = 0;
    if (norms_ == Norms::kDistance) {
        const auto squared_norm = [&](std::uint8_t level) {
            return std::pow(static_cast<double>(tables.norm_low), 2) *
                   std::pow(static_cast<double>(tables.norm_ratio), 2.0 * level + 1);
        };
        norm_range = static_cast<float>(
            (squared_norm(tree.highest_level) - squared_norm(tree.lowest_level)) *
            static_cast<double>(offset_scale_));
    }
    // The largest step that no table and no sum leaves.
    const float scale = [&] {
        const float by_table = kernels::kLargestLookup / widest;
        if (norms_ == Norms::kFactor) {
            const float furthest = std::max(std::fabs(least), std::fabs(greatest)) + reach;
            return std::min(by_table, (kGreatestScore - 2) / furthest);
        }
        if (norms_ == Norms::kDistance) {
            return std::min(by_table, kLookupRange / (range + (greatest - least) + norm_range));
        }
        if (widest > 0) {
            return std::min(by_table, kLookupRange / range);
        }
        return greatest > least ? kLookupRange / (greatest - least) : 1.0F;
    }();
    if (!std::isfinite(scale) || !(scale > 0)) {
        return false;
    }
    scale_ = scale;
    kernels::active_kernels().codes->quantize_tables(scratch.products.data(), scratch.lows.data(),
                                                     num_subspaces, scale_, tables_.data());
    const double steps = static_cast<double>(scale_);
    zero_score_ = static_cast<double>(low) * steps;
    if (norms_ == Norms::kFactor) {
        const double furthest =
            steps * static_cast<double>(std::max(std::fabs(least), std::fabs(greatest)) + reach) +
            static_cast<double>(num_subspaces);
        factor_shift_ = 0;
        while (factor_shift_ < 8 && furthest * static_cast<double>(2 << factor_shift_) < 32767) {
            ++factor_shift_;
        }
    } else {
        // The best entry that the best leaf could have gets the greatest score.
        zero_score_ = kGreatestScore - steps * static_cast<double>(greatest + range) - 1;
    }
    if (norms_ == Norms::kDistance) {
        make_level_biases(terms);
    }
    if (!std::isfinite(zero_score_)) {
        return false;
    }
    biases_.resize(leaves_.size());
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
        const auto dot = static_cast<double>(leaf_dot(terms, scratch, leaves_[i]));
        biases_[i] = rounded_bias(dot * steps + zero_score_);
    }
    return true;
}

void TreeQuery::make_level_biases(const SearchTerms& terms) {
    const IndexTables& tables = terms.index.tables;
    const double ratio =
        static_cast<double>(tables.norm_ratio) * static_cast<double>(tables.norm_ratio);
    const double low = static_cast<double>(tables.norm_low);
    double squared_norm = low * low * static_cast<double>(tables.norm_ratio);
    double least = squared_norm;
    const double steps = static_cast<double>(scale_) * static_cast<double>(offset_scale_);
    for (std::size_t level = 0; level < kernels::kNumLevels; ++level) {
        if (level == terms.index.tree.lowest_level) {
            least = squared_norm;
        }
        const double bias =
            level < terms.index.tree.lowest_level ? 0 : -steps * (squared_norm - least);
        level_words_[level] =
            static_cast<std::int16_t>(std::lrint(std::clamp(bias, -32767.0, 0.0)));
        squared_norm *= ratio;
    }
}

void TreeQuery::finish_scores(const SearchTerms& terms, std::uint32_t leaf, std::size_t first_entry,
                              std::size_t num_entries, std::int16_t* scores) const {
    const IndexTables& tables = terms.index.tables;
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    const bool spilled = !tables.code_positions.empty();
    const std::size_t position = tables.leaf_offsets[leaf] + first_entry;
    const std::size_t entry = tables.code_offsets[leaf] * kBlockPositions + first_entry;
    const std::uint8_t* levels = spilled ? terms.index.tree.entry_levels.data() + entry
                                         : tables.norm_levels.data() + position;
    if (norms_ == Norms::kFactor) {
        codes.multiply_levels(levels, num_entries, level_words_.data(), factor_shift_, scores);
    } else if (norms_ == Norms::kDistance) {
        codes.add_levels(levels, num_entries, level_words_.data(), scores);
    }
    if (terms.filter == nullptr) {
        return;
    }
    if (!spilled) {
        codes.mask_scores(terms.filter->bits().data(), position, num_entries, scores);
        return;
    }
    for (std::size_t i = 0; i < num_entries; ++i) {
        if (!terms.is_allowed(tables.code_positions[entry + i])) {
            scores[i] = kernels::kNoScore;
        }
    }
}

}  // namespace segue
