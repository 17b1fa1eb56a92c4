#include "train/als.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"
#include "train/als_oracle.h"

namespace segue {
namespace {

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
