// EASE and the graph filter against dense double precision.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "train/dense_weights.h"
#include "train/ease.h"
#include "train/graph_filter.h"

namespace segue {
namespace {

constexpr std::size_t kGroups = 120;
constexpr std::size_t kItems = 75;

/// Groups like one of five genres; the last item is in no group.
SparseMatrix genre_table() {
    Random random(8);
    std::vector<Triplet> entries;
    for (std::uint32_t group = 0; group < kGroups; ++group) {
        for (std::uint32_t item = 0; item + 1 < kItems; ++item) {
            if (random.uniform() < (item % 5 == group % 5 ? 0.4 : 0.05)) {
                entries.push_back({group, item, 1});
            }
        }
    }
    return sparse_from_triplets(kGroups, kItems, entries);
}

Eigen::MatrixXd dense_of(const SparseView& table) {
    Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(table.num_rows),
                                                  static_cast<Eigen::Index>(table.num_columns));
    for (std::size_t row = 0; row < table.num_rows; ++row) {
        for (const std::uint32_t column : table.row_columns(row)) {
            dense(static_cast<Eigen::Index>(row), column) = 1;
        }
    }
    return dense;
}

/// Each list has the best scores of its row of `scores`, own items left out.
void expect_lists_of(const Neighbours& lists, const Eigen::MatrixXd& scores,
                     const SparseView& histories, std::size_t k, double tolerance) {
    ASSERT_EQ(lists.offsets.size(), histories.num_rows + 1);
    for (std::size_t row = 0; row < histories.num_rows; ++row) {
        const std::span<const std::uint32_t> own = histories.row_columns(row);
        std::vector<double> expected;
        for (Eigen::Index item = 0; item < scores.cols(); ++item) {
            if (!std::binary_search(own.begin(), own.end(), item) &&
                std::abs(scores(static_cast<Eigen::Index>(row), item)) > 1e-9) {
                expected.push_back(scores(static_cast<Eigen::Index>(row), item));
            }
        }
        std::sort(expected.rbegin(), expected.rend());
        expected.resize(own.empty() ? 0 : std::min(k, expected.size()));
        ASSERT_EQ(lists.offsets[row + 1] - lists.offsets[row], expected.size()) << row;
        for (std::size_t place = 0; place < expected.size(); ++place) {
            const std::size_t entry = lists.offsets[row] + place;
            const std::uint32_t item = lists.item_rows[entry];
            ASSERT_FALSE(std::binary_search(own.begin(), own.end(), item));
            ASSERT_NEAR(static_cast<double>(lists.scores[entry]), expected[place], tolerance);
            ASSERT_NEAR(scores(static_cast<Eigen::Index>(row), item), expected[place], tolerance);
        }
    }
}

Eigen::MatrixXd ease_oracle(const Eigen::MatrixXd& x, const EaseParams& params) {
    Eigen::VectorXd weights = x.rowwise().sum();
    for (Eigen::Index group = 0; group < weights.size(); ++group) {
        weights(group) = std::pow(std::max(1.0, weights(group)), -params.group_exponent);
    }
    weights *= x.sum() / weights.dot(x.rowwise().sum());
    Eigen::MatrixXd gram = x.transpose() * weights.asDiagonal() * x;
    const Eigen::VectorXd penalties = (gram.diagonal() * params.dropout).array() + params.ridge;
    gram.diagonal() += penalties;
    const Eigen::MatrixXd inverse = gram.inverse();
    const Eigen::VectorXd multipliers =
        (inverse.diagonal().cwiseInverse() * (1 - params.diagonal)).cwiseMax(penalties);
    Eigen::MatrixXd weights_of_items = inverse * (-multipliers).asDiagonal();
    weights_of_items.diagonal().setZero();
    return weights_of_items;
}

TEST(Ease, has_the_weights_of_the_closed_form) {
    const SparseMatrix table = genre_table();
    const Eigen::MatrixXd x = dense_of(table.view());
    ThreadPool pool(2);
    for (const EaseParams& params : {EaseParams{5, 0, 0}, EaseParams{1, 0.5, 0.6},
                                     EaseParams{5, 0.2, 0, 0.1}, EaseParams{5, 0.2, 0, 0.6}}) {
        const Result<Matrix> weights = train_ease(table.view(), params, pool);
        ASSERT_TRUE(weights.ok());
        const Eigen::MatrixXd expected = ease_oracle(x, params);
        for (std::size_t i = 0; i < kItems; ++i) {
            for (std::size_t j = 0; j < kItems; ++j) {
                ASSERT_NEAR(static_cast<double>(weights->row(i)[j]),
                            expected(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)),
                            1e-5);
            }
        }
    }
    EXPECT_FALSE(train_ease(table.view(), {.ridge = 0}, pool).ok());
    EXPECT_FALSE(train_ease(table.view(), {.dropout = -1}, pool).ok());
    EXPECT_FALSE(train_ease(table.view(), {.diagonal = 1}, pool).ok());
}

TEST(Ease, with_a_relaxed_diagonal_is_the_best_table_whose_own_weights_stay_within_it) {
    // The objective of Moon et al. 2023: by coordinate descent, each own weight clipped.
    const SparseMatrix table = genre_table();
    const Eigen::MatrixXd x = dense_of(table.view());
    const EaseParams params = {.ridge = 5, .diagonal = 0.3};
    Eigen::MatrixXd gram = x.transpose() * x;
    const Eigen::Index size = gram.rows();
    Eigen::MatrixXd weights = Eigen::MatrixXd::Zero(size, size);
    for (int sweep = 0; sweep < 400; ++sweep) {
        for (Eigen::Index i = 0; i < size; ++i) {
            const Eigen::RowVectorXd rest =
                gram.row(i) - gram.row(i) * weights + gram(i, i) * weights.row(i);
            weights.row(i) = rest / (gram(i, i) + params.ridge);
            weights(i, i) = std::min(weights(i, i), params.diagonal);
        }
    }
    weights.diagonal().setZero();
    EXPECT_LT((weights - ease_oracle(x, params)).cwiseAbs().maxCoeff(), 1e-6);
}

TEST(Ease, lists_the_best_sums_of_weights_the_same_for_any_number_of_threads) {
    const SparseMatrix table = genre_table();
    const EaseParams params = {5, 0, 0};
    const Eigen::MatrixXd x = dense_of(table.view());
    const Eigen::MatrixXd scores = x * ease_oracle(x, params);
    ThreadPool pool(1);
    ThreadPool larger_pool(3);
    const DenseWeights model(std::move(train_ease(table.view(), params, pool)).value(), kItems);
    const Neighbours lists = model.lists(table.view(), {.k = 10}, pool, {});
    expect_lists_of(lists, scores, table.view(), 10, 1e-4);
    const DenseWeights again(std::move(train_ease(table.view(), params, larger_pool)).value(),
                             kItems);
    const Neighbours same = again.lists(table.view(), {.k = 10}, larger_pool, {});
    EXPECT_EQ(same.item_rows, lists.item_rows);
    EXPECT_EQ(same.scores, lists.scores);
}

/// D_g^(-a/2) R D_i^(-b), not scaled.
Eigen::MatrixXd weighted_table(const Eigen::MatrixXd& x, const GraphFilterParams& params) {
    Eigen::MatrixXd weighted = x;
    for (Eigen::Index group = 0; group < x.rows(); ++group) {
        for (Eigen::Index item = 0; item < x.cols(); ++item) {
            weighted(group, item) *=
                std::pow(std::max(1.0, x.row(group).sum()), -params.group_exponent / 2) *
                std::pow(std::max(1.0, x.col(item).sum()), -params.item_exponent);
        }
    }
    return weighted;
}

Eigen::MatrixXd graph_filter_oracle(const Eigen::MatrixXd& x, const GraphFilterParams& params) {
    Eigen::MatrixXd weighted = weighted_table(x, params);
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(weighted, Eigen::ComputeThinV);
    weighted /= svd.singularValues()(0);
    const Eigen::MatrixXd p = weighted.transpose() * weighted;
    Eigen::VectorXd powers(x.cols());
    for (Eigen::Index item = 0; item < x.cols(); ++item) {
        powers(item) = std::pow(std::max(1.0, x.col(item).sum()), params.item_exponent);
    }
    const Eigen::MatrixXd v =
        svd.matrixV().leftCols(static_cast<Eigen::Index>(params.low_rank_dim));
    const Eigen::MatrixXd low_rank =
        powers.cwiseInverse().asDiagonal() * v * v.transpose() * powers.asDiagonal();
    Eigen::MatrixXd result = p + params.low_rank_weight * low_rank;
    // Runge and Kutta as the books have it, one step along ds/dt = -s P.
    const double t = params.sharpening;
    const Eigen::MatrixXd k1 = -result * p;
    const Eigen::MatrixXd k2 = -(result + t / 2 * k1) * p;
    const Eigen::MatrixXd k3 = -(result + t / 2 * k2) * p;
    const Eigen::MatrixXd k4 = -(result + t * k3) * p;
    return result + t / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
}

TEST(GraphFilter, lists_what_the_dense_formula_does) {
    const SparseMatrix table = genre_table();
    const Eigen::MatrixXd x = dense_of(table.view());
    ThreadPool pool(2);
    for (const GraphFilterParams& params :
         {GraphFilterParams{.low_rank_weight = 0, .low_rank_dim = 5, .sharpening = 0},
          GraphFilterParams{.group_exponent = 1, .low_rank_weight = 0, .low_rank_dim = 5},
          GraphFilterParams{.item_exponent = 0.3,
          .low_rank_weight = 0.4,
          .low_rank_dim = 5,
          .sharpening = 2.5,
          .iterations = 12}}) {
        const auto model = train_graph_filter(table.view(), params, pool);
        ASSERT_TRUE(model.ok());
        const Eigen::MatrixXd scores = x * graph_filter_oracle(x, params);
        const Neighbours lists = (*model)->lists(table.view(), {.k = 10}, pool, {});
        expect_lists_of(lists, scores, table.view(), 10, 2e-4 * scores.maxCoeff());
    }
}

TEST(GraphFilter, multiplies_scores_by_factors_of_the_items) {
    const SparseMatrix table = genre_table();
    const GraphFilterParams params = {.low_rank_dim = 5, .iterations = 12};
    ThreadPool pool(1);
    Eigen::MatrixXd scores = graph_filter_oracle(dense_of(table.view()), params);
    std::vector<float> factors;
    std::vector<std::uint32_t> rows;
    SparseMatrix histories;
    histories.num_rows = histories.num_columns = kItems;
    for (std::uint32_t item = 0; item < kItems; ++item) {
        rows.push_back(item);
        histories.columns.push_back(item);
        histories.offsets.push_back(item + 1);
        factors.push_back(1 / (1 + static_cast<float>(item)));
        scores.col(item) *= static_cast<double>(factors.back());
    }
    const auto model = train_graph_filter(table.view(), params, pool);
    ASSERT_TRUE(model.ok());
    const LinearListOptions options = {.k = 6, .factors = factors};
    const Neighbours lists = lists_of_items(**model, rows, options, pool);
    // The last item is nowhere, and the low-rank part knows nothing of it.
    expect_lists_of(lists, scores, histories.view(), 6, 2e-4 * scores.maxCoeff());
}

/// The k entries of a row farthest from 0, itself left out, as (item, weight), best first.
std::vector<ScoredRow> strongest(const Eigen::MatrixXd& weights, Eigen::Index row, std::size_t k) {
    std::vector<ScoredRow> entries;
    for (Eigen::Index item = 0; item < weights.cols(); ++item) {
        if (item != row && std::abs(weights(row, item)) > 1e-9) {
            entries.push_back(
                {static_cast<std::uint32_t>(item), static_cast<float>(weights(row, item))});
        }
    }
    std::sort(entries.begin(), entries.end(), [](const ScoredRow& left, const ScoredRow& right) {
        return std::abs(left.score) > std::abs(right.score);
    });
    entries.resize(std::min(k, entries.size()));
    std::sort(entries.begin(), entries.end(), comes_before);
    return entries;
}

TEST(LinearModel, keeps_the_weights_farthest_from_zero_with_their_signs) {
    const SparseMatrix table = genre_table();
    const Eigen::MatrixXd x = dense_of(table.view());
    ThreadPool pool(2);
    const EaseParams ease = {5, 0, 0};
    const GraphFilterParams filter = {.low_rank_dim = 5, .sharpening = 2, .iterations = 12};
    const DenseWeights dense(std::move(train_ease(table.view(), ease, pool)).value(), kItems);
    const auto walks = train_graph_filter(table.view(), filter, pool);
    ASSERT_TRUE(walks.ok());
    const std::vector<std::uint32_t> rows = {0, 7, 33};
    bool has_negative = false;
    for (const LinearModel* model : {static_cast<const LinearModel*>(&dense), walks->get()}) {
        const Eigen::MatrixXd weights =
            model == &dense ? ease_oracle(x, ease) : graph_filter_oracle(x, filter);
        const Neighbours lists =
            lists_of_items(*model, rows, {.k = 40, .by_magnitude = true}, pool);
        for (std::size_t place = 0; place < rows.size(); ++place) {
            const std::vector<ScoredRow> expected = strongest(weights, rows[place], 40);
            ASSERT_EQ(lists.offsets[place + 1] - lists.offsets[place], expected.size());
            for (std::size_t entry = 0; entry < expected.size(); ++entry) {
                const float score = lists.scores[lists.offsets[place] + entry];
                ASSERT_NEAR(score, expected[entry].score, 1e-4F);
                has_negative |= score < 0;
            }
        }
    }
    EXPECT_TRUE(has_negative);
}

TEST(GraphFilter, is_the_same_bytes_for_any_number_of_threads) {
    const SparseMatrix table = genre_table();
    std::vector<Neighbours> lists;
    for (const unsigned threads : {1, 3}) {
        ThreadPool pool(threads);
        const auto model = train_graph_filter(table.view(), {.low_rank_dim = 16}, pool);
        ASSERT_TRUE(model.ok());
        lists.push_back((*model)->lists(table.view(), {.k = 10}, pool, {}));
    }
    EXPECT_EQ(lists[0].item_rows, lists[1].item_rows);
    EXPECT_EQ(lists[0].scores, lists[1].scores);
}

TEST(GraphFilter, refuses_numbers_out_of_range_and_tables_without_entries) {
    ThreadPool pool(1);
    const SparseMatrix table = genre_table();
    EXPECT_FALSE(train_graph_filter(table.view(), {.group_exponent = -1}, pool).ok());
    EXPECT_FALSE(train_graph_filter(table.view(), {.sharpening = NAN}, pool).ok());
    EXPECT_FALSE(train_graph_filter(table.view(), {.low_rank_dim = 4096}, pool).ok());
    EXPECT_FALSE(train_graph_filter(sparse_from_triplets(3, 3, {}).view(), {}, pool).ok());
}

}  // namespace
}  // namespace segue
