#pragma once

// The right singular vectors of a large sparse matrix by subspace iteration from random vectors
// (Halko, Martinsson, Tropp 2011).

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/sparse.h"

namespace segue {

/// A sparse matrix with values, and its transpose.
struct SparsePair {
    SparseView by_row;     // [num_rows x num_columns]
    SparseView by_column;  // [num_columns x num_rows]
};

/// out [matrix.num_rows x dim] = matrix * right; `right` [matrix.num_columns x dim]. Requires: the
/// matrix has values, both have the same dim.
void multiply_sparse(const SparseView& matrix, const Matrix& right, Matrix& out, ThreadPool& pool);

struct SingularParams {
    std::size_t dim = 256;          // vectors wanted; fewer come of a smaller matrix
    std::size_t oversampling = 32;  // vectors carried along beside them
    std::uint32_t iterations = 6;
    std::uint64_t seed = 1;
};

struct SingularVectors {
    Matrix vectors;             // [num_columns x dim] orthonormal columns, largest value first
    std::vector<float> values;  // [dim] >= 0, descending
};

/// The same bytes for any number of threads. Returns an error if: the matrix has no entries, or
/// none but zeros, or a value that is not finite.
Result<SingularVectors> right_singular_vectors(const SparsePair& matrix,
                                               const SingularParams& params, ThreadPool& pool,
                                               const ProgressListener& progress = {});

}  // namespace segue
