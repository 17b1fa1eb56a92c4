#pragma once

#include "data/matrix.h"

namespace segue {

/// Leaves next to each other in the order of a build, in runs of that many, are near each other.
inline constexpr std::size_t kLeavesPerRun = 64;

/// The rows of `centres`, those near each other one after the other: all are cut in two halves
/// along the direction in which they differ most, and so is each half again. Halves of more than a
/// run are whole runs. What one search reads then lies close together, and what similar searches
/// read is the same.
Matrix in_order_of_nearness(const MatrixView& centres);

}  // namespace segue
