#pragma once

// The inverse of a large symmetric matrix, in place, on all cores.

#include <cstddef>
#include <span>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"

namespace segue {

/// Rows and columns that a matrix to be inverted is padded to.
inline constexpr std::size_t kInversePadding = 32;

constexpr std::size_t padded_inverse_size(std::size_t size) {
    return (size + kInversePadding - 1) / kInversePadding * kInversePadding;
}

/// Replaces a positive definite matrix by minus its inverse where column >= row; the rest is
/// rubbish. `matrix` [padded x padded] is read where column >= row; what lies behind `size` is
/// overwritten. Takes size^3 floating point operations and, beside the matrix, some 1,600 floats
/// for each row. The same bytes for any number of threads. Returns an error if: the matrix is not
/// positive definite, to the precision of f32; it is rubbish then. Requires: the matrix is
/// padded_inverse_size(size) wide and high.
Status sweep_positive_definite(Matrix& matrix, std::size_t size, ThreadPool& pool,
                               const ProgressListener& progress = {});

/// Both triangles of a matrix from the upper one: element (i, j) becomes factors[j] times what is
/// there, or at (j, i) where i > j. Requires: as many rows and factors as columns, a multiple of
/// kInversePadding.
void fill_from_triangle(Matrix& matrix, std::span<const float> factors, ThreadPool& pool);

/// Replaces a positive definite matrix by its inverse, in the manner of sweep_positive_definite,
/// both triangles filled.
Status invert_positive_definite(Matrix& matrix, std::size_t size, ThreadPool& pool,
                                const ProgressListener& progress = {});

}  // namespace segue
