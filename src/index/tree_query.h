#pragma once

// One query as the tree path wants it: scores of leaves, lookup tables of codes, a copy in 16 bits.
// Scores here are in units of the query's largest element, and for squared distances they are
// u . x - ||x||^2 / (2 |q|max) for u = q / |q|max: they rank as the real ones do.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "index/leaf_reach.h"
#include "index/prepared_search.h"
#include "index/tree_select.h"
#include "kernels/codes_kernels.h"

namespace segue {

/// What preparing a query needs and searching with it does not: one a thread serves many queries.
struct TreeQueryScratch {
    AlignedBuffer<float> leaf_scores;
    AlignedBuffer<float> leaf_choice;  // leaf_scores with the norms' factors
    std::vector<float> chosen_scores;
    AlignedBuffer<float> products;
    AlignedBuffer<float> lows;
    AlignedBuffer<float> highs;
    std::array<double, kernels::kNumLevels> factors = {};
    SelectBuffers select;
    ReachBuffers reach;
};

/// Memory is kept from query to query. The scratch of start must serve until make_tables. Not
/// thread-safe.
class TreeQuery {
public:
    /// Begins anew with a query of the terms' index. Returns false where codes and centres cannot
    /// tell items apart: the query is zero, or products leave the range of floats.
    bool start(const SearchTerms& terms, std::span<const float> query, TreeQueryScratch& scratch);

    /// Finds the best `count` leaves; empty ones are never among them. With a filter it finds the
    /// best that hold as much of what passes (choose_passing in leaf_reach.h).
    void choose_leaves(const SearchTerms& terms, std::size_t count, TreeQueryScratch& scratch);
    /// Instead of those chosen. Ascending; no empty ones.
    void set_leaves(std::span<const std::uint32_t> leaves) {
        leaves_.assign(leaves.begin(), leaves.end());
    }
    /// What leaves are ranked by, after start. [num_leaves or more]
    std::span<const float> leaf_ranks(const TreeQueryScratch& scratch) const {
        const AlignedBuffer<float>& ranks =
            norms_ == Norms::kFactor ? scratch.leaf_choice : scratch.leaf_scores;
        return ranks.span();
    }
    /// Ascending.
    std::span<const std::uint32_t> leaves() const { return leaves_; }

    /// Indices of the best `count` of the leaves chosen, ascending.
    void nearest_leaves(std::size_t count, TreeQueryScratch& scratch,
                        std::vector<std::uint32_t>& indices) const;

    /// Makes the tables of the leaves chosen. Returns false as start does.
    bool make_tables(const SearchTerms& terms, TreeQueryScratch& scratch);
    const std::uint8_t* tables() const { return tables_.data(); }
    /// [leaves().size()] what every score of the leaf gets added.
    std::span<const std::int32_t> biases() const { return biases_; }

    /// Whether scores are not finished by the scan, of any query.
    static bool needs_finish(const SearchTerms& terms) {
        return norms_of(terms) != Norms::kNone || terms.filter != nullptr;
    }
    /// Finishes scores of entries of a leaf, from `first_entry` on: norms and the filter.
    void finish_scores(const SearchTerms& terms, std::uint32_t leaf, std::size_t first_entry,
                       std::size_t num_entries, std::int16_t* scores) const;

    /// [int8_row_bytes(dim)] zeros behind dim
    const std::int16_t* wide() const { return wide_.data(); }
    /// One unit of wide(), as a share of the largest element of the query.
    float wide_unit() const { return wide_unit_; }
    /// ||u||
    float length() const { return length_; }
    /// |q|max
    float largest() const { return largest_; }

private:
    enum class Norms { kNone, kFactor, kDistance };

    /// What the norms of items do to scores.
    static Norms norms_of(const SearchTerms& terms);

    void start_factors(const SearchTerms& terms, TreeQueryScratch& scratch);
    float leaf_dot(const SearchTerms& terms, const TreeQueryScratch& scratch,
                   std::uint32_t leaf) const;
    void make_level_biases(const SearchTerms& terms);

    Norms norms_ = Norms::kNone;
    float largest_ = 0;
    float length_ = 0;
    float wide_unit_ = 0;
    float offset_scale_ = 1;
    AlignedBuffer<float> unit_;  // [2 * num_subspaces, rounded up to 4]
    AlignedBuffer<std::int8_t> short_;
    AlignedBuffer<std::int16_t> wide_;
    std::vector<std::uint32_t> leaves_;
    std::vector<std::int32_t> biases_;
    AlignedBuffer<std::uint8_t> tables_;
    float scale_ = 1;        // steps of a score in one unit
    double zero_score_ = 0;  // what scale_ * leaf score is added to
    std::array<std::int16_t, kernels::kNumLevels> level_words_ = {};
    unsigned factor_shift_ = 0;
};

}  // namespace segue
