#include "linalg/gram.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/kernels.h"

namespace segue {
namespace {

/// Rows whose products are added in f32 before they go into the f64 sum.
constexpr std::size_t kRowsPerSum = 1024;
/// At most so many f64 sums are kept and added at the end, whatever the number of threads.
constexpr std::size_t kMaxSums = 16;

/// Whether the kernels can read the rows where they are: aligned, and zero behind dim.
bool is_padded(const MatrixView& rows) {
    return rows.stride % kRowPadding == 0 && rows.dim % kRowPadding == 0 &&
           reinterpret_cast<std::uintptr_t>(rows.data) % 64 == 0;
}

/// Adds the products of rows [begin, end) to `sum` [padded x padded], upper triangle.
void add_products(const MatrixView& rows, std::size_t begin, std::size_t end,
                  AlignedBuffer<double>& sum) {
    const kernels::KernelTable& kernels = kernels::active_kernels();
    const std::size_t padded = padded_dim(rows.dim);
    AlignedBuffer<float> block(padded * padded);
    Matrix copy(is_padded(rows) ? 0 : std::min(kRowsPerSum, end - begin), rows.dim);
    for (std::size_t first = begin; first < end; first += kRowsPerSum) {
        const std::size_t count = std::min(kRowsPerSum, end - first);
        std::fill(block.span().begin(), block.span().end(), 0.0F);
        const float* source = rows.data + first * rows.stride;
        std::size_t stride = rows.stride;
        if (copy.num_rows() != 0) {
            for (std::size_t row = 0; row < count; ++row) {
                std::memcpy(copy.row(row).data(), rows.row(first + row).data(),
                            rows.dim * sizeof(float));
            }
            source = copy.data();
            stride = copy.stride();
        }
        kernels.rank_update(source, stride, count, padded, block.data());
        for (std::size_t i = 0; i < padded; ++i) {
            for (std::size_t j = i; j < padded; ++j) {
                sum[i * padded + j] += static_cast<double>(block[i * padded + j]);
            }
        }
    }
}

}  // namespace

Matrix gram_matrix(const MatrixView& rows, ThreadPool& pool) {
    const std::size_t padded = padded_dim(rows.dim);
    const std::size_t rows_per_chunk =
        std::max(kRowsPerSum, (rows.num_rows / kMaxSums + kRowsPerSum) / kRowsPerSum * kRowsPerSum);
    const Chunks chunks = {rows.num_rows, rows_per_chunk};
    std::vector<AlignedBuffer<double>> sums(chunks.count());
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned /*worker*/) {
        sums[chunk] = AlignedBuffer<double>(padded * padded);
        add_products(rows, chunks.begin(chunk), chunks.end(chunk), sums[chunk]);
    });
    Matrix gram(padded, padded);
    for (std::size_t i = 0; i < padded; ++i) {
        for (std::size_t j = i; j < padded; ++j) {
            double sum = 0;
            for (const AlignedBuffer<double>& part : sums) {
                sum += part[i * padded + j];
            }
            gram.row(i)[j] = gram.row(j)[i] = static_cast<float>(sum);
        }
    }
    return gram;
}

Result<Eigenbasis> symmetric_eigenbasis(const Matrix& gram, std::size_t dim) {
    SEGUE_ASSERT(dim <= gram.dim() && gram.num_rows() == gram.dim());
    const auto size = static_cast<Eigen::Index>(dim);
    Eigen::MatrixXd matrix(size, size);
    for (std::size_t i = 0; i < dim; ++i) {
        for (std::size_t j = 0; j < dim; ++j) {
            const double element = static_cast<double>(gram.row(i)[j]);
            if (!std::isfinite(element)) {
                return internal_error(
                    "the Gram matrix of the vectors is not finite; "
                    "the vectors diverged or overflow");
            }
            matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = element;
        }
    }
    const std::size_t padded = gram.dim();
    Eigenbasis basis = {Matrix(padded, padded), std::vector<float>(padded, 0)};
    for (std::size_t i = dim; i < padded; ++i) {
        basis.rotation.row(i)[i] = 1;
    }
    if (dim == 0) {
        return basis;
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
    if (solver.info() != Eigen::Success) {
        return internal_error("the eigenvalues of the Gram matrix do not converge");
    }
    for (std::size_t j = 0; j < dim; ++j) {
        const auto column = static_cast<Eigen::Index>(j);
        basis.values[j] = static_cast<float>(std::max(0.0, solver.eigenvalues()(column)));
        for (std::size_t i = 0; i < dim; ++i) {
            basis.rotation.row(i)[j] =
                static_cast<float>(solver.eigenvectors()(static_cast<Eigen::Index>(i), column));
        }
    }
    return basis;
}

void rotate_rows(Matrix& rows, const Eigenbasis& basis, ThreadPool& pool) {
    SEGUE_ASSERT(rows.stride() == basis.rotation.dim());
    constexpr std::size_t kRowsPerChunk = 1024;
    const kernels::KernelTable& kernels = kernels::active_kernels();
    const std::size_t dim = rows.stride();
    const Chunks chunks = {rows.num_rows(), kRowsPerChunk};
    std::vector<AlignedBuffer<float>> scratch(pool.num_threads());
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        if (scratch[worker].size() == 0) {
            scratch[worker] = AlignedBuffer<float>(kernels::rotate_scratch_floats(dim));
        }
        const std::size_t begin = chunks.begin(chunk);
        kernels.rotate(rows.data() + begin * dim, dim, chunks.end(chunk) - begin, dim,
                       basis.rotation.data(), scratch[worker].data());
    });
}

}  // namespace segue
