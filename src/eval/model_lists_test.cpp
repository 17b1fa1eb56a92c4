#include "eval/model_lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "model/model.h"

namespace segue {
namespace {

constexpr std::size_t kDim = 5;

Matrix random_factors(std::size_t num_rows, std::uint64_t seed) {
    Matrix factors(num_rows, kDim);
    Random random(seed);
    for (std::size_t row = 0; row < num_rows; ++row) {
        for (float& value : factors.row(row)) {
            value = static_cast<float>(random.normal());
        }
    }
    return factors;
}

float product(std::span<const float> left, std::span<const float> right) {
    float sum = 0;
    for (std::size_t at = 0; at < left.size(); ++at) {
        sum += left[at] * right[at];
    }
    return sum;
}

TEST(FactorGroupLists, rank_by_the_product_of_factors_without_the_groups_own) {
    const Matrix groups = random_factors(30, 1);
    const Matrix items = random_factors(40, 2);
    const std::vector<std::uint32_t> asked = {4, 17, 29};
    const std::vector<Triplet> entries = {{0, 3, 1}, {0, 8, 1}, {2, 39, 1}};
    const SparseMatrix histories = sparse_from_triplets(asked.size(), 40, entries);
    ThreadPool pool(2);
    const Result<Neighbours> lists =
        factor_group_lists(groups.view(), items.view())({asked, histories.view(), 7}, pool);
    ASSERT_TRUE(lists.ok()) << lists.status().message();
    ASSERT_EQ(lists->offsets, (std::vector<std::uint64_t>{0, 7, 14, 21}));
    for (std::size_t row = 0; row < asked.size(); ++row) {
        std::vector<ScoredRow> expected;
        const auto own = histories.view().row_columns(row);
        for (std::uint32_t item = 0; item < 40; ++item) {
            if (std::ranges::find(own, item) == own.end()) {
                expected.push_back({item, product(groups.row(asked[row]), items.row(item))});
            }
        }
        std::ranges::sort(expected, comes_before);
        for (std::size_t place = 0; place < 7; ++place) {
            EXPECT_EQ(lists->item_rows[row * 7 + place], expected[place].item_row);
        }
    }
}

/// Two circles of items, each with vectors in a direction of its own.
Model two_circles() {
    ModelParts parts;
    parts.info.recipe = "import";
    parts.info.answer_by = AnswerBy::kVectors;
    parts.item_vectors = Matrix(6, 2);
    for (std::size_t item = 0; item < 6; ++item) {
        parts.items.insert(std::string(1, static_cast<char>('a' + item)));
        parts.item_vectors.row(item)[item % 2] = 1.0f + 0.1f * static_cast<float>(item);
    }
    return Model::from_parts(std::move(parts));
}

TEST(RecommendedLists, are_those_of_the_recommender) {
    const Model model = two_circles();
    const Recommender recommender(model);
    const std::vector<Triplet> train_entries = {{0, 0, 1}, {1, 1, 1}};
    const std::vector<Triplet> test_entries = {{0, 2, 1}, {0, 4, 1}, {1, 3, 1}, {1, 5, 1}};
    const SparseMatrix train = sparse_from_triplets(2, 6, train_entries);
    const SparseMatrix test = sparse_from_triplets(2, 6, test_entries);
    ThreadPool pool(2);
    const JudgeOptions options = {.ks = {2}};
    const Result<Judgement> groups = judge_group_lists(recommended_group_lists(recommender),
                                                       train.view(), test.view(), options, pool);
    ASSERT_TRUE(groups.ok()) << groups.status().message();
    EXPECT_EQ(groups->metrics[0].name, "recall@2");
    EXPECT_DOUBLE_EQ(groups->metrics[0].value, 1);
    const Result<Judgement> items = judge_item_lists(recommended_item_lists(recommender),
                                                     train.view(), test.view(), options, pool);
    ASSERT_TRUE(items.ok()) << items.status().message();
    EXPECT_EQ(items->metrics[0].name, "item_recall@2");
    EXPECT_DOUBLE_EQ(items->metrics[0].value, 1);
}

}  // namespace
}  // namespace segue
