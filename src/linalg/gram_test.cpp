#include "linalg/gram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/random.h"

namespace segue {
namespace {

Matrix random_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Matrix rows(num_rows, dim);
    Random random(seed);
    for (std::size_t r = 0; r < num_rows; ++r) {
        for (float& value : rows.row(r)) {
            value = static_cast<float>(random.normal());
        }
    }
    return rows;
}

double exact_product(const Matrix& rows, std::size_t i, std::size_t j) {
    double sum = 0;
    for (std::size_t r = 0; r < rows.num_rows(); ++r) {
        sum += static_cast<double>(rows.row(r)[i]) * rows.row(r)[j];
    }
    return sum;
}

TEST(Gram, holds_the_products_of_columns_and_zeros_in_the_padding) {
    ThreadPool pool(2);
    for (const std::size_t dim : {1U, 10U, 16U, 50U, 64U}) {
        for (const std::size_t num_rows : {0U, 1U, 5U, 1025U}) {
            const Matrix rows = random_rows(num_rows, dim, dim);
            const Matrix gram = gram_matrix(rows.view(), pool);
            ASSERT_EQ(gram.dim(), padded_dim(dim));
            ASSERT_EQ(gram.num_rows(), padded_dim(dim));
            for (std::size_t i = 0; i < gram.dim(); ++i) {
                for (std::size_t j = 0; j < gram.dim(); ++j) {
                    const double exact = i < dim && j < dim ? exact_product(rows, i, j) : 0;
                    ASSERT_NEAR(gram.row(i)[j], exact, 5e-3) << i << ", " << j;
                    ASSERT_EQ(gram.row(i)[j], gram.row(j)[i]);
                }
            }
        }
    }
}

TEST(Gram, reads_rows_that_are_not_padded) {
    ThreadPool pool(1);
    constexpr std::size_t kDim = 5;
    const Matrix rows = random_rows(40, kDim, 1);
    std::vector<float> packed = {99};
    for (std::size_t r = 0; r < 40; ++r) {
        packed.insert(packed.end(), rows.row(r).begin(), rows.row(r).end());
    }
    const Matrix expected = gram_matrix(rows.view(), pool);
    const Matrix gram = gram_matrix({packed.data() + 1, 40, kDim, kDim}, pool);
    EXPECT_EQ(
        std::memcmp(gram.data(), expected.data(), gram.num_rows() * gram.stride() * sizeof(float)),
        0);
}

TEST(Gram, has_the_same_bytes_for_any_number_of_threads) {
    const Matrix rows = random_rows(50000, 16, 2);
    ThreadPool one(1);
    const Matrix expected = gram_matrix(rows.view(), one);
    for (const unsigned num_threads : {2U, 5U}) {
        ThreadPool pool(num_threads);
        const Matrix gram = gram_matrix(rows.view(), pool);
        EXPECT_EQ(std::memcmp(gram.data(), expected.data(), 16 * 16 * sizeof(float)), 0);
    }
}

TEST(Eigenbasis, rotates_rows_so_that_their_gram_is_diagonal) {
    ThreadPool pool(2);
    for (const std::size_t dim : {1U, 10U, 50U, 64U}) {
        Matrix rows = random_rows(300, dim, dim);
        const Matrix before = random_rows(300, dim, dim);
        const Matrix gram = gram_matrix(rows.view(), pool);
        const Result<Eigenbasis> basis = symmetric_eigenbasis(gram, dim);
        ASSERT_TRUE(basis.ok());
        rotate_rows(rows, *basis, pool);
        const Matrix rotated = gram_matrix(rows.view(), pool);
        for (std::size_t i = 0; i < rotated.dim(); ++i) {
            for (std::size_t j = 0; j < rotated.dim(); ++j) {
                ASSERT_NEAR(rotated.row(i)[j], i == j ? basis->values[i] : 0, 2e-3)
                    << i << ", " << j;
            }
        }
        for (std::size_t r = 1; r < rows.num_rows(); ++r) {
            double product = 0;
            double product_before = 0;
            for (std::size_t i = 0; i < dim; ++i) {
                product += static_cast<double>(rows.row(0)[i]) * rows.row(r)[i];
                product_before += static_cast<double>(before.row(0)[i]) * before.row(r)[i];
            }
            ASSERT_NEAR(product, product_before, 1e-3);
            for (std::size_t i = dim; i < rows.stride(); ++i) {
                ASSERT_EQ(rows.data()[r * rows.stride() + i], 0);
            }
        }
    }
}

TEST(Eigenbasis, of_zeros_is_orthogonal_with_zero_values) {
    const Result<Eigenbasis> basis = symmetric_eigenbasis(Matrix(16, 16), 3);
    ASSERT_TRUE(basis.ok());
    for (const float value : basis->values) {
        EXPECT_EQ(value, 0);
    }
    for (std::size_t i = 0; i < 16; ++i) {
        double length = 0;
        for (const float value : basis->rotation.row(i)) {
            length += static_cast<double>(value) * value;
        }
        EXPECT_NEAR(length, 1, 1e-6);
    }
}

TEST(Eigenbasis, of_a_matrix_that_is_not_finite_is_an_error) {
    for (const float odd :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Matrix gram(16, 16);
        gram.row(2)[2] = odd;
        EXPECT_EQ(symmetric_eigenbasis(gram, 4).status().code(), StatusCode::kInternal);
    }
}

}  // namespace
}  // namespace segue
