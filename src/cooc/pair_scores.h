#pragma once

// Scores of a pair of items from counts. Formulas and sources: docs/numerics.md.

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace segue {

/// What is known of a pair (i asked about, j offered).
struct PairCounts {
    double together = 0;         // c: groups that have both (or products of multiplicities)
    double weighted_together = 0;  // c_w: sum over those groups of group_size^-a
    double frequency_own = 0;    // f_i
    double frequency_other = 0;  // f_j
};

/// What is known of the whole table.
struct CountTotals {
    double total_frequency = 0;  // T: sum of item frequencies
    double num_groups = 0;       // N
};

/// log2(c * T / (f_i * f_j)), the blueprint's PMI: T is the sum of item frequencies. Requires: all counts > 0.
double pointwise_mutual_information(double together, double frequency_own, double frequency_other,
                                    double total_frequency);

enum class PairScore {
    kConditional,  // c_w / (f_i^o * f_j^p): the default
    kCount,        // c
    kCosine,       // c / (sqrt(f_i * f_j) + s)
    kJaccard,      // c / (f_i + f_j - c)
    kLogLikelihoodRatio,
    kNormalisedPmi,
    kPmi,          // picks items seen once: callers warn
    kCoocPmi,      // c * PMI, the blueprint's training weight
};

/// "conditional", "count", "cosine", "jaccard", "llr", "npmi", "pmi", "cooc-pmi".
std::string_view name_of(PairScore score);
Result<PairScore> pair_score_by_name(std::string_view name);

struct PairScoreParams {
    PairScore score = PairScore::kConditional;
    double group_exponent = 0.5;  // a
    double own_exponent = 0.7;    // o
    double other_exponent = 0.4;  // p, the popularity knob
    double shrinkage = 0;         // s, of the cosine

    /// Returns an error if: an exponent is not finite or outside [-4, 4], or the shrinkage is negative.
    Status validate() const;
};

/// Deterministic; larger is better. Requires: together > 0, frequencies > 0.
double score_pair(const PairScoreParams& params, const PairCounts& counts, const CountTotals& totals);

}  // namespace segue
