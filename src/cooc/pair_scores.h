#pragma once

// Scores of a pair of items from counts. Formulas and sources: docs/numerics.md.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace segue {

/// What is known of a pair (i asked about, j offered).
struct PairCounts {
    double together = 0;           // c: groups that have both (or products of multiplicities)
    double weighted_together = 0;  // c_w: sum over those groups of group_size^-a
    double frequency_own = 0;      // f_i
    double frequency_other = 0;    // f_j
};

/// What is known of the whole table.
struct CountTotals {
    double total_frequency = 0;  // T: sum of item frequencies
    double num_groups = 0;       // N: groups that have any item
};

/// log2(c * T / (f_i * f_j)), the blueprint's PMI: T is the sum of item frequencies.
/// Requires: all counts > 0.
double pointwise_mutual_information(double together, double frequency_own, double frequency_other,
                                    double total_frequency);

enum class PairScore {
    kConditional,  // (c_w / (f_i^o * f_j^p))^q: the default
    kCount,        // c
    kCosine,       // c / (sqrt(f_i * f_j) + s)
    kJaccard,      // c / (f_i + f_j - c)
    kLogLikelihoodRatio,
    kNormalisedPmi,
    kPmi,      // picks items seen once: callers warn
    kCoocPmi,  // c * PMI, the blueprint's training weight
};

/// "conditional", "count", "cosine", "jaccard", "llr", "npmi", "pmi", "cooc-pmi".
std::string_view name_of(PairScore score);
/// Returns an error if: no score has that name.
Result<PairScore> pair_score_by_name(std::string_view name);

struct PairScoreParams {
    PairScore score = PairScore::kConditional;
    double group_exponent = 0.5;  // a
    double own_exponent = 0.7;    // o
    double other_exponent = 0.4;  // p, the popularity knob
    double shrinkage = 0;         // s, of the cosine
    double sharpness = 1;  // q, of the conditional score: how much strong pairs outweigh weak

    /// Returns an error if: an exponent is not finite or outside [-4, 4], the shrinkage is
    /// negative, or the sharpness is outside [0.25, 8].
    Status validate() const;
};

/// Deterministic; larger is better. Requires: together > 0, frequencies > 0.
double score_pair(const PairScoreParams& params, const PairCounts& counts,
                  const CountTotals& totals);

/// score_pair for many pairs of one table, with what depends on one item alone worked out before:
/// powers, roots and logarithms of the frequencies. Agrees with score_pair to the last few bits.
/// Immutable, thread-safe.
class PairScorer {
public:
    /// `frequencies` [num_items] is copied. Requires: params are valid.
    PairScorer(const PairScoreParams& params, std::span<const std::uint32_t> frequencies,
               const CountTotals& totals);

    /// Scores partners of item `own_row`: `partners`, `together`, `weighted` and `scores` all
    /// [num_partners]. Requires: every item named has a frequency > 0; together > 0.
    void score_row(std::uint32_t own_row, std::span<const std::uint32_t> partners,
                   std::span<const double> together, std::span<const double> weighted,
                   std::span<double> scores) const;

    const PairScoreParams& params() const { return params_; }

private:
    PairScoreParams params_;
    CountTotals totals_;
    std::vector<std::uint32_t> frequencies_;
    std::vector<double> own_factors_;    // [num_items] f^-o, sqrt(f), log2(f) or f log(f), by score
    std::vector<double> other_factors_;  // [num_items] f^-p where it differs from own_factors_
};

}  // namespace segue
