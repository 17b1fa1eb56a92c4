#pragma once

// Slow oracles of weighted ALS, straight from the formulas, and small tables to try them on. For
// tests.

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "train/als.h"

namespace segue {

/// A random table in which every row has some entries; `weighted` gives values in [0.5, 3.5).
inline SparseMatrix random_table(std::size_t num_rows, std::size_t num_columns, double density,
                                 bool weighted, std::uint64_t seed) {
    Random random(seed);
    std::vector<Triplet> entries;
    for (std::uint32_t row = 0; row < num_rows; ++row) {
        for (std::uint32_t column = 0; column < num_columns; ++column) {
            if (random.uniform() < density || column == row % num_columns) {
                const double value = weighted ? 0.5 + 3 * random.uniform() : 1;
                entries.push_back({row, column, static_cast<float>(value)});
            }
        }
    }
    return sparse_from_triplets(num_rows, num_columns, entries);
}

/// The objective added up pair by pair in double precision, straight from its definition.
inline double loss_by_definition(const SparseView& table, const AlsParams& params,
                                 const MatrixView& rows, const MatrixView& columns) {
    double loss = 0;
    std::vector<double> column_entries(table.num_columns, 0);
    for (std::size_t row = 0; row < table.num_rows; ++row) {
        std::vector<double> observed(table.num_columns, 0);
        std::vector<bool> has(table.num_columns, false);
        for (std::size_t k = 0; k < table.row_size(row); ++k) {
            const std::uint32_t column = table.row_columns(row)[k];
            has[column] = true;
            observed[column] =
                table.values.empty() ? 1 : static_cast<double>(table.row_values(row)[k]);
            ++column_entries[column];
        }
        for (std::size_t column = 0; column < table.num_columns; ++column) {
            double score = 0;
            for (std::size_t i = 0; i < rows.dim; ++i) {
                score += static_cast<double>(rows.row(row)[i]) *
                         static_cast<double>(columns.row(column)[i]);
            }
            const double value = observed[column];
            if (params.loss == AlsLoss::kRendle) {
                loss += params.unobserved_weight * score * score;
                loss += has[column] ? value * (1 - score) * (1 - score) : 0;
            } else {
                const double confidence = 1 + params.alpha * std::abs(value);
                const double preference = value > 0 ? 1 : 0;
                loss += confidence * (preference - score) * (preference - score);
            }
        }
    }
    const auto penalty = [&](const MatrixView& factors, std::size_t row, double entries,
                             std::size_t others) {
        double norm = 0;
        for (const float value : factors.row(row)) {
            norm += static_cast<double>(value) * static_cast<double>(value);
        }
        const double scale =
            params.loss == AlsLoss::kHu
                ? 1
                : std::pow(entries + params.unobserved_weight * static_cast<double>(others),
                           params.l2_exponent);
        return params.l2_reg * scale * norm;
    };
    for (std::size_t row = 0; row < table.num_rows; ++row) {
        loss += penalty(rows, row, static_cast<double>(table.row_size(row)), table.num_columns);
    }
    for (std::size_t column = 0; column < table.num_columns; ++column) {
        loss += penalty(columns, column, column_entries[column], table.num_rows);
    }
    return loss;
}

/// Solves matrix * x = right side by Gaussian elimination in double precision.
inline std::vector<double> solve_dense(std::vector<std::vector<double>> matrix,
                                       std::vector<double> right_side) {
    const std::size_t n = right_side.size();
    for (std::size_t pivot = 0; pivot < n; ++pivot) {
        for (std::size_t row = pivot + 1; row < n; ++row) {
            const double factor = matrix[row][pivot] / matrix[pivot][pivot];
            for (std::size_t column = pivot; column < n; ++column) {
                matrix[row][column] -= factor * matrix[pivot][column];
            }
            right_side[row] -= factor * right_side[pivot];
        }
    }
    for (std::size_t row = n; row-- > 0;) {
        for (std::size_t column = row + 1; column < n; ++column) {
            right_side[row] -= matrix[row][column] * right_side[column];
        }
        right_side[row] /= matrix[row][row];
    }
    return right_side;
}

/// The exact factor of one row by the normal equations, straight from the objective.
inline std::vector<double> row_by_normal_equations(const SparseView& table, const AlsParams& params,
                                                   std::size_t row, const MatrixView& columns) {
    const std::size_t dim = columns.dim;
    std::vector<std::vector<double>> matrix(dim, std::vector<double>(dim, 0));
    std::vector<double> right_side(dim, 0);
    const auto add = [&](std::size_t column, double weight, double target) {
        for (std::size_t i = 0; i < dim; ++i) {
            for (std::size_t j = 0; j < dim; ++j) {
                matrix[i][j] += weight * static_cast<double>(columns.row(column)[i]) *
                                static_cast<double>(columns.row(column)[j]);
            }
            right_side[i] += target * static_cast<double>(columns.row(column)[i]);
        }
    };
    const bool hu = params.loss == AlsLoss::kHu;
    for (std::size_t column = 0; column < columns.num_rows; ++column) {
        add(column, hu ? 1 : params.unobserved_weight, 0);
    }
    for (std::size_t k = 0; k < table.row_size(row); ++k) {
        const double value =
            table.values.empty() ? 1 : static_cast<double>(table.row_values(row)[k]);
        const double weight = hu ? params.alpha * std::abs(value) : value;
        const double target = hu ? (value > 0 ? 1 + weight : 0) : value;
        add(table.row_columns(row)[k], weight, target);
    }
    const double scale =
        hu ? 1
           : std::pow(static_cast<double>(table.row_size(row)) +
                          params.unobserved_weight * static_cast<double>(table.num_columns),
                      params.l2_exponent);
    for (std::size_t i = 0; i < dim; ++i) {
        matrix[i][i] += params.l2_reg * scale;
    }
    return solve_dense(matrix, right_side);
}

/// Scores [rows x columns] of two tables of factors: what a rotation must leave alone.
inline std::vector<double> scores_of(const MatrixView& rows, const MatrixView& columns) {
    std::vector<double> scores;
    for (std::size_t row = 0; row < rows.num_rows; ++row) {
        for (std::size_t column = 0; column < columns.num_rows; ++column) {
            double score = 0;
            for (std::size_t i = 0; i < rows.dim; ++i) {
                score += static_cast<double>(rows.row(row)[i]) *
                         static_cast<double>(columns.row(column)[i]);
            }
            scores.push_back(score);
        }
    }
    return scores;
}

inline Matrix normal_matrix(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Matrix matrix(num_rows, dim);
    Random random(seed);
    for (std::size_t row = 0; row < num_rows; ++row) {
        for (float& value : matrix.row(row)) {
            value = static_cast<float>(0.3 * random.normal());
        }
    }
    return matrix;
}

inline AlsParams small_params(AlsLoss loss, AlsSolver solver) {
    AlsParams params;
    params.dim = 6;
    params.iterations = 8;
    params.loss = loss;
    params.solver = solver;
    params.unobserved_weight = 0.2;
    params.l2_reg = 0.05;
    params.alpha = 2;
    return params;
}

inline bool same_bytes(const Matrix& left, const Matrix& right) {
    return left.num_rows() == right.num_rows() && left.stride() == right.stride() &&
           std::memcmp(left.data(), right.data(),
                       left.num_rows() * left.stride() * sizeof(float)) == 0;
}

}  // namespace segue
