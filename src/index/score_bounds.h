#pragma once

// How far the score of an item may be from what the int8 rows say, rounding of the f32 score
// included. Everything is in "units" of a query: its quantised elements times those of a row times
// the row's scale, so that scans need not multiply by the query's own scale.
//
// For a query q, its quantised form q^ and a stored x with its int8 form x^,
//     |q.x - q^.x^| <= ||q|| ||x - x^|| + ||q - q^|| ||x^||.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/matrix.h"
#include "index/leaf_balls.h"
#include "index_build/index_tables.h"
#include "kernels/int8_kernels.h"

namespace segue {

/// What opening an index derives for bounds. Immutable, thread-safe.
struct IndexBounds {
    /// [num_blocks of kBlockPositions] error: of the int8 rows; length: not less than any ||x|| and
    /// ||x^||; infinite where not known. Factors are 1.
    std::vector<kernels::BlockLimits> blocks;
    /// [num_items] for kSquaredL2: ||j||^2 less what its rounding may add; else empty.
    AlignedBuffer<float> offsets;
    /// Of the norms that are finite and not 0; 1 where there are none.
    double longest_norm = 1;
    double shortest_norm = 1;
};

IndexBounds derive_bounds(const IndexTables& tables);

/// Factors that turn q.x into scores of another popularity exponent than the built one, by norm
/// level: the least and the greatest of each. Finite, above 0.
struct LevelFactors {
    bool used = false;
    float least[256];
    float greatest[256];
    /// Not less than any greatest / least.
    float widest = 1;

    /// Requires: of the index's measure. Returns false if they leave the range of floats.
    bool set(const IndexTables& tables, double popularity_exponent);
};

/// What a score may be; NaN where there is no bound.
struct ScoreRange {
    float lower = 0;
    float upper = 0;
};

/// A query as int8 rows are multiplied with it. Not thread-safe.
class QuantisedQuery {
public:
    /// Replaces all. Elements are at most `greatest` in magnitude, and the sum of their magnitudes
    /// at most kernels::kMaxQuerySum. `query` [dim] as prepare_query makes it. The bounds are
    /// infinite where numbers leave the range of floats.
    void set(const IndexTables& tables, const IndexBounds& bounds, std::span<const float> query,
             double popularity_exponent, std::int32_t greatest);

    /// [dim]
    std::span<const std::int32_t> elements() const { return elements_; }
    /// Errors in units: error_factor * error + length_factor * length of the block. Above 0.
    float error_factor() const { return error_factor_; }
    float length_factor() const { return length_factor_; }
    /// What offsets are multiplied by; 0 but for kSquaredL2.
    float offset_factor() const { return offset_factor_; }
    /// Not less than the length of the elements.
    float length() const { return length_; }
    /// An error that every score may have, in units.
    float error() const { return error_; }

    /// Whether the f32 scores of all finite items are finite, so that low bounds count.
    bool has_low_bounds() const { return has_low_bounds_; }

    /// Of a block of positions, without error().
    float error_of(const kernels::BlockLimits& limits) const {
        return error_factor_ * limits.error + length_factor_ * limits.length;
    }
    /// Not less than the score, in units, of any item of a leaf, even less error(); infinite for
    /// kSquaredL2. `product` is the f32 product of the query and the leaf's centre. Requires: the
    /// exponent is the built one.
    float greatest_of(float product, const LeafBall& ball) const {
        const float greatest = leaf_product_factor_ * product + leaf_radius_factor_ * ball.radius +
                               leaf_length_factor_ * ball.length + error_;
        return std::isnan(greatest) ? std::numeric_limits<float>::infinity() : greatest;
    }

    /// What the score at a position may be, in units, where elements times those of its int8 row
    /// make `sum`.
    ScoreRange range_of(const IndexTables& tables, const IndexBounds& bounds,
                        const LevelFactors& factors, std::size_t position, std::int32_t sum) const;

    /// From here on any score may be anything.
    void drop_bounds();

    /// Not more than a score is in units (dot products less ||x||^2 for kSquaredL2).
    float units_of(float score) const;

private:
    void set_errors(const IndexTables& tables, const IndexBounds& bounds, double length,
                    double rounding, double popularity_exponent);

    std::vector<std::int32_t> elements_;
    float error_factor_ = 0;
    float length_factor_ = 0;
    float offset_factor_ = 0;
    float length_ = 0;
    float error_ = 0;
    float leaf_product_factor_ = 1;
    float leaf_radius_factor_ = 0;
    float leaf_length_factor_ = 0;
    bool has_low_bounds_ = false;
    double score_factor_ = 1;  // units of a score
    double score_offset_ = 0;  // and what is added, in units
};

}  // namespace segue
