#include "linalg/inverse.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
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
    for (const std::size_t size : {1, 2, 31, 32, 33, 64, 100, 255, 256, 257, 300, 520}) {
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
    constexpr std::size_t kSize = 301;
    Eigen::MatrixXd dense;
    Matrix one = random_positive(kSize, 10, dense);
    Matrix three = random_positive(kSize, 10, dense);
    ThreadPool pool(1);
    ThreadPool larger_pool(3);
    ASSERT_TRUE(invert_positive_definite(one, kSize, pool).ok());
    ASSERT_TRUE(invert_positive_definite(three, kSize, larger_pool).ok());
    EXPECT_EQ(std::memcmp(one.data(), three.data(), one.num_rows() * one.stride() * sizeof(float)),
              0);
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
