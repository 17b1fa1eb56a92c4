#pragma once

// One row problem of weighted ALS solved exactly, at query time: the vector of a history nobody
// trained on.

#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "data/matrix.h"

namespace segue {

/// Memory of FoldIn::solve; one for each thread that solves. Not thread-safe.
class FoldInScratch {
public:
    explicit FoldInScratch(std::size_t dim);

private:
    friend class FoldIn;
    AlignedBuffer<float> matrix_;
    AlignedBuffer<float> right_side_;
    AlignedBuffer<float> rows_;
};

/// A history: entries of one row of groups x items.
struct FoldInHistory {
    std::span<const std::uint32_t> item_rows = {};
    /// [item_rows.size()] c_k >= 0, or empty: all 1.
    std::span<const float> weights = {};
    /// [item_rows.size()] b_k = c_k * target, or empty: the same as the weights.
    std::span<const float> right_sides = {};
};

/// Solves (global + ridge * I + sum_k c_k h_k h_k^T) w = sum_k b_k h_k by Cholesky, h_k the vectors
/// of a history's items. Rendle's objective: global = alpha0 * gram, c = w, b = w. Hu's: global =
/// gram, c = alpha * |w|, b = 1 + alpha * w where w > 0, else 0. Immutable, thread-safe; views the
/// item vectors, which must outlive it.
class FoldIn {
public:
    /// `global` [padded x padded] as gram_matrix gives it, already multiplied by the weight of all
    /// pairs.
    FoldIn(const MatrixView& item_vectors, Matrix global);

    std::size_t dim() const { return item_vectors_.dim; }

    /// Writes the vector to `solution` [dim]. Does not allocate. An empty history gives zeros.
    /// Returns an error if: an item row is out of range, the spans differ in length, ridge or a
    /// weight is negative or not finite, or the matrix is not positive definite (ridge too small
    /// for its size).
    Status solve(const FoldInHistory& history, float ridge, FoldInScratch& scratch,
                 std::span<float> solution) const;

private:
    Status check(const FoldInHistory& history, float ridge, std::span<float> solution) const;
    MatrixView item_vectors_;
    Matrix global_;
};

}  // namespace segue
