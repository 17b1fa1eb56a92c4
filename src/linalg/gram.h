#pragma once

// The Gram matrix of a table of vectors and its eigenbasis: the global term of every row problem in
// training and fold-in (docs/numerics.md).

#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"

namespace segue {

/// V^T V for rows V [num_rows x dim]: [padded_dim(dim) x padded_dim(dim)], both triangles, zero
/// behind dim. Fixed chunks in f32, their sums in f64: the same bytes for any number of threads.
Matrix gram_matrix(const MatrixView& rows, ThreadPool& pool);

/// G = Q diag(values) Q^T.
struct Eigenbasis {
    /// Q [padded x padded], row-major; eigenvector j is column j for j < dim. Behind dim it is the
    /// identity, so that rotated rows keep their zero padding.
    Matrix rotation;
    /// [padded] ascending for j < dim, never below 0; 0 behind dim.
    std::vector<float> values;
};

/// Decomposes the leading [dim x dim] of `gram`, as gram_matrix gives it.
/// Returns an error if: an element is not finite.
Result<Eigenbasis> symmetric_eigenbasis(const Matrix& gram, std::size_t dim);

/// rows := rows * basis.rotation, in place. Requires: padded_dim(rows.dim()) is the size of the
/// basis.
void rotate_rows(Matrix& rows, const Eigenbasis& basis, ThreadPool& pool);

}  // namespace segue
