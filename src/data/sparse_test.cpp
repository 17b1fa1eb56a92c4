#include "data/sparse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/random.h"
#include "data/matrix.h"
#include "data/neighbours.h"

namespace segue {
namespace {

using Entries = std::map<std::pair<std::uint32_t, std::uint32_t>, float>;

Entries entries_of(const SparseView& matrix) {
    Entries entries;
    for (std::uint32_t row = 0; row < matrix.num_rows; ++row) {
        const auto columns = matrix.row_columns(row);
        const auto values = matrix.row_values(row);
        for (std::size_t place = 0; place < columns.size(); ++place) {
            entries[{row, columns[place]}] = values.empty() ? 1 : values[place];
        }
    }
    return entries;
}

std::vector<Triplet> random_triplets(std::uint64_t seed, bool weighted) {
    Random random(seed);
    std::vector<Triplet> triplets(random.below(300));
    for (Triplet& triplet : triplets) {
        triplet = {static_cast<std::uint32_t>(random.below(20)),
                   static_cast<std::uint32_t>(random.below(30)),
                   weighted ? static_cast<float>(random.below(5)) : 1.0f};
    }
    return triplets;
}

TEST(Sparse, from_triplets_equals_a_map_that_adds) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const std::vector<Triplet> triplets = random_triplets(seed, seed % 2 == 0);
        Entries expected;
        for (const Triplet& triplet : triplets) {
            expected[{triplet.row, triplet.column}] += triplet.value;
        }
        const SparseMatrix matrix = sparse_from_triplets(20, 30, triplets);
        ASSERT_TRUE(validate(matrix.view()).ok()) << validate(matrix.view()).message();
        EXPECT_EQ(entries_of(matrix.view()), expected);
        EXPECT_EQ(matrix.num_entries(), expected.size());
    }
}

TEST(Sparse, rows_between_are_those_of_the_whole) {
    for (const bool weighted : {false, true}) {
        const SparseMatrix matrix = sparse_from_triplets(20, 30, random_triplets(7, weighted));
        const SparseView whole = matrix.view();
        for (std::size_t begin = 0; begin <= 20; ++begin) {
            for (std::size_t end = begin; end <= 20; ++end) {
                const SparseView part = whole.rows_between(begin, end);
                ASSERT_EQ(part.num_rows, end - begin);
                ASSERT_EQ(part.num_columns, 30U);
                for (std::size_t row = begin; row < end; ++row) {
                    EXPECT_EQ(part.row_columns(row - begin).data(), whole.row_columns(row).data());
                    EXPECT_EQ(part.row_size(row - begin), whole.row_size(row));
                    EXPECT_EQ(part.row_values(row - begin).data(), whole.row_values(row).data());
                }
            }
        }
    }
}

TEST(Sparse, has_no_values_when_all_are_one) {
    const std::vector<Triplet> distinct = {{1, 2, 1}, {0, 0, 1}};
    EXPECT_TRUE(sparse_from_triplets(2, 3, distinct).values.empty());
    const std::vector<Triplet> repeated = {{1, 2, 1}, {0, 0, 1}, {1, 2, 1}};
    EXPECT_EQ(sparse_from_triplets(2, 3, repeated).values, (std::vector<float>{1, 2}));
}

TEST(Sparse, transpose_swaps_rows_and_columns_and_counts_agree) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const SparseMatrix matrix =
            sparse_from_triplets(20, 30, random_triplets(seed, seed % 2 == 0));
        const SparseMatrix swapped = transpose(matrix.view());
        ASSERT_TRUE(validate(swapped.view()).ok());
        Entries expected;
        for (const auto& [place, value] : entries_of(matrix.view())) {
            expected[{place.second, place.first}] = value;
        }
        EXPECT_EQ(entries_of(swapped.view()), expected);
        const std::vector<std::uint32_t> counts = column_counts(matrix.view());
        for (std::size_t column = 0; column < 30; ++column) {
            EXPECT_EQ(counts[column], swapped.view().row_size(column));
        }
    }
}

TEST(Sparse, may_be_empty) {
    const SparseMatrix matrix = sparse_from_triplets(0, 4, {});
    EXPECT_TRUE(validate(matrix.view()).ok());
    EXPECT_EQ(transpose(matrix.view()).num_rows, 4u);
    EXPECT_TRUE(validate(SparseMatrix().view()).ok());
}

TEST(Sparse, validate_refuses_damage) {
    const SparseMatrix good = {2, 3, {0, 2, 3}, {0, 2, 1}, {1, 2, 3}};
    ASSERT_TRUE(validate(good.view()).ok());
    const auto refused = [&](auto&& spoil) {
        SparseMatrix bad = good;
        spoil(bad);
        EXPECT_EQ(validate(bad.view()).code(), StatusCode::kCorrupt);
    };
    refused([](SparseMatrix& m) { m.offsets = {}; });
    refused([](SparseMatrix& m) { m.offsets = {0, 3}; });
    refused([](SparseMatrix& m) { m.offsets = {1, 2, 3}; });
    refused([](SparseMatrix& m) { m.offsets = {0, 2, 4}; });
    refused([](SparseMatrix& m) { m.offsets = {0, 2, 2}; });
    refused([](SparseMatrix& m) { m.offsets = {0, 1'000'000'000'000, 3}; });
    refused([](SparseMatrix& m) { m.columns[1] = 3; });
    refused([](SparseMatrix& m) { m.columns[1] = 0; });
    refused([](SparseMatrix& m) { m.columns[0] = 2; });
    refused([](SparseMatrix& m) { m.values.pop_back(); });
    refused([](SparseMatrix& m) { m.values[2] = std::nanf(""); });
    refused([](SparseMatrix& m) { m.values[2] = -HUGE_VALF; });
}

TEST(Matrix, pads_rows_to_whole_registers_of_zeros) {
    Matrix matrix(3, 17);
    EXPECT_EQ(matrix.stride(), 32u);
    matrix.row(1)[16] = 5;
    EXPECT_EQ(matrix.view().row(1)[16], 5);
    EXPECT_EQ(matrix.data()[32 + 16], 5);
    EXPECT_EQ(matrix.data()[32 + 17], 0);
    EXPECT_EQ(padded_dim(16), 16u);
    EXPECT_EQ(padded_dim(0), 0u);
}

TEST(ScoredRow, orders_by_score_then_row) {
    EXPECT_TRUE(comes_before({5, 2}, {1, 1}));
    EXPECT_TRUE(comes_before({1, 1}, {2, 1}));
    EXPECT_FALSE(comes_before({1, 1}, {1, 1}));
}

}  // namespace
}  // namespace segue
