#include "train/als_loss.h"

#include <vector>

#include "kernels/kernels.h"
#include "linalg/gram.h"

namespace segue {

namespace {

constexpr std::size_t kRowsPerChunk = 256;

/// sum over the rows of `side` of term(row), added up in a fixed order.
template <typename Term>
double sum_over_rows(std::size_t num_rows, ThreadPool& pool, const Term& term) {
    const Chunks chunks{num_rows, kRowsPerChunk};
    std::vector<double> sums(chunks.count(), 0);
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        double sum = 0;
        for (std::size_t row = chunks.begin(chunk); row < chunks.end(chunk); ++row) {
            sum += term(row);
        }
        sums[chunk] = sum;
    });
    double total = 0;
    for (const double sum : sums) {
        total += sum;
    }
    return total;
}

double regularisation(const AlsSide& side, const MatrixView& factors, ThreadPool& pool) {
    const kernels::KernelTable& kernel = kernels::active_kernels();
    return sum_over_rows(factors.num_rows, pool, [&](std::size_t row) {
        const float* factor = factors.row(row).data();
        return static_cast<double>(side.ridges[row]) *
               static_cast<double>(kernel.dot(factor, factor, factors.dim));
    });
}

/// Sum over all pairs of (x.y)^2 = <X^T X, Y^T Y>.
double sum_of_squared_scores(const MatrixView& row_factors, const MatrixView& column_factors,
                             ThreadPool& pool) {
    const Matrix left = gram_matrix(row_factors, pool);
    const Matrix right = gram_matrix(column_factors, pool);
    double sum = 0;
    for (std::size_t i = 0; i < row_factors.dim; ++i) {
        for (std::size_t j = 0; j < row_factors.dim; ++j) {
            sum += static_cast<double>(left.row(i)[j]) * static_cast<double>(right.row(i)[j]);
        }
    }
    return sum;
}

}  // namespace

double als_loss_of_sides(const AlsSide& rows, const AlsSide& columns, const AlsParams& params,
                         const MatrixView& row_factors, const MatrixView& column_factors,
                         ThreadPool& pool) {
    const kernels::KernelTable& kernel = kernels::active_kernels();
    const bool hu = params.loss == AlsLoss::kHu;
    const SparseMatrix& matrix = rows.matrix;
    const double observed = sum_over_rows(matrix.num_rows, pool, [&](std::size_t row) {
        double sum = 0;
        for (std::uint64_t k = matrix.offsets[row]; k < matrix.offsets[row + 1]; ++k) {
            const double score = static_cast<double>(
                kernel.dot(row_factors.row(row).data(),
                           column_factors.row(matrix.columns[k]).data(), row_factors.dim));
            const double weight = rows.weights.empty() ? 1.0 : static_cast<double>(rows.weights[k]);
            if (hu) {
                // c (p - s)^2, less the s^2 that the sum over all pairs has for this pair too.
                const double preference = rows.targets[k] > 0 ? 1.0 : 0.0;
                const double error = preference - score;
                sum += (1 + weight) * error * error - score * score;
            } else {
                sum += weight * (1 - score) * (1 - score);
            }
        }
        return sum;
    });
    return observed +
           global_weight(params) * sum_of_squared_scores(row_factors, column_factors, pool) +
           regularisation(rows, row_factors, pool) + regularisation(columns, column_factors, pool);
}

double als_loss(const SparseView& interactions, const AlsParams& params,
                const MatrixView& row_factors, const MatrixView& column_factors, ThreadPool& pool) {
    const Result<AlsSide> rows = make_row_side(interactions, params);
    SEGUE_ASSERT(rows.ok());
    const AlsSide columns = transpose_side(*rows, params);
    return als_loss_of_sides(*rows, columns, params, row_factors, column_factors, pool);
}

}  // namespace segue
