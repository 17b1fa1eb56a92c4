#pragma once

// Settings of the pair score that depend on how much evidence a table holds.

#include "base/status.h"
#include "cooc/pair_counter.h"

namespace segue {

/// How often two items that are together at all are together, on average: a measure of how well
/// counts are known. From some 500 items spread over the table, which takes a small part of the
/// time of counting. 0 where nothing is together. Returns an error if: options or input do not
/// validate.
Result<double> mean_support(const CountInput& input, const CountOptions& options);

/// The sharpness q for sums of conditional scores: half the mean support, between 1 and 3, in steps
/// of 1/2. Where pairs are seen once or twice weak evidence must add up; where counts are well
/// known strong pairs say more. docs/numerics.md has the measurements.
double sharpness_for(double mean_support);

}  // namespace segue
