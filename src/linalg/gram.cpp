#include "linalg/gram.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/kernels.h"

namespace segue {

namespace {

/// Rows summed in f32 before f64 takes over.
constexpr std::size_t kRowsPerBlock = 256;
/// Blocks added up by one chunk of work; any number gives nearly the same sums, this one always the
/// same.
constexpr std::size_t kRowsPerChunk = 16 * kRowsPerBlock;
constexpr std::size_t kRotatedRowsPerChunk = 256;

/// The sum over one chunk of rows, upper triangle, [padded * padded].
std::vector<double> chunk_gram(const MatrixView& rows, std::size_t begin, std::size_t end) {
    const kernels::KernelTable& kernel = kernels::active_kernels();
    const std::size_t padded = padded_dim(rows.dim);
    std::vector<double> sums(padded * padded, 0);
    AlignedBuffer<float> block(padded * padded);
    for (std::size_t row = begin; row < end; row += kRowsPerBlock) {
        const std::size_t count = std::min(kRowsPerBlock, end - row);
        std::ranges::fill(block.span(), 0.0f);
        kernel.rank_update(rows.data + row * rows.stride, rows.stride, count, padded, block.data());
        for (std::size_t i = 0; i < padded; ++i) {
            for (std::size_t j = i; j < padded; ++j) {
                sums[i * padded + j] += static_cast<double>(block[i * padded + j]);
            }
        }
    }
    return sums;
}

}  // namespace

Matrix gram_matrix(const MatrixView& rows, ThreadPool& pool) {
    const std::size_t padded = padded_dim(rows.dim);
    const Chunks chunks{rows.num_rows, kRowsPerChunk};
    std::vector<std::vector<double>> parts(chunks.count());
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        parts[chunk] = chunk_gram(rows, chunks.begin(chunk), chunks.end(chunk));
    });
    Matrix gram(padded, padded);
    for (std::size_t i = 0; i < padded; ++i) {
        for (std::size_t j = i; j < padded; ++j) {
            double sum = 0;
            for (const std::vector<double>& part : parts) {
                sum += part[i * padded + j];
            }
            gram.row(i)[j] = static_cast<float>(sum);
            gram.row(j)[i] = static_cast<float>(sum);
        }
    }
    return gram;
}

Result<Eigenbasis> symmetric_eigenbasis(const Matrix& gram, std::size_t dim) {
    Eigen::MatrixXd matrix(dim, dim);
    for (std::size_t i = 0; i < dim; ++i) {
        for (std::size_t j = 0; j < dim; ++j) {
            const float value = gram.row(i)[j];
            if (!std::isfinite(value)) {
                return invalid_argument("a Gram matrix has an element that is not finite");
            }
            matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
                static_cast<double>(value);
        }
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
    if (solver.info() != Eigen::Success) {
        return internal_error("the eigenvalues of a Gram matrix did not converge");
    }
    Eigenbasis basis{Matrix(gram.num_rows(), gram.num_rows()),
                     std::vector<float>(gram.num_rows(), 0)};
    for (std::size_t i = 0; i < gram.num_rows(); ++i) {
        if (i >= dim) {
            basis.rotation.row(i)[i] = 1;
            continue;
        }
        const auto row = static_cast<Eigen::Index>(i);
        basis.values[i] = static_cast<float>(std::max(0.0, solver.eigenvalues()(row)));
        for (std::size_t j = 0; j < dim; ++j) {
            basis.rotation.row(i)[j] =
                static_cast<float>(solver.eigenvectors()(row, static_cast<Eigen::Index>(j)));
        }
    }
    return basis;
}

void rotate_rows(Matrix& rows, const Eigenbasis& basis, ThreadPool& pool) {
    const kernels::KernelTable& kernel = kernels::active_kernels();
    const Chunks chunks{rows.num_rows(), kRotatedRowsPerChunk};
    std::vector<AlignedBuffer<float>> scratch(pool.num_threads());
    for (AlignedBuffer<float>& buffer : scratch) {
        buffer = AlignedBuffer<float>(kernels::rotate_scratch_floats(rows.stride()));
    }
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        kernel.rotate(rows.data() + chunks.begin(chunk) * rows.stride(), rows.stride(),
                      chunks.end(chunk) - chunks.begin(chunk), rows.stride(), basis.rotation.data(),
                      scratch[worker].data());
    });
}

}  // namespace segue
