#pragma once

#include "base/thread_pool.h"
#include "data/matrix.h"
#include "train/als.h"
#include "train/als_weights.h"

namespace segue {

/// Solves every row of `factors` [side.matrix.num_rows x dim] for the factors of the other side.
/// With kEigenPcg both tables are rotated into the eigenbasis of the Gram matrix of `others` first;
/// products of the two, and so all scores, stay what they were. The same bytes for any number of
/// threads. Returns an error if: a row system is not positive definite (regularisation 0 and too
/// few entries).
Status als_half_step(const AlsSide& side, const AlsParams& params, Matrix& factors, Matrix& others,
                     ThreadPool& pool);

}  // namespace segue
