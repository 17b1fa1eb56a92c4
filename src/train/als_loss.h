#pragma once

#include "base/thread_pool.h"
#include "data/matrix.h"
#include "train/als.h"
#include "train/als_weights.h"

namespace segue {

/// The objective from sides already made: cheaper than als_loss(), which makes them.
double als_loss_of_sides(const AlsSide& rows, const AlsSide& columns, const AlsParams& params,
                         const MatrixView& row_factors, const MatrixView& column_factors,
                         ThreadPool& pool);

}  // namespace segue
