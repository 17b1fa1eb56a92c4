#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "index/exact_index.h"
#include "recommend/recommend.h"
#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::checkerboard;
using testing::group_key;
using testing::item_key;
using testing::random_parts;
using testing::rows_of;
using Vector = std::vector<double>;

constexpr std::size_t kDim = 5;

Vector vector_of(const Model& model, std::uint32_t item_row) {
    const auto row = model.item_vectors().row(item_row);
    return Vector(row.begin(), row.end());
}

double dot(const Vector& left, const Vector& right) {
    double sum = 0;
    for (std::size_t place = 0; place < left.size(); ++place) {
        sum += left[place] * right[place];
    }
    return sum;
}

double norm(const Vector& vector) {
    return std::sqrt(dot(vector, vector));
}

Vector plus(Vector left, const Vector& right, double weight) {
    for (std::size_t place = 0; place < left.size(); ++place) {
        left[place] += weight * right[place];
    }
    return left;
}

Vector plus_unit(const Vector& left, const Vector& right, double weight) {
    return plus(left, right, weight / norm(right));
}

/// Solves by elimination with pivots.
Vector solve_dense(std::vector<Vector> matrix, Vector right_side) {
    const std::size_t size = right_side.size();
    for (std::size_t column = 0; column < size; ++column) {
        std::size_t pivot = column;
        for (std::size_t row = column; row < size; ++row) {
            pivot = std::abs(matrix[row][column]) > std::abs(matrix[pivot][column]) ? row : pivot;
        }
        std::swap(matrix[column], matrix[pivot]);
        std::swap(right_side[column], right_side[pivot]);
        for (std::size_t row = 0; row < size; ++row) {
            if (row != column) {
                const double factor = matrix[row][column] / matrix[column][column];
                for (std::size_t place = column; place < size; ++place) {
                    matrix[row][place] -= factor * matrix[column][place];
                }
                right_side[row] -= factor * right_side[column];
            }
        }
    }
    for (std::size_t row = 0; row < size; ++row) {
        right_side[row] /= matrix[row][row];
    }
    return right_side;
}

/// The row problem of the model's objective, written out.
Vector slow_fold_in(const Model& model, const std::vector<std::uint32_t>& rows,
                    const std::vector<double>& values) {
    const FoldInSettings& settings = model.info().fold_in;
    std::vector<Vector> matrix(kDim, Vector(kDim, 0));
    Vector right_side(kDim, 0);
    const auto add = [&](const Vector& item, double weight) {
        for (std::size_t i = 0; i < kDim; ++i) {
            matrix[i] = plus(matrix[i], item, weight * item[i]);
        }
    };
    for (std::uint32_t item = 0; item < model.num_items(); ++item) {
        add(vector_of(model, item), settings.hu ? 1 : settings.unobserved_weight);
    }
    for (std::size_t entry = 0; entry < rows.size(); ++entry) {
        const Vector item = vector_of(model, rows[entry]);
        const double value = values[entry];
        add(item, settings.hu ? settings.alpha * std::abs(value) : value);
        const double confidence = value > 0 ? 1 + settings.alpha * value : 0;
        right_side = plus(right_side, item, settings.hu ? confidence : value);
    }
    const double size = static_cast<double>(rows.size()) +
                        settings.unobserved_weight * static_cast<double>(model.num_items());
    for (std::size_t i = 0; i < kDim; ++i) {
        matrix[i][i] += settings.l2_reg * (settings.hu ? 1 : std::pow(size, settings.l2_exponent));
    }
    return solve_dense(matrix, right_side);
}

void expect_search(const Model& model, const std::vector<ScoredRow>& results, const Vector& query,
                   double exponent, const std::vector<std::uint32_t>& excluded, std::size_t k) {
    std::vector<ScoredRow> best;
    for (std::uint32_t row = 0; row < model.num_items(); ++row) {
        if (std::find(excluded.begin(), excluded.end(), row) == excluded.end()) {
            const Vector item = vector_of(model, row);
            const double score = dot(query, item) / std::pow(norm(item), exponent);
            best.push_back({row, static_cast<float>(score)});
        }
    }
    std::sort(best.begin(), best.end(), comes_before);
    best.resize(std::min(k, best.size()));
    ASSERT_EQ(rows_of(results), rows_of(best));
    for (std::size_t place = 0; place < best.size(); ++place) {
        EXPECT_NEAR(results[place].score, best[place].score, 1e-4) << place;
    }
}

ModelParts vector_parts(AnswerBy answer_by) {
    return random_parts(answer_by, 70, 40, kDim, 11);
}

TEST(VectorAnswers, of_one_item_are_its_similarities) {
    for (const AnswerBy answer_by : {AnswerBy::kVectors, AnswerBy::kFoldIn}) {
        const Model model = Model::from_parts(vector_parts(answer_by));
        const Recommender recommender(model);
        for (const double exponent : {0.0, 0.5, 1.0}) {
            Query query;
            query.items = {{item_key(6), 1}};
            query.popularity_exponent = exponent;
            query.exclude = {item_key(8)};
            const auto answer = recommender.answer(query);
            ASSERT_TRUE(answer.ok()) << answer.status().message();
            const Vector unit = plus_unit(Vector(kDim, 0), vector_of(model, 6), 1);
            expect_search(model, answer->results, unit, exponent, {6, 8}, 10);
        }
    }
}

TEST(VectorAnswers, of_several_items_are_sums_of_similarities_or_searches_with_the_mean) {
    const Model model = Model::from_parts(vector_parts(AnswerBy::kVectors));
    const Recommender recommender(model);
    Query query;
    query.items = {{item_key(6), 1}, {item_key(7), 2}, {item_key(60), -0.5F}};
    auto answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    Vector sum = plus_unit(Vector(kDim, 0), vector_of(model, 6), 1);
    sum = plus_unit(sum, vector_of(model, 7), 2);
    sum = plus_unit(sum, vector_of(model, 60), -0.5);
    expect_search(model, answer->results, sum, 1, {6, 7, 60}, 10);

    query.combine = Combine::kMeanOfVectors;
    answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    Vector mean = plus(vector_of(model, 6), vector_of(model, 7), 2);
    mean = plus(mean, vector_of(model, 60), -0.5);
    expect_search(model, answer->results, plus_unit(Vector(kDim, 0), mean, 1), 1, {6, 7, 60}, 10);
}

TEST(VectorAnswers, add_up_the_parts_of_a_mixed_query_as_unit_vectors) {
    const Model model = Model::from_parts(vector_parts(AnswerBy::kFoldIn));
    Query query;
    query.items = {{item_key(6), 1.5F}};
    query.vector = {3, 0, -4, 0, 1};
    query.history = {item_key(2), item_key(40)};
    query.group_key = "g5";
    query.k = 20;
    const auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok()) << answer.status().message();
    Vector sum = plus_unit(Vector(kDim, 0), vector_of(model, 6), 1.5);
    sum = plus_unit(sum, {3, 0, -4, 0, 1}, 1);
    sum = plus_unit(sum, slow_fold_in(model, {2, 40}, {1, 1}), 1);
    const auto own = model.interactions().row_columns(5);
    std::vector<std::uint32_t> excluded(own.begin(), own.end());
    sum = plus_unit(sum, slow_fold_in(model, excluded, Vector(own.size(), 1)), 1);
    excluded.insert(excluded.end(), {6, 2, 40});
    expect_search(model, answer->results, sum, model.info().popularity_exponent, excluded, 20);
}

TEST(VectorAnswers, fold_a_group_in_with_its_stored_weights) {
    for (const bool hu : {false, true}) {
        ModelParts parts = vector_parts(AnswerBy::kFoldIn);
        parts.info.fold_in = {0.1, 0.02, 0.7, 3, hu};
        Random random(4);
        for (std::size_t entry = 0; entry < parts.interactions.num_entries(); ++entry) {
            parts.interactions.values.push_back(0.5F + static_cast<float>(random.uniform()));
        }
        const Model model = Model::from_parts(std::move(parts));
        const Recommender recommender(model);
        for (std::size_t group = 0; group < 10; ++group) {
            Query query;
            query.group_key = group_key(group);
            const auto answer = recommender.answer(query);
            ASSERT_TRUE(answer.ok()) << answer.status().message();
            const auto own = model.interactions().row_columns(group);
            const auto values = model.interactions().row_values(group);
            const std::vector<std::uint32_t> rows(own.begin(), own.end());
            expect_search(model, answer->results,
                          slow_fold_in(model, rows, {values.begin(), values.end()}), 0, rows, 10);
        }
    }
}

TEST(VectorAnswers, of_a_history_without_an_objective_sum_the_similarities_of_its_items) {
    const Model model = Model::from_parts(vector_parts(AnswerBy::kVectors));
    Query query;
    query.history = {item_key(2), item_key(40), item_key(2)};
    const auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    Vector sum = plus_unit(Vector(kDim, 0), vector_of(model, 2), 1);
    sum = plus_unit(sum, vector_of(model, 40), 1);
    expect_search(model, answer->results, sum, 1, {2, 40}, 10);
}

TEST(NeighbourTable, answers_with_the_very_bytes_of_a_search) {
    for (const AnswerBy answer_by : {AnswerBy::kVectors, AnswerBy::kFoldIn}) {
        ModelParts parts = vector_parts(answer_by);
        ThreadPool pool(2);
        // As `fit` stores it: its scores are of raw vectors, only its order matters here.
        parts.neighbours = build_neighbour_table(parts.item_vectors.view(), 12,
                                                 parts.info.popularity_exponent, pool)
                               .value();
        const Model stored = Model::from_parts(std::move(parts));
        const Model searched = Model::from_parts(vector_parts(answer_by));
        const Recommender by_table(stored);
        const Recommender by_search(searched);
        for (std::size_t item = 0; item < 70; ++item) {
            Query query;
            query.items = {{item_key(item), 1}};
            query.exclude = {item_key(0), item_key(1)};
            for (const std::size_t k : {10, 13}) {
                query.k = k;
                const auto left = by_table.answer(query);
                const auto right = by_search.answer(query);
                ASSERT_TRUE(left.ok() && right.ok());
                EXPECT_EQ(left->source, k == 10 ? AnswerSource::kNeighbours : AnswerSource::kExact);
                EXPECT_EQ(right->source, AnswerSource::kExact);
                ASSERT_EQ(rows_of(left->results), rows_of(right->results));
                for (std::size_t place = 0; place < k; ++place) {
                    EXPECT_EQ(left->results[place].score, right->results[place].score);
                }
            }
        }
    }
}

TEST(NeighbourTable, is_passed_by_for_another_exponent_or_a_negative_weight) {
    ModelParts parts = vector_parts(AnswerBy::kVectors);
    ThreadPool pool(1);
    parts.neighbours = build_neighbour_table(parts.item_vectors.view(), 20, 1, pool).value();
    const Model model = Model::from_parts(std::move(parts));
    const Recommender recommender(model);
    const Vector unit = plus_unit(Vector(kDim, 0), vector_of(model, 6), 1);
    Query query;
    query.items = {{item_key(6), 1}};
    query.popularity_exponent = 0.3;
    auto answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->source, AnswerSource::kExact);
    expect_search(model, answer->results, unit, 0.3, {6}, 10);
    query.popularity_exponent.reset();
    query.items[0].weight = -1;
    answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    expect_search(model, answer->results, plus(Vector(kDim, 0), unit, -1), 1, {6}, 10);
}

TEST(ZeroVectors, are_similar_to_nothing_and_score_0) {
    ModelParts parts = checkerboard(AnswerBy::kVectors);
    for (float& value : parts.item_vectors.row(4)) {
        value = 0;
    }
    const Model model = Model::from_parts(std::move(parts));
    const Recommender recommender(model);
    Query query;
    query.items = {{item_key(4), 1}};
    auto answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_TRUE(answer->results.empty());
    query.items = {{item_key(2), 1}};
    answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(rows_of(answer->results), (std::vector<std::uint32_t>{0, 6, 1, 3, 4, 5, 7}));
    EXPECT_EQ(answer->results[4].score, 0);
    ThreadPool pool(1);
    const auto lists = recommender.similar_items(std::vector<std::uint32_t>{4, 2}, {.k = 3}, pool);
    ASSERT_TRUE(lists.ok());
    EXPECT_EQ(lists->offsets, (std::vector<std::uint64_t>{0, 0, 3}));
}

}  // namespace
}  // namespace segue
