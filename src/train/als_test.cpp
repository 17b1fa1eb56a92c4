#include "train/als.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "train/als_half_step.h"
#include "train/als_loss.h"
#include "train/als_weights.h"

namespace segue {
namespace {

/// A random table in which every row has some entries; `weighted` gives values in [0.5, 3.5).
SparseMatrix random_table(std::size_t num_rows, std::size_t num_columns, double density,
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
double loss_by_definition(const SparseView& table, const AlsParams& params, const MatrixView& rows,
                          const MatrixView& columns) {
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
std::vector<double> solve_dense(std::vector<std::vector<double>> matrix,
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
std::vector<double> row_by_normal_equations(const SparseView& table, const AlsParams& params,
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
std::vector<double> scores_of(const MatrixView& rows, const MatrixView& columns) {
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

Matrix normal_matrix(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Matrix matrix(num_rows, dim);
    Random random(seed);
    for (std::size_t row = 0; row < num_rows; ++row) {
        for (float& value : matrix.row(row)) {
            value = static_cast<float>(0.3 * random.normal());
        }
    }
    return matrix;
}

AlsParams small_params(AlsLoss loss, AlsSolver solver) {
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

bool same_bytes(const Matrix& left, const Matrix& right) {
    return left.num_rows() == right.num_rows() && left.stride() == right.stride() &&
           std::memcmp(left.data(), right.data(),
                       left.num_rows() * left.stride() * sizeof(float)) == 0;
}

class AlsForEveryLossAndSolver
    : public testing::TestWithParam<std::tuple<AlsLoss, AlsSolver, bool>> {
protected:
    AlsParams params() const {
        return small_params(std::get<0>(GetParam()), std::get<1>(GetParam()));
    }
    bool weighted() const { return std::get<2>(GetParam()); }
};

TEST_P(AlsForEveryLossAndSolver, half_step_matches_dense_normal_equations) {
    AlsParams wanted = params();
    wanted.solver_steps = 40;  // conjugate gradients end after dim steps at the latest
    const SparseMatrix table = random_table(20, 20, 0.3, weighted(), 5);
    const Matrix fixed = normal_matrix(20, wanted.dim, 11);
    Matrix columns = normal_matrix(20, wanted.dim, 11);
    Matrix rows = normal_matrix(20, wanted.dim, 12);
    ThreadPool pool(2);
    const Result<AlsSide> side = make_row_side(table.view(), wanted);
    ASSERT_TRUE(side.ok());
    ASSERT_TRUE(als_half_step(*side, wanted, rows, columns, pool).ok());
    const std::vector<double> scores = scores_of(rows.view(), columns.view());
    for (std::size_t row = 0; row < 20; ++row) {
        const std::vector<double> expected =
            row_by_normal_equations(table.view(), wanted, row, fixed.view());
        for (std::size_t column = 0; column < 20; ++column) {
            double score = 0;
            for (std::size_t i = 0; i < wanted.dim; ++i) {
                score += expected[i] * static_cast<double>(fixed.row(column)[i]);
            }
            EXPECT_NEAR(scores[row * 20 + column], score, 2e-5) << row << " " << column;
        }
    }
}

TEST_P(AlsForEveryLossAndSolver, loss_equals_its_definition) {
    const SparseMatrix table = random_table(23, 17, 0.25, weighted(), 6);
    const Matrix rows = normal_matrix(23, 6, 1);
    const Matrix columns = normal_matrix(17, 6, 2);
    ThreadPool pool(2);
    const double expected = loss_by_definition(table.view(), params(), rows.view(), columns.view());
    EXPECT_NEAR(als_loss(table.view(), params(), rows.view(), columns.view(), pool), expected,
                1e-5 * expected);
}

TEST_P(AlsForEveryLossAndSolver, gives_the_same_bytes_for_any_number_of_threads) {
    const SparseMatrix table = random_table(300, 90, 0.1, weighted(), 7);
    ThreadPool one(1);
    const Result<AlsModel> expected = train_als(table.view(), params(), one);
    ASSERT_TRUE(expected.ok()) << expected.status().message();
    for (const unsigned threads : {2u, 5u}) {
        ThreadPool pool(threads);
        const Result<AlsModel> model = train_als(table.view(), params(), pool);
        ASSERT_TRUE(model.ok());
        EXPECT_TRUE(same_bytes(model->row_factors, expected->row_factors)) << threads;
        EXPECT_TRUE(same_bytes(model->column_factors, expected->column_factors)) << threads;
        EXPECT_EQ(model->epochs.back().loss, expected->epochs.back().loss);
    }
}

TEST_P(AlsForEveryLossAndSolver, loss_ends_where_the_exact_solver_ends) {
    const SparseMatrix table = random_table(120, 60, 0.15, weighted(), 8);
    AlsParams wanted = params();
    wanted.iterations = 30;
    AlsParams exact = wanted;
    exact.solver = AlsSolver::kCholesky;
    ThreadPool pool(2);
    const Result<AlsModel> model = train_als(table.view(), wanted, pool);
    const Result<AlsModel> reference = train_als(table.view(), exact, pool);
    ASSERT_TRUE(model.ok() && reference.ok());
    EXPECT_NEAR(model->epochs.back().loss, reference->epochs.back().loss,
                0.005 * reference->epochs.back().loss);
}

INSTANTIATE_TEST_SUITE_P(Als, AlsForEveryLossAndSolver,
                         testing::Combine(testing::Values(AlsLoss::kRendle, AlsLoss::kHu),
                                          testing::Values(AlsSolver::kEigenPcg,
                                                          AlsSolver::kCholesky, AlsSolver::kCg),
                                          testing::Bool()));

TEST(Als, exact_half_steps_never_raise_the_loss) {
    for (const AlsLoss loss : {AlsLoss::kRendle, AlsLoss::kHu}) {
        const AlsParams params = small_params(loss, AlsSolver::kCholesky);
        const SparseMatrix table = random_table(60, 40, 0.2, true, 9);
        ThreadPool pool(2);
        Result<AlsSide> rows = make_row_side(table.view(), params);
        ASSERT_TRUE(rows.ok());
        const AlsSide columns = transpose_side(*rows, params);
        Matrix row_factors = normal_matrix(60, params.dim, 3);
        Matrix column_factors = normal_matrix(40, params.dim, 4);
        double last = std::numeric_limits<double>::infinity();
        for (int step = 0; step < 20; ++step) {
            const bool odd = step % 2 != 0;
            ASSERT_TRUE(als_half_step(odd ? columns : *rows, params,
                                      odd ? column_factors : row_factors,
                                      odd ? row_factors : column_factors, pool)
                            .ok());
            const double now = als_loss_of_sides(*rows, columns, params, row_factors.view(),
                                                 column_factors.view(), pool);
            EXPECT_LE(now, last * (1 + 1e-6)) << "step " << step;
            last = now;
        }
    }
}

TEST(Als, alpha_zero_weighs_all_pairs_alike) {
    // With alpha 0 the objective is the plain squared error of the 0/1 table: the best rank-2
    // factors of a table of two full blocks reproduce it, up to the small penalty.
    std::vector<Triplet> entries;
    for (std::uint32_t row = 0; row < 8; ++row) {
        for (std::uint32_t column = 0; column < 8; ++column) {
            if ((row < 4) == (column < 4)) {
                entries.push_back({row, column, 1});
            }
        }
    }
    const SparseMatrix table = sparse_from_triplets(8, 8, entries);
    AlsParams params = small_params(AlsLoss::kHu, AlsSolver::kEigenPcg);
    params.dim = 2;
    params.alpha = 0;
    params.l2_reg = 1e-3;
    params.iterations = 50;
    ThreadPool pool(1);
    const Result<AlsModel> model = train_als(table.view(), params, pool);
    ASSERT_TRUE(model.ok());
    const std::vector<double> scores =
        scores_of(model->row_factors.view(), model->column_factors.view());
    for (std::size_t row = 0; row < 8; ++row) {
        for (std::size_t column = 0; column < 8; ++column) {
            EXPECT_NEAR(scores[row * 8 + column], (row < 4) == (column < 4) ? 1 : 0, 0.01);
        }
    }
}

TEST(Als, finds_planted_blocks) {
    // Five clusters; each row has some of its own cluster's columns. Every column's nearest by
    // cosine must be of its cluster.
    Random random(21);
    std::vector<Triplet> entries;
    for (std::uint32_t row = 0; row < 200; ++row) {
        for (std::uint32_t place = 0; place < 12; ++place) {
            if (random.uniform() < 0.5) {
                entries.push_back({row, row % 5 * 12 + place, 1});
            }
        }
    }
    const SparseMatrix table = sparse_from_triplets(200, 60, entries);
    for (const AlsLoss loss : {AlsLoss::kRendle, AlsLoss::kHu}) {
        AlsParams params = small_params(loss, AlsSolver::kEigenPcg);
        ThreadPool pool(2);
        const Result<AlsModel> model = train_als(table.view(), params, pool);
        ASSERT_TRUE(model.ok());
        const MatrixView columns = model->column_factors.view();
        const std::vector<double> products = scores_of(columns, columns);
        for (std::size_t item = 0; item < 60; ++item) {
            std::size_t nearest = item;
            double best = -2;
            for (std::size_t other = 0; other < 60; ++other) {
                const double cosine =
                    products[item * 60 + other] /
                    std::sqrt(products[item * 60 + item] * products[other * 60 + other]);
                if (other != item && cosine > best) {
                    best = cosine;
                    nearest = other;
                }
            }
            EXPECT_EQ(nearest / 12, item / 12);
        }
    }
}

TEST(Als, negative_weights_pull_scores_down_and_stay_solvable) {
    std::vector<Triplet> entries;
    for (std::uint32_t row = 0; row < 12; ++row) {
        for (std::uint32_t column = 0; column < 12; ++column) {
            const bool same = row % 2 == column % 2;
            entries.push_back({row, column, same ? 3.0f : -40.0f});
        }
    }
    const SparseMatrix table = sparse_from_triplets(12, 12, entries);
    ThreadPool pool(1);
    for (const NegativeWeights negative :
         {NegativeWeights::kConfident, NegativeWeights::kClip, NegativeWeights::kDrop}) {
        AlsParams params = small_params(AlsLoss::kHu, AlsSolver::kCholesky);
        params.negative = negative;
        const Result<AlsModel> model = train_als(table.view(), params, pool);
        ASSERT_TRUE(model.ok()) << model.status().message();
        const std::vector<double> scores =
            scores_of(model->row_factors.view(), model->column_factors.view());
        EXPECT_GT(scores[0], 0.8);
        EXPECT_LT(std::abs(scores[1]), 0.2);
    }
    AlsParams rendle = small_params(AlsLoss::kRendle, AlsSolver::kCholesky);
    EXPECT_EQ(train_als(table.view(), rendle, pool).status().code(), StatusCode::kInvalidArgument);
}

TEST(Als, stops_when_the_loss_hardly_moves_and_never_after_max_iterations) {
    const SparseMatrix table = random_table(80, 40, 0.2, false, 10);
    AlsParams params = small_params(AlsLoss::kHu, AlsSolver::kCholesky);
    params.iterations = 50;
    params.min_relative_progress = 0.01;
    ThreadPool pool(2);
    const Result<AlsModel> model = train_als(table.view(), params, pool);
    ASSERT_TRUE(model.ok());
    ASSERT_LT(model->epochs.size(), 50u);
    ASSERT_GE(model->epochs.size(), 2u);
    for (std::size_t epoch = 1; epoch < model->epochs.size(); ++epoch) {
        const double progress = (model->epochs[epoch - 1].loss - model->epochs[epoch].loss) /
                                model->epochs[epoch - 1].loss;
        EXPECT_EQ(progress < 0.01, epoch + 1 == model->epochs.size());
    }
    params.min_relative_progress = 0;
    params.iterations = 3;
    EXPECT_EQ(train_als(table.view(), params, pool)->epochs.size(), 3u);
}

TEST(Als, judge_chooses_the_epoch_that_is_kept) {
    const SparseMatrix table = random_table(40, 30, 0.2, false, 12);
    AlsParams params = small_params(AlsLoss::kRendle, AlsSolver::kCholesky);
    params.iterations = 20;
    ThreadPool pool(1);
    int calls = 0;
    const AlsJudge best_at_third = [&](const MatrixView&, const MatrixView&) {
        ++calls;
        return calls == 3 ? 1.0 : 0.5;
    };
    const Result<AlsModel> judged = train_als(table.view(), params, pool, {}, best_at_third);
    ASSERT_TRUE(judged.ok());
    EXPECT_EQ(judged->epochs.size(), 5u);
    params.iterations = 3;
    const Result<AlsModel> three = train_als(table.view(), params, pool);
    EXPECT_TRUE(same_bytes(judged->column_factors, three->column_factors));
}

TEST(Als, warm_start_goes_on_where_training_stopped) {
    const SparseMatrix table = random_table(60, 30, 0.2, true, 13);
    AlsParams params = small_params(AlsLoss::kRendle, AlsSolver::kCholesky);
    ThreadPool pool(2);
    params.iterations = 6;
    const Result<AlsModel> whole = train_als(table.view(), params, pool);
    params.iterations = 3;
    const Result<AlsModel> half = train_als(table.view(), params, pool);
    ASSERT_TRUE(whole.ok() && half.ok());
    const Result<AlsModel> continued = train_als(table.view(), params, pool, {}, {}, &half.value());
    ASSERT_TRUE(continued.ok());
    EXPECT_TRUE(same_bytes(continued->column_factors, whole->column_factors));
    params.dim = 7;
    EXPECT_EQ(train_als(table.view(), params, pool, {}, {}, &half.value()).status().code(),
              StatusCode::kInvalidArgument);
}

TEST(Als, seeds_differ_and_repeat) {
    const SparseMatrix table = random_table(40, 30, 0.2, false, 14);
    AlsParams params = small_params(AlsLoss::kRendle, AlsSolver::kEigenPcg);
    ThreadPool pool(1);
    const Result<AlsModel> first = train_als(table.view(), params, pool);
    EXPECT_TRUE(same_bytes(first->row_factors, train_als(table.view(), params, pool)->row_factors));
    params.seed = 2;
    EXPECT_FALSE(
        same_bytes(first->row_factors, train_als(table.view(), params, pool)->row_factors));
}

TEST(Als, empty_tables_rows_and_columns_give_zero_factors) {
    SparseMatrix table;
    table.num_rows = 3;
    table.num_columns = 4;
    table.offsets = {0, 0, 1, 1};
    table.columns = {2};
    ThreadPool pool(2);
    for (const AlsSolver solver : {AlsSolver::kEigenPcg, AlsSolver::kCholesky, AlsSolver::kCg}) {
        const Result<AlsModel> model =
            train_als(table.view(), small_params(AlsLoss::kRendle, solver), pool);
        ASSERT_TRUE(model.ok());
        EXPECT_EQ(model->row_factors.row(0)[0], 0);
        EXPECT_EQ(model->column_factors.row(0)[0], 0);
        EXPECT_NE(model->row_factors.row(1)[0], 0);
        const Result<AlsModel> nothing =
            train_als(SparseMatrix().view(), small_params(AlsLoss::kRendle, solver), pool);
        ASSERT_TRUE(nothing.ok()) << nothing.status().message();
        EXPECT_EQ(nothing->row_factors.num_rows(), 0u);
    }
}

TEST(Als, refuses_parameters_and_values_out_of_range) {
    const SparseMatrix table = random_table(5, 5, 0.5, false, 1);
    ThreadPool pool(1);
    const auto refuses = [&](auto change) {
        AlsParams params = small_params(AlsLoss::kRendle, AlsSolver::kEigenPcg);
        change(params);
        return train_als(table.view(), params, pool).status().code() ==
               StatusCode::kInvalidArgument;
    };
    EXPECT_TRUE(refuses([](AlsParams& params) { params.dim = 0; }));
    EXPECT_TRUE(refuses([](AlsParams& params) { params.dim = 10'000'000; }));
    EXPECT_TRUE(refuses([](AlsParams& params) { params.iterations = 0; }));
    EXPECT_TRUE(refuses([](AlsParams& params) { params.l2_reg = -1; }));
    EXPECT_TRUE(refuses([](AlsParams& params) { params.alpha = std::nan(""); }));
    EXPECT_TRUE(refuses([](AlsParams& params) { params.unobserved_weight = -0.1; }));
    EXPECT_TRUE(refuses([](AlsParams& params) { params.min_relative_progress = 2; }));
    SparseMatrix damaged = table;
    damaged.values.assign(table.num_entries(), 1);
    damaged.values[2] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(
        train_als(damaged.view(), small_params(AlsLoss::kHu, AlsSolver::kCg), pool).status().code(),
        StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace segue
