#pragma once

// The weights of an implicit-feedback objective, entry by entry, in the one form the row solver
// knows: the row problem of either side is
//   (global * G + sum_k c_k h_k h_k^T + ridge(n) I) w = sum_k b_k h_k,   G = H^T H.

#include <cstddef>
#include <vector>

#include "base/status.h"
#include "data/sparse.h"
#include "train/als.h"

namespace segue {

/// What one side (rows, or columns by the transpose) is solved from. Thread-compatible.
struct AlsSide {
    SparseMatrix matrix;         // [this side x other side]; its values are not used any more
    std::vector<float> weights;  // c_k, [num_entries] or empty for all 1
    std::vector<float> targets;  // b_k, [num_entries] or empty for the same as the weights
    std::vector<float> ridges;   // [this side] lambda of each row
    std::vector<float> masses;   // [this side] sum of c_k of each row
};

/// The weight of the global term: alpha0 or, by hu, 1.
double global_weight(const AlsParams& params);

/// Both sides of `interactions`; entries with a negative weight are treated as `params` say.
/// Returns an error if: a value is not finite, or negative under the rendle loss.
Result<AlsSide> make_row_side(const SparseView& interactions, const AlsParams& params);
AlsSide transpose_side(const AlsSide& side, const AlsParams& params);

}  // namespace segue
