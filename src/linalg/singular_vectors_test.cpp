#include "linalg/singular_vectors.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"

namespace segue {
namespace {

constexpr std::size_t kRows = 90;
constexpr std::size_t kColumns = 70;

/// Sparse, with a few strong directions.
SparseMatrix random_table(Eigen::MatrixXd& dense) {
    Random random(3);
    dense = Eigen::MatrixXd::Zero(kRows, kColumns);
    std::vector<Triplet> entries;
    for (std::uint32_t row = 0; row < kRows; ++row) {
        for (std::uint32_t column = 0; column < kColumns; ++column) {
            if (row % 7 == column % 7 || random.uniform() < 0.1) {
                const float value = static_cast<float>(1 + random.uniform() * (row % 7));
                entries.push_back({row, column, value});
                dense(row, column) = static_cast<double>(value);
            }
        }
    }
    return sparse_from_triplets(kRows, kColumns, entries);
}

TEST(SingularVectors, span_what_those_of_double_precision_do) {
    Eigen::MatrixXd dense;
    const SparseMatrix table = random_table(dense);
    const SparseMatrix by_column = transpose(table.view());
    ThreadPool pool(2);
    constexpr std::size_t kDim = 7;
    const Result<SingularVectors> found =
        right_singular_vectors({table.view(), by_column.view()},
                               {.dim = kDim, .oversampling = 16, .iterations = 12}, pool);
    ASSERT_TRUE(found.ok());
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(dense, Eigen::ComputeThinV);
    for (std::size_t n = 0; n < kDim; ++n) {
        const auto column = static_cast<Eigen::Index>(n);
        EXPECT_NEAR(static_cast<double>(found->values[n]), svd.singularValues()(column),
                    1e-4 * svd.singularValues()(0));
        double product = 0;
        double length = 0;
        for (std::size_t row = 0; row < kColumns; ++row) {
            const double value = static_cast<double>(found->vectors.row(row)[n]);
            product += value * svd.matrixV()(static_cast<Eigen::Index>(row), column);
            length += value * value;
        }
        EXPECT_NEAR(std::abs(product), 1, 1e-3) << n;
        EXPECT_NEAR(length, 1, 1e-4) << n;
    }
}

TEST(SingularVectors, are_the_same_bytes_for_any_number_of_threads) {
    Eigen::MatrixXd dense;
    const SparseMatrix table = random_table(dense);
    const SparseMatrix by_column = transpose(table.view());
    std::vector<Matrix> vectors;
    for (const unsigned threads : {1, 3}) {
        ThreadPool pool(threads);
        Result<SingularVectors> found =
            right_singular_vectors({table.view(), by_column.view()}, {.dim = 20}, pool);
        ASSERT_TRUE(found.ok());
        vectors.push_back(std::move(found->vectors));
    }
    EXPECT_EQ(std::memcmp(vectors[0].data(), vectors[1].data(),
                          kColumns * vectors[0].stride() * sizeof(float)),
              0);
}

TEST(SingularVectors, are_fewer_for_small_tables_and_none_for_empty_ones) {
    ThreadPool pool(1);
    const std::vector<Triplet> entries = {{0, 0, 1}, {1, 1, 2}, {1, 2, 1}};
    const SparseMatrix table = sparse_from_triplets(2, 3, entries);
    const SparseMatrix by_column = transpose(table.view());
    const Result<SingularVectors> found =
        right_singular_vectors({table.view(), by_column.view()}, {.dim = 9}, pool);
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->values.size(), 2u);
    EXPECT_NEAR(static_cast<double>(found->values[0]), std::sqrt(5), 1e-5);
    EXPECT_NEAR(static_cast<double>(found->values[1]), 1, 1e-5);
    const SparseMatrix nothing = sparse_from_triplets(2, 3, {});
    const SparseMatrix nothing_by_column = transpose(nothing.view());
    EXPECT_FALSE(right_singular_vectors({nothing.view(), nothing_by_column.view()}, {}, pool).ok());
}

}  // namespace
}  // namespace segue
