#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cooc/pair_scores.h"
#include "recommend/recommend.h"
#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::counted_lists;
using testing::item_key;
using testing::random_parts;
using testing::rows_of;

bool has(const SparseView& matrix, std::size_t row, std::uint32_t column) {
    const auto columns = matrix.row_columns(row);
    return std::find(columns.begin(), columns.end(), column) != columns.end();
}

/// Scores of all items by counting every pair over all groups; items never together have none.
std::map<std::uint32_t, double> slow_scores(const Model& model,
                                            const std::map<std::uint32_t, double>& items,
                                            double popularity_exponent) {
    const ModelInfo& info = model.info();
    const PairScoreSettings& settings = info.pair_score;
    const PairScoreParams params = {
        .score = pair_score_by_name(settings.name).value(),
        .group_exponent = settings.group_exponent,
        .own_exponent = settings.own_exponent,
        .other_exponent = info.item_popularity_exponent.value_or(settings.other_exponent),
        .shrinkage = settings.shrinkage,
        .sharpness = settings.sharpness};
    const double sharpness = params.score == PairScore::kConditional ? params.sharpness : 1;
    const SparseView groups = model.interactions();
    std::map<std::uint32_t, double> scores;
    for (std::uint32_t offered = 0; offered < model.num_items(); ++offered) {
        for (const auto& [item, weight] : items) {
            PairCounts counts;
            for (std::size_t group = 0; group < groups.num_rows; ++group) {
                if (offered != item && has(groups, group, item) && has(groups, group, offered)) {
                    counts.together += 1;
                    counts.weighted_together += std::pow(
                        static_cast<double>(groups.row_size(group)), -params.group_exponent);
                }
            }
            if (counts.together > 0) {
                counts.frequency_own = model.item_frequencies()[item];
                counts.frequency_other = model.item_frequencies()[offered];
                scores[offered] +=
                    weight *
                    score_pair(params, counts,
                               {static_cast<double>(info.total_frequency),
                                static_cast<double>(info.num_groups)}) *
                    std::pow(counts.frequency_other,
                             sharpness * (info.exponent_of_one_item() - popularity_exponent));
            }
        }
    }
    return scores;
}

/// The best k of `scores` but those excluded are what was answered, up to the order of near ties.
void expect_best(const std::vector<ScoredRow>& results, std::map<std::uint32_t, double> scores,
                 const std::vector<std::uint32_t>& excluded, std::size_t k) {
    for (const std::uint32_t row : excluded) {
        scores.erase(row);
    }
    std::vector<double> best;
    for (const auto& [row, score] : scores) {
        best.push_back(score);
    }
    std::sort(best.rbegin(), best.rend());
    best.resize(std::min(k, best.size()));
    ASSERT_EQ(results.size(), best.size());
    EXPECT_TRUE(std::is_sorted(results.begin(), results.end(), comes_before));
    for (std::size_t place = 0; place < best.size(); ++place) {
        const double tolerance = 1e-5 * (1 + std::abs(best[place]));
        EXPECT_NEAR(static_cast<double>(results[place].score), best[place], tolerance) << place;
        ASSERT_TRUE(scores.contains(results[place].item_row)) << place;
        EXPECT_NEAR(scores[results[place].item_row], best[place], tolerance) << place;
    }
}

/// "sharp" is the conditional score with a sharpness that makes it no product.
ModelParts parts_with_score(const std::string& name, double default_exponent) {
    ModelParts parts = random_parts(AnswerBy::kLists, 40, 60, 0, 3);
    parts.info.pair_score.name = name == "sharp" ? "conditional" : name;
    parts.info.pair_score.sharpness = name == "sharp" ? 2.5 : 1;
    parts.info.popularity_exponent = default_exponent;
    return parts;
}

class ListAnswers : public ::testing::TestWithParam<const char*> {};

TEST_P(ListAnswers, hold_popular_items_down_otherwise_for_one_item_than_for_several) {
    constexpr double kOfGroups = 0.4;
    constexpr double kOfOneItem = -0.25;
    for (const bool has_table : {false, true}) {
        ModelParts parts = parts_with_score(GetParam(), kOfGroups);
        parts.info.item_popularity_exponent = kOfOneItem;
        if (has_table) {
            ModelParts listed = parts_with_score(GetParam(), kOfGroups);
            listed.info.pair_score.other_exponent = kOfOneItem;
            parts.neighbours = counted_lists(listed, parts.items.size());
        }
        const Model model = Model::from_parts(std::move(parts));
        const Recommender recommender(model);
        Query query;
        query.k = 7;
        query.items = {{item_key(2), 1}};
        auto answer = recommender.answer(query);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        expect_best(answer->results, slow_scores(model, {{2, 1}}, kOfOneItem), {2}, query.k);
        query.popularity_exponent = kOfGroups;
        answer = recommender.answer(query);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        expect_best(answer->results, slow_scores(model, {{2, 1}}, kOfGroups), {2}, query.k);
        query.popularity_exponent = std::nullopt;
        query.items.push_back({item_key(9), 2});
        answer = recommender.answer(query);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        expect_best(answer->results, slow_scores(model, {{2, 1}, {9, 2}}, kOfGroups), {2, 9},
                    query.k);
        ThreadPool pool(1);
        const std::vector<std::uint32_t> rows = {2};
        const auto similar = recommender.similar_items(rows, {.k = 7}, pool);
        ASSERT_TRUE(similar.ok()) << similar.status().message();
        std::vector<ScoredRow> list;
        for (std::size_t place = 0; place < similar->item_rows.size(); ++place) {
            list.push_back({similar->item_rows[place], similar->scores[place]});
        }
        expect_best(list, slow_scores(model, {{2, 1}}, kOfOneItem), {2}, 7);
    }
}

TEST_P(ListAnswers, agree_with_counting_every_pair) {
    const double default_exponent = std::string(GetParam()) == "conditional" ? 0.4 : 0.1;
    const Model model = Model::from_parts(parts_with_score(GetParam(), default_exponent));
    const Recommender recommender(model);
    for (const double exponent : {default_exponent, 0.9}) {
        for (const std::size_t k : {1, 7, 40}) {
            Query query;
            query.popularity_exponent = exponent;
            query.k = k;
            query.items = {{item_key(2), 1}};
            auto answer = recommender.answer(query);
            ASSERT_TRUE(answer.ok()) << answer.status().message();
            expect_best(answer->results, slow_scores(model, {{2, 1}}, exponent), {2}, k);

            query.items = {{item_key(2), 1}, {item_key(9), 2.5F}, {item_key(1), -0.5F}};
            query.exclude = {item_key(0), item_key(5)};
            answer = recommender.answer(query);
            ASSERT_TRUE(answer.ok());
            expect_best(answer->results,
                        slow_scores(model, {{2, 1}, {9, 2.5}, {1, -0.5}}, exponent),
                        {0, 1, 2, 5, 9}, k);
        }
    }
}

TEST_P(ListAnswers, of_a_history_and_of_a_group_agree_with_counting_every_pair) {
    const Model model = Model::from_parts(parts_with_score(GetParam(), 0));
    const Recommender recommender(model);
    Query query;
    query.k = 10;
    query.history = {item_key(3), item_key(8), item_key(3)};
    const auto answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    expect_best(answer->results, slow_scores(model, {{3, 1}, {8, 1}}, 0), {3, 8}, 10);

    Query by_group;
    by_group.group_key = "g4";
    std::map<std::uint32_t, double> own;
    std::vector<std::uint32_t> own_rows;
    for (const std::uint32_t row : model.interactions().row_columns(4)) {
        own[row] = 1;
        own_rows.push_back(row);
    }
    const auto of_group = recommender.answer(by_group);
    ASSERT_TRUE(of_group.ok());
    expect_best(of_group->results, slow_scores(model, own, 0), own_rows, 10);
}

INSTANTIATE_TEST_SUITE_P(Scores, ListAnswers,
                         ::testing::Values("conditional", "sharp", "count", "cosine", "jaccard",
                                           "llr", "npmi", "pmi", "cooc-pmi"),
                         [](const auto& test) {
                             std::string name = test.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(StoredLists, answer_one_item_with_the_very_bytes_that_counting_gives) {
    ModelParts parts = random_parts(AnswerBy::kLists, 60, 90, 0, 5);
    const Neighbours lists = counted_lists(parts, 100);
    const Model counting = Model::from_parts(random_parts(AnswerBy::kLists, 60, 90, 0, 5));
    parts.neighbours = lists;
    const Model stored = Model::from_parts(std::move(parts));
    const Recommender by_table(stored);
    const Recommender by_count(counting);
    for (std::size_t item = 0; item < 60; ++item) {
        Query query;
        query.items = {{item_key(item), 1}};
        query.k = 3;
        const auto left = by_table.answer(query);
        const auto right = by_count.answer(query);
        ASSERT_TRUE(left.ok() && right.ok());
        EXPECT_EQ(right->source, AnswerSource::kExact);
        ASSERT_EQ(rows_of(left->results), rows_of(right->results)) << item;
        for (std::size_t place = 0; place < left->results.size(); ++place) {
            EXPECT_EQ(left->results[place].score, right->results[place].score);
        }
        if (left->results.size() == 3) {
            EXPECT_EQ(left->source, AnswerSource::kNeighbours);
        }
    }
}

TEST(StoredLists, that_are_too_short_give_way_to_counting) {
    ModelParts parts = random_parts(AnswerBy::kLists, 40, 80, 0, 5);
    parts.neighbours = counted_lists(parts, 4);
    const Model model = Model::from_parts(std::move(parts));
    Query query;
    query.items = {{item_key(0), 1}};
    query.k = 12;
    query.exclude = {item_key(3)};
    const auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->source, AnswerSource::kExact);
    expect_best(answer->results, slow_scores(model, {{0, 1}}, 0.4), {0, 3}, 12);
}

TEST(StoredLists, are_added_up_for_scores_that_are_no_products_where_they_hold_k_items) {
    ModelParts parts = parts_with_score("sharp", 0.4);
    const Model counting = Model::from_parts(parts_with_score("sharp", 0.4));
    parts.neighbours = counted_lists(parts, 4);
    const NeighboursView lists = parts.neighbours.view();
    std::map<std::uint32_t, double> sums;
    for (const std::uint32_t item : {0u, 4u}) {
        for (std::uint64_t entry = lists.offsets[item]; entry < lists.offsets[item + 1]; ++entry) {
            sums[lists.item_rows[entry]] += static_cast<double>(lists.scores[entry]);
        }
    }
    const Model model = Model::from_parts(std::move(parts));
    Query query;
    query.history = {item_key(0), item_key(4)};
    query.k = 3;
    auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->source, AnswerSource::kNeighbours);
    expect_best(answer->results, sums, {0, 4}, 3);
    query.k = 12;
    answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->source, AnswerSource::kExact);
    expect_best(answer->results, slow_scores(counting, {{0, 1}, {4, 1}}, 0.4), {0, 4}, 12);
    query.k = 3;
    query.popularity_exponent = 0.6;
    answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    expect_best(answer->results, slow_scores(counting, {{0, 1}, {4, 1}}, 0.6), {0, 4}, 3);
}

TEST(ListAnswers, take_the_best_score_of_several_items_where_the_model_says_so) {
    ModelParts parts = random_parts(AnswerBy::kLists, 40, 80, 0, 5);
    parts.info.pair_score.takes_best = true;
    const Model model = Model::from_parts(std::move(parts));
    std::map<std::uint32_t, double> best;
    for (const std::uint32_t item : {0u, 4u, 9u}) {
        for (const auto& [offered, score] : slow_scores(model, {{item, 1}}, 0.4)) {
            best[offered] = std::max(best[offered], score);
        }
    }
    Query query;
    query.history = {item_key(0), item_key(4), item_key(9)};
    query.k = 12;
    const auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    expect_best(answer->results, best, {0, 4, 9}, 12);
}

TEST(StoredLists, of_weights_are_added_up_as_they_are) {
    ModelParts parts = random_parts(AnswerBy::kLists, 6, 20, 0, 5);
    parts.info.pair_score.name = std::string(kStoredWeights);
    parts.info.pair_score.from_histories = false;
    parts.info.popularity_exponent = 0;
    parts.neighbours = {};
    parts.neighbours.offsets = {0, 2, 5, 5, 5, 5, 5};
    parts.neighbours.item_rows = {2, 3, 3, 4, 2};
    parts.neighbours.scores = {0.5F, 0.25F, 1, 0.25F, -0.75F};
    const Model model = Model::from_parts(std::move(parts));
    Query query;
    query.history = {item_key(0), item_key(1)};
    query.k = 3;
    const auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->source, AnswerSource::kNeighbours);
    expect_best(answer->results, {{2, -0.25}, {3, 1.25}, {4, 0.25}}, {0, 1}, 3);
}

TEST(StoredLists, of_windows_are_never_mixed_with_counts_of_whole_groups) {
    ModelParts parts = random_parts(AnswerBy::kLists, 40, 80, 0, 5);
    parts.neighbours = counted_lists(parts, 4);
    parts.info.pair_score.from_histories = false;
    const Model model = Model::from_parts(std::move(parts));
    Query query;
    query.items = {{item_key(0), 1}};
    query.k = 12;
    const auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->source, AnswerSource::kNeighbours);
    EXPECT_EQ(answer->results.size(), 4u);
}

TEST(StoredLists, of_multiplied_counts_are_counted_so_again) {
    const auto parts_with_counts = [] {
        ModelParts parts = random_parts(AnswerBy::kLists, 40, 80, 0, 5);
        for (std::size_t entry = 0; entry < parts.interactions.num_entries(); ++entry) {
            parts.interactions.values.push_back(1 + static_cast<float>(entry % 3));
        }
        parts.item_frequencies = item_frequencies(parts.interactions.view(), true).value();
        parts.info.total_frequency = 0;
        for (const std::uint32_t frequency : parts.item_frequencies) {
            parts.info.total_frequency += frequency;
        }
        parts.info.pair_score.values_are_counts = true;
        return parts;
    };
    ModelParts parts = parts_with_counts();
    parts.neighbours = counted_lists(parts, 100);
    const Model stored = Model::from_parts(std::move(parts));
    const Model counting = Model::from_parts(parts_with_counts());
    Query query;
    for (const char* key : {"i0", "i4"}) {
        query.items.push_back({key, 1});  // one item, then two
        query.k = 5;
        const auto left = Recommender(stored).answer(query);
        const auto right = Recommender(counting).answer(query);
        ASSERT_TRUE(left.ok() && right.ok());
        EXPECT_EQ(left->source, AnswerSource::kNeighbours);
        EXPECT_EQ(right->source, AnswerSource::kExact);
        ASSERT_EQ(rows_of(left->results), rows_of(right->results));
        EXPECT_FLOAT_EQ(left->results[4].score, right->results[4].score);
    }
}

TEST(StoredLists, are_added_up_where_no_histories_are) {
    ModelParts parts = random_parts(AnswerBy::kLists, 40, 80, 0, 5);
    parts.neighbours = counted_lists(parts, 100);
    const Model whole = Model::from_parts(random_parts(AnswerBy::kLists, 40, 80, 0, 5));
    parts.groups = Vocabulary();
    parts.interactions = SparseMatrix();
    const Model model = Model::from_parts(std::move(parts));
    Query query;
    query.items = {{item_key(0), 1}, {item_key(4), 2}};
    for (const double exponent : {0.4, 0.8}) {
        query.popularity_exponent = exponent;
        const auto answer = Recommender(model).answer(query);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        EXPECT_EQ(answer->source, AnswerSource::kNeighbours);
        expect_best(answer->results, slow_scores(whole, {{0, 1}, {4, 2}}, exponent), {0, 4}, 10);
    }
}

TEST(ListAnswersOwnItems, are_offered_on_demand_but_not_for_themselves) {
    const Model model = Model::from_parts(parts_with_score("conditional", 0.4));
    Query query;
    query.items = {{item_key(2), 1}, {item_key(3), 1}};
    query.k = 40;
    query.offer_query_items = true;
    const auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok());
    expect_best(answer->results, slow_scores(model, {{2, 1}, {3, 1}}, 0.4), {}, 40);
}

TEST(ListAnswers, need_lists_or_histories_and_a_known_score) {
    ModelParts empty = random_parts(AnswerBy::kLists, 10, 10, 0, 1);
    empty.groups = Vocabulary();
    empty.interactions = SparseMatrix();
    ModelParts unknown = random_parts(AnswerBy::kLists, 10, 10, 0, 1);
    unknown.info.pair_score.name = "magic";
    Query query;
    query.items = {{item_key(0), 1}};
    const Model without_tables = Model::from_parts(std::move(empty));
    const Model without_score = Model::from_parts(std::move(unknown));
    for (const Model* model : {&without_tables, &without_score}) {
        EXPECT_EQ(Recommender(*model).answer(query).status().code(), StatusCode::kInvalidArgument);
    }
}

}  // namespace
}  // namespace segue
