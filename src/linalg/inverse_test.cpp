#include "linalg/inverse.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"

namespace segue {
namespace {

/// X'X + ridge, upper triangle only; NaN in the rest.
Matrix random_positive(std::size_t size, double ridge, Eigen::MatrixXd& dense) {
    Random random(size);
    const auto n = static_cast<Eigen::Index>(size);
    Eigen::MatrixXd x(n / 2 + 1, n);
    for (Eigen::Index i = 0; i < x.size(); ++i) {
        x.data()[i] = random.normal();
    }
    dense = x.transpose() * x + ridge * Eigen::MatrixXd::Identity(n, n);
    const std::size_t padded = padded_inverse_size(size);
    Matrix matrix(padded, padded);
    for (std::size_t i = 0; i < padded; ++i) {
        for (std::size_t j = 0; j < padded; ++j) {
            matrix.row(i)[j] = i <= j && j < size
                                   ? static_cast<float>(dense(static_cast<Eigen::Index>(i),
                                                              static_cast<Eigen::Index>(j)))
                                   : std::nanf("");
        }
    }
    return matrix;
}

TEST(Inverse, is_that_of_double_precision_for_sizes_around_its_blocks) {
    for (const std::size_t size : {1, 2, 31, 32, 33, 64, 100, 257, 300, 511, 512, 513, 544}) {
        Eigen::MatrixXd dense;
        Matrix matrix = random_positive(size, 10, dense);
        ThreadPool pool(2);
        ASSERT_TRUE(invert_positive_definite(matrix, size, pool).ok()) << size;
        const Eigen::MatrixXd expected =
            dense.ldlt().solve(Eigen::MatrixXd::Identity(dense.rows(), dense.cols()));
        double worst = 0;
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = 0; j < size; ++j) {
                worst = std::max(worst, std::abs(static_cast<double>(matrix.row(i)[j]) -
                                                 expected(static_cast<Eigen::Index>(i),
                                                          static_cast<Eigen::Index>(j))));
            }
        }
        EXPECT_LT(worst, 1e-5) << size;  // the largest elements are near 0.1
    }
}

TEST(Inverse, is_the_same_bytes_for_any_number_of_threads) {
    constexpr std::size_t kSize = 1057;  // more than two blocks
    Eigen::MatrixXd dense;
    Matrix one = random_positive(kSize, 10, dense);
    Matrix three = random_positive(kSize, 10, dense);
    ThreadPool pool(1);
    ThreadPool larger_pool(3);
    ASSERT_TRUE(invert_positive_definite(one, kSize, pool).ok());
    ASSERT_TRUE(invert_positive_definite(three, kSize, larger_pool).ok());
    EXPECT_EQ(std::memcmp(one.data(), three.data(), one.num_rows() * one.stride() * sizeof(float)),
              0);
    for (const std::size_t row : {std::size_t{0}, kSize / 2, kSize - 1}) {
        Eigen::VectorXd inverse_row(static_cast<Eigen::Index>(kSize));
        for (std::size_t j = 0; j < kSize; ++j) {
            inverse_row(static_cast<Eigen::Index>(j)) = static_cast<double>(one.row(row)[j]);
        }
        Eigen::VectorXd product = dense * inverse_row;
        product(static_cast<Eigen::Index>(row)) -= 1;
        EXPECT_LT(product.cwiseAbs().maxCoeff(), 1e-3);
    }
}

TEST(Inverse, fills_both_triangles_times_factors_of_the_columns) {
    constexpr std::size_t kSize = 2 * kInversePadding;
    Matrix matrix(kSize, kSize);
    std::vector<float> factors;
    for (std::size_t i = 0; i < kSize; ++i) {
        factors.push_back(static_cast<float>(i % 5) - 2);
        for (std::size_t j = 0; j < kSize; ++j) {
            matrix.row(i)[j] = i <= j ? static_cast<float>(i * kSize + j) : std::nanf("");
        }
    }
    ThreadPool pool(2);
    fill_from_triangle(matrix, factors, pool);
    for (std::size_t i = 0; i < kSize; ++i) {
        for (std::size_t j = 0; j < kSize; ++j) {
            const auto upper = static_cast<float>(std::min(i, j) * kSize + std::max(i, j));
            ASSERT_EQ(matrix.row(i)[j], upper * factors[j]);
        }
    }
}

TEST(Inverse, refuses_what_is_not_positive_definite) {
    ThreadPool pool(2);
    for (const std::size_t size : {3, 40, 300}) {
        Eigen::MatrixXd dense;
        Matrix matrix = random_positive(size, 1, dense);
        matrix.row(size - 1)[size - 1] = -1;
        EXPECT_FALSE(invert_positive_definite(matrix, size, pool).ok());
        Matrix not_finite = random_positive(size, 1, dense);
        not_finite.row(size / 2)[size - 1] = std::nanf("");
        EXPECT_FALSE(invert_positive_definite(not_finite, size, pool).ok());
    }
    Matrix nothing(0, 0);
    EXPECT_TRUE(invert_positive_definite(nothing, 0, pool).ok());
}

}  // namespace
}  // namespace segue
