#include "linalg/singular_vectors.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/random.h"
#include "kernels/dense_kernels.h"
#include "linalg/gram.h"

namespace segue {

namespace {

constexpr std::size_t kRowsPerChunk = 256;

Matrix random_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Matrix rows(num_rows, dim);
    for (std::size_t row = 0; row < num_rows; ++row) {
        Random random(seed, row);
        for (float& value : rows.row(row)) {
            value = static_cast<float>(random.normal());
        }
    }
    return rows;
}

/// Turns the columns so that they are orthogonal, and makes each of length 1; those of (nearly) no
/// length become zeros. The squares of the lengths were `values` of the basis.
void make_orthonormal(Matrix& rows, const Eigenbasis& basis, ThreadPool& pool) {
    rotate_rows(rows, basis, pool);
    const float largest = *std::max_element(basis.values.begin(), basis.values.end());
    std::vector<float> scales(rows.stride(), 0);
    for (std::size_t column = 0; column < rows.dim(); ++column) {
        const float squared = basis.values[column];
        scales[column] = squared > largest * 1e-10F ? 1 / std::sqrt(squared) : 0;
    }
    const Chunks chunks = {rows.num_rows(), kRowsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        for (std::size_t row = chunks.begin(chunk); row < chunks.end(chunk); ++row) {
            const std::span<float> values = rows.row(row);
            for (std::size_t column = 0; column < values.size(); ++column) {
                values[column] *= scales[column];
            }
        }
    });
}

/// The last columns of `rows` in opposite order: eigenvalues ascend.
SingularVectors take_largest(const Matrix& rows, const Eigenbasis& basis, std::size_t dim) {
    SingularVectors result;
    result.vectors = Matrix(rows.num_rows(), dim);
    for (std::size_t column = 0; column < dim; ++column) {
        const std::size_t from = rows.dim() - 1 - column;
        result.values.push_back(std::sqrt(basis.values[from]));
        for (std::size_t row = 0; row < rows.num_rows(); ++row) {
            result.vectors.row(row)[column] = rows.row(row)[from];
        }
    }
    return result;
}

}  // namespace

void multiply_sparse(const SparseView& matrix, const Matrix& right, Matrix& out, ThreadPool& pool) {
    SEGUE_ASSERT(out.num_rows() == matrix.num_rows && right.num_rows() == matrix.num_columns);
    SEGUE_ASSERT(out.stride() == right.stride() && matrix.values.size() == matrix.num_entries());
    const kernels::DenseKernels& kernels = *kernels::active_kernels().dense;
    const Chunks chunks = {matrix.num_rows, kRowsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        for (std::size_t row = chunks.begin(chunk); row < chunks.end(chunk); ++row) {
            kernels.sum_rows({.table = right.data(),
                              .stride = right.stride(),
                              .dim = right.stride(),
                              .columns = matrix.row_columns(row).data(),
                              .weights = matrix.row_values(row).data(),
                              .num_entries = matrix.row_size(row),
                              .out = out.row(row).data()});
        }
    });
}

Result<SingularVectors> right_singular_vectors(const SparsePair& matrix,
                                               const SingularParams& params, ThreadPool& pool,
                                               const ProgressListener& progress) {
    const std::size_t smaller = std::min(matrix.by_row.num_rows, matrix.by_row.num_columns);
    const std::size_t wanted = std::min(params.dim, smaller);
    const std::size_t dim = std::min(wanted + params.oversampling, smaller);
    if (dim == 0 || matrix.by_row.num_entries() == 0) {
        return invalid_argument("a matrix without entries has no singular vectors");
    }
    Matrix right = random_rows(matrix.by_row.num_columns, dim, params.seed);
    Matrix left(matrix.by_row.num_rows, dim);
    for (std::uint32_t iteration = 0; iteration < params.iterations; ++iteration) {
        report(progress, {"singular vectors", iteration, params.iterations, "iterations", {}});
        multiply_sparse(matrix.by_row, right, left, pool);
        multiply_sparse(matrix.by_column, left, right, pool);
        const Result<Eigenbasis> basis = symmetric_eigenbasis(gram_matrix(right.view(), pool), dim);
        if (!basis.ok()) {
            return basis.status();
        }
        if (!(basis->values[dim - 1] > 0)) {
            return invalid_argument("a matrix of zeros has no singular vectors");
        }
        make_orthonormal(right, *basis, pool);
    }
    // Rayleigh and Ritz: the singular vectors of the matrix within the subspace.
    multiply_sparse(matrix.by_row, right, left, pool);
    const Result<Eigenbasis> basis = symmetric_eigenbasis(gram_matrix(left.view(), pool), dim);
    if (!basis.ok()) {
        return basis.status();
    }
    rotate_rows(right, *basis, pool);
    report(progress, {"singular vectors", params.iterations, params.iterations, "iterations", {}});
    return take_largest(right, *basis, wanted);
}

}  // namespace segue
