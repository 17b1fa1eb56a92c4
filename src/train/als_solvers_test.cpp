// Every loss with every solver against the oracles.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "train/als_half_step.h"
#include "train/als_loss.h"
#include "train/als_oracle.h"
#include "train/als_weights.h"

namespace segue {
namespace {

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

TEST(Als, rows_solved_together_give_the_same_bytes_for_any_number_of_threads) {
    // At dim 256 these rows of 700 to 1000 entries are too long for the caches; 300 of them, and
    // the short rows between, make several groups.
    SparseMatrix table;
    table.num_columns = 1000;
    table.offsets = {0};
    Random random(4);
    for (std::size_t row = 0; row < 340; ++row) {
        const double density = row % 8 == 3 ? 0.01 : 0.7 + 0.3 * random.uniform();
        for (std::uint32_t column = 0; column < table.num_columns; ++column) {
            if (random.uniform() < density) {
                table.columns.push_back(column);
            }
        }
        table.offsets.push_back(table.columns.size());
        ++table.num_rows;
    }
    AlsParams params;
    params.dim = 256;
    params.iterations = 1;
    params.solver_steps = 1;
    ThreadPool one(1);
    const Result<AlsModel> expected = train_als(table.view(), params, one);
    ASSERT_TRUE(expected.ok());
    for (const unsigned threads : {2u, 5u}) {
        ThreadPool pool(threads);
        const Result<AlsModel> model = train_als(table.view(), params, pool);
        ASSERT_TRUE(model.ok());
        EXPECT_TRUE(same_bytes(model->row_factors, expected->row_factors)) << threads;
        EXPECT_TRUE(same_bytes(model->column_factors, expected->column_factors)) << threads;
    }
}

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

}  // namespace
}  // namespace segue
