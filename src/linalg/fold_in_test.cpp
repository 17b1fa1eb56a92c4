#include "linalg/fold_in.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/random.h"
#include "linalg/gram.h"

namespace segue {
namespace {

Matrix random_rows(std::size_t num_rows, std::size_t dim) {
    Matrix rows(num_rows, dim);
    Random random(dim);
    for (std::size_t r = 0; r < num_rows; ++r) {
        for (float& value : rows.row(r)) {
            value = static_cast<float>(random.normal());
        }
    }
    return rows;
}

/// The same system in double precision with a general solver.
Eigen::VectorXd solve_dense(const Matrix& items, const Matrix& global, const FoldInHistory& history,
                            double ridge) {
    const auto dim = static_cast<Eigen::Index>(items.dim());
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Identity(dim, dim) * ridge;
    for (Eigen::Index i = 0; i < dim; ++i) {
        for (Eigen::Index j = 0; j < dim; ++j) {
            matrix(i, j) += static_cast<double>(
                global.row(static_cast<std::size_t>(i))[static_cast<std::size_t>(j)]);
        }
    }
    Eigen::VectorXd right_side = Eigen::VectorXd::Zero(dim);
    for (std::size_t k = 0; k < history.item_rows.size(); ++k) {
        const double weight = history.weights.empty() ? 1 : static_cast<double>(history.weights[k]);
        const double side =
            history.right_sides.empty() ? weight : static_cast<double>(history.right_sides[k]);
        const Eigen::VectorXd row =
            Eigen::Map<const Eigen::VectorXf>(items.row(history.item_rows[k]).data(), dim)
                .cast<double>();
        matrix += weight * row * row.transpose();
        right_side += side * row;
    }
    return matrix.ldlt().solve(right_side);
}

TEST(FoldIn, solves_the_normal_equations_of_a_history) {
    ThreadPool pool(1);
    Random random(1);
    for (const std::size_t dim : {1U, 8U, 16U, 50U, 64U}) {
        const Matrix items = random_rows(400, dim);
        const Matrix global = gram_matrix(items.view(), pool);
        const FoldIn fold_in(items.view(), gram_matrix(items.view(), pool));
        FoldInScratch scratch(dim);
        for (const std::size_t num_entries : {1U, 2U, 127U, 129U, 300U}) {
            for (const bool weighted : {false, true}) {
                std::vector<std::uint32_t> rows;
                std::vector<float> weights;
                std::vector<float> right_sides;
                for (std::size_t k = 0; k < num_entries; ++k) {
                    rows.push_back(static_cast<std::uint32_t>(random.below(400)));
                    weights.push_back(static_cast<float>(random.uniform()));
                    right_sides.push_back(k % 4 == 0 ? -1.0F : 2.0F);
                }
                FoldInHistory history = {.item_rows = rows};
                if (weighted) {
                    history.weights = weights;
                    history.right_sides = right_sides;
                }
                const Eigen::VectorXd exact = solve_dense(items, global, history, 0.5);
                std::vector<float> solution(dim);
                ASSERT_TRUE(fold_in.solve(history, 0.5F, scratch, solution).ok());
                for (std::size_t i = 0; i < dim; ++i) {
                    ASSERT_NEAR(solution[i], exact(static_cast<Eigen::Index>(i)), 1e-4) << dim;
                }
            }
        }
    }
}

TEST(FoldIn, of_nothing_is_zero) {
    const Matrix items = random_rows(4, 3);
    const FoldIn fold_in(items.view(), Matrix(16, 16));
    FoldInScratch scratch(3);
    std::vector<float> solution = {1, 2, 3};
    ASSERT_TRUE(fold_in.solve({}, 0, scratch, solution).ok());
    EXPECT_EQ(solution, (std::vector<float>{0, 0, 0}));
}

TEST(FoldIn, refuses_what_it_cannot_solve_and_says_why) {
    const Matrix items = random_rows(4, 3);
    const FoldIn fold_in(items.view(), Matrix(16, 16));
    FoldInScratch scratch(3);
    std::vector<float> solution(3);
    const std::vector<std::uint32_t> rows = {0, 1};
    const auto code = [&](const FoldInHistory& history, float ridge) {
        return fold_in.solve(history, ridge, scratch, solution).code();
    };
    const std::vector<std::uint32_t> out_of_range = {0, 4};
    EXPECT_EQ(code({.item_rows = out_of_range}, 1), StatusCode::kInvalidArgument);
    EXPECT_EQ(code({.item_rows = rows}, -1), StatusCode::kInvalidArgument);
    EXPECT_EQ(code({.item_rows = rows}, std::nanf("")), StatusCode::kInvalidArgument);
    const std::vector<float> one = {1};
    EXPECT_EQ(code({.item_rows = rows, .weights = one}, 1), StatusCode::kInvalidArgument);
    const std::vector<float> negative = {1, -1};
    EXPECT_EQ(code({.item_rows = rows, .weights = negative}, 1), StatusCode::kInvalidArgument);
    EXPECT_EQ(code({.item_rows = rows, .right_sides = negative}, 1), StatusCode::kOk);
}

TEST(FoldIn, refuses_a_singular_system) {
    Matrix items(1, 3);
    items.row(0)[0] = 1;
    const FoldIn fold_in(items.view(), Matrix(16, 16));
    FoldInScratch scratch(3);
    std::vector<float> solution(3);
    const std::vector<std::uint32_t> rows = {0};
    const Status status = fold_in.solve({.item_rows = rows}, 0, scratch, solution);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("larger regularisation"), std::string::npos);
}

}  // namespace
}  // namespace segue
