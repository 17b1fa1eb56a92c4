#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <thread>

#include "recommend/recommend.h"
#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::checkerboard;
using testing::group_key;
using testing::item_key;
using testing::random_parts;
using testing::rows_of;
using Rows = std::vector<std::uint32_t>;

std::vector<ScoredRow> list_of(const Neighbours& lists, std::size_t place) {
    std::vector<ScoredRow> list;
    for (std::uint64_t entry = lists.offsets[place]; entry < lists.offsets[place + 1]; ++entry) {
        list.push_back({lists.item_rows[entry], lists.scores[entry]});
    }
    return list;
}

void expect_same(const std::vector<ScoredRow>& left, const std::vector<ScoredRow>& right) {
    ASSERT_EQ(rows_of(left), rows_of(right));
    for (std::size_t place = 0; place < left.size(); ++place) {
        EXPECT_EQ(left[place].score, right[place].score) << place;
    }
}

class EveryKind : public ::testing::TestWithParam<AnswerBy> {};

INSTANTIATE_TEST_SUITE_P(AnswerBy, EveryKind,
                         ::testing::Values(AnswerBy::kLists, AnswerBy::kFoldIn, AnswerBy::kVectors),
                         [](const auto& test) {
                             return test.param == AnswerBy::kLists    ? "lists"
                                    : test.param == AnswerBy::kFoldIn ? "fold_in"
                                                                      : "vectors";
                         });

TEST_P(EveryKind, of_model_answers_a_colour_with_the_rest_of_the_colour) {
    const Model model = Model::from_parts(checkerboard(GetParam()));
    const Recommender recommender(model);
    for (std::uint32_t item = 0; item < 8; ++item) {
        Query query;
        query.items = {{item_key(item), 1}};
        query.k = 3;
        const auto answer = recommender.answer(query);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        ASSERT_EQ(answer->results.size(), 3u);
        for (const ScoredRow& result : answer->results) {
            EXPECT_EQ(result.item_row % 2, item % 2);
            EXPECT_NE(result.item_row, item);
            EXPECT_GT(result.score, 0);
        }
    }
}

TEST_P(EveryKind, of_model_continues_a_group_with_the_item_it_lacks) {
    const Model model = Model::from_parts(checkerboard(GetParam()));
    const Recommender recommender(model);
    ThreadPool pool(2);
    const auto lists = recommender.recommend_histories(model.interactions(), {.k = 1}, pool);
    ASSERT_TRUE(lists.ok()) << lists.status().message();
    for (std::uint32_t group = 0; group < 8; ++group) {
        Query query;
        query.group_key = group_key(group);
        query.k = 1;
        const auto answer = recommender.answer(query);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        // Group g lacks the item of its colour numbered g / 2, which is item g.
        EXPECT_EQ(rows_of(answer->results), Rows{group});
        EXPECT_EQ(rows_of(list_of(*lists, group)), Rows{group});
    }
}

TEST_P(EveryKind, of_model_mixes_what_is_asked) {
    const Model model = Model::from_parts(checkerboard(GetParam()));
    Query query;
    query.items = {{item_key(0), 1}};
    query.history = {item_key(2)};
    query.group_key = "g3";  // odd; heavier than the two even ones
    query.k = 3;
    query.exclude = {item_key(3)};
    query.items[0].weight = 100;
    const auto answer = Recommender(model).answer(query);
    ASSERT_TRUE(answer.ok()) << answer.status().message();
    ASSERT_GE(answer->results.size(), 2u);
    EXPECT_EQ(std::set<std::uint32_t>({answer->results[0].item_row, answer->results[1].item_row}),
              (std::set<std::uint32_t>{4, 6}));
}

TEST_P(EveryKind, of_model_never_offers_what_is_excluded_and_fills_k_where_it_can) {
    const Model model = Model::from_parts(random_parts(GetParam(), 30, 200, 4, 17));
    const Recommender recommender(model);
    Query everything;
    everything.items = {{item_key(0), 1}};
    everything.k = 30;
    const Rows most = rows_of(recommender.answer(everything)->results);
    ASSERT_GT(most.size(), 20u);
    Random random(9);
    for (int round = 0; round < 100; ++round) {
        Query query = everything;
        std::set<std::uint32_t> excluded = {0};
        for (std::uint64_t count = random.below(30); count > 0; --count) {
            excluded.insert(static_cast<std::uint32_t>(random.below(30)));
        }
        for (const std::uint32_t row : excluded) {
            query.exclude.push_back(item_key(row));
        }
        query.k = random.below(32);
        const auto answer = recommender.answer(query);
        ASSERT_TRUE(answer.ok());
        const auto left = static_cast<std::size_t>(std::count_if(
            most.begin(), most.end(), [&](std::uint32_t row) { return !excluded.contains(row); }));
        EXPECT_EQ(answer->results.size(), std::min(query.k, left));
        for (const ScoredRow& row : answer->results) {
            EXPECT_FALSE(excluded.contains(row.item_row));
        }
    }
}

TEST_P(EveryKind, of_model_gives_one_history_the_scores_it_gives_a_batch_of_them) {
    const Model model = Model::from_parts(random_parts(GetParam(), 50, 120, 6, 23));
    const Recommender recommender(model);
    ThreadPool pool(2);
    const auto lists = recommender.recommend_histories(model.interactions(), {.k = 9}, pool);
    ASSERT_TRUE(lists.ok());
    ASSERT_EQ(lists->offsets.size(), 121u);
    for (std::size_t group = 0; group < 120; ++group) {
        Query query;
        query.group_key = group_key(group);
        query.k = 9;
        expect_same(recommender.answer(query)->results, list_of(*lists, group));
        query.group_key.reset();
        for (const std::uint32_t row : model.interactions().row_columns(group)) {
            query.history.push_back(item_key(row));
        }
        expect_same(recommender.answer(query)->results, list_of(*lists, group));
    }
}

TEST_P(EveryKind, of_model_gives_one_item_the_scores_it_gives_a_batch_of_them) {
    const Model model = Model::from_parts(random_parts(GetParam(), 50, 120, 6, 23));
    const Recommender recommender(model);
    ThreadPool pool(2);
    const Rows rows = {7, 0, 49, 7, 3};
    for (const std::optional<double> exponent : {std::optional<double>(), {0.7}}) {
        const auto lists =
            recommender.similar_items(rows, {.k = 11, .popularity_exponent = exponent}, pool);
        ASSERT_TRUE(lists.ok());
        for (std::size_t place = 0; place < rows.size(); ++place) {
            Query query;
            query.items = {{item_key(rows[place]), 1}};
            query.k = 11;
            query.popularity_exponent = exponent;
            expect_same(recommender.answer(query)->results, list_of(*lists, place));
        }
    }
}

TEST_P(EveryKind, of_model_gives_the_same_bytes_on_1_2_and_5_threads) {
    std::vector<Neighbours> recommended;
    std::vector<Neighbours> similar;
    for (const unsigned num_threads : {1u, 2u, 5u}) {
        const Model model = Model::from_parts(random_parts(GetParam(), 80, 500, 8, 31));
        const Recommender recommender(model);
        ThreadPool pool(num_threads);
        Rows rows(80);
        std::iota(rows.begin(), rows.end(), 0u);
        similar.push_back(recommender.similar_items(rows, {.k = 20}, pool).value());
        recommended.push_back(
            recommender.recommend_histories(model.interactions(), {.k = 20}, pool).value());
    }
    for (const auto* batches : {&recommended, &similar}) {
        for (const Neighbours& batch : *batches) {
            EXPECT_EQ(batch.offsets, batches->front().offsets);
            EXPECT_EQ(batch.item_rows, batches->front().item_rows);
            EXPECT_EQ(batch.scores, batches->front().scores);
        }
    }
}

TEST_P(EveryKind, of_model_answers_many_threads_at_once) {
    const Model model = Model::from_parts(random_parts(GetParam(), 50, 120, 6, 23));
    const Recommender recommender(model);
    std::vector<Rows> answers(4);
    std::vector<std::thread> threads;
    for (Rows& rows : answers) {
        threads.emplace_back([&] {
            for (std::size_t group = 0; group < 120; ++group) {
                Query query;
                query.group_key = group_key(group);
                const Rows found = rows_of(recommender.answer(query)->results);
                rows.insert(rows.end(), found.begin(), found.end());
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const Rows& rows : answers) {
        EXPECT_EQ(rows, answers[0]);
    }
}

TEST_P(EveryKind, of_model_says_what_it_does_not_know_and_answers_the_rest) {
    const Model model = Model::from_parts(checkerboard(GetParam()));
    const Recommender recommender(model);
    Query query;
    query.items = {{"nobody", 1}, {item_key(1), 1}, {"nobody", 1}};
    query.k = 0;
    auto answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_TRUE(answer->results.empty());
    EXPECT_EQ(answer->unknown, std::vector<std::string>{"nobody"});
    query.k = 2;
    answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->results.size(), 2u);
    query.items = {{"nobody", 1}};
    EXPECT_EQ(recommender.answer(query).status().code(), StatusCode::kNotFound);
}

TEST_P(EveryKind, of_model_keeps_scores_above_the_least_asked_for) {
    const Model model = Model::from_parts(random_parts(GetParam(), 50, 120, 6, 23));
    const Recommender recommender(model);
    Query query;
    query.items = {{item_key(1), 1}, {item_key(5), 1}};
    auto answer = recommender.answer(query);
    ASSERT_TRUE(answer.ok());
    query.min_score = answer->results[4].score;
    const auto cut = recommender.answer(query);
    ASSERT_TRUE(cut.ok());
    answer->results.resize(5);
    expect_same(cut->results, answer->results);
}

TEST_P(EveryKind, of_model_gives_an_empty_history_an_empty_list) {
    const Model model = Model::from_parts(checkerboard(GetParam()));
    const Recommender recommender(model);
    ThreadPool pool(1);
    const SparseMatrix histories = {3, 8, {0, 0, 2, 2}, {2, 4}, {}};
    const auto lists = recommender.recommend_histories(histories.view(), {.k = 100}, pool);
    ASSERT_TRUE(lists.ok()) << lists.status().message();
    EXPECT_EQ(lists->offsets[1], 0u);
    EXPECT_GE(lists->offsets[2], 2u);
    EXPECT_EQ(lists->offsets[3], lists->offsets[2]);
    const SparseMatrix none = {0, 8, {0}, {}, {}};
    EXPECT_EQ(recommender.recommend_histories(none.view(), {}, pool)->offsets.size(), 1u);
    const auto no_k = recommender.recommend_histories(histories.view(), {.k = 0}, pool);
    ASSERT_TRUE(no_k.ok());
    EXPECT_TRUE(no_k->item_rows.empty());
    EXPECT_TRUE(recommender.similar_items(Rows{}, {}, pool).ok());
}

TEST_P(EveryKind, of_model_refuses_malformed_batches) {
    const Model model = Model::from_parts(checkerboard(GetParam()));
    const Recommender recommender(model);
    ThreadPool pool(1);
    const SparseMatrix narrow = {1, 7, {0, 1}, {2}, {}};
    const SparseMatrix unordered = {1, 8, {0, 2}, {4, 2}, {}};
    EXPECT_FALSE(recommender.recommend_histories(narrow.view(), {}, pool).ok());
    EXPECT_FALSE(recommender.recommend_histories(unordered.view(), {}, pool).ok());
    EXPECT_FALSE(recommender.similar_items(Rows{8}, {}, pool).ok());
    const BatchOptions steep = {.k = 3, .popularity_exponent = std::nan("")};
    EXPECT_FALSE(recommender.similar_items(Rows{1}, steep, pool).ok());
}

TEST_P(EveryKind, of_model_reports_progress_to_the_end) {
    const Model model = Model::from_parts(checkerboard(GetParam()));
    ThreadPool pool(1);
    std::uint64_t done = 0;
    const auto listener = [&](const Progress& progress) {
        EXPECT_EQ(progress.total, 8u);
        done = progress.done;
    };
    ASSERT_TRUE(
        Recommender(model).recommend_histories(model.interactions(), {}, pool, listener).ok());
    EXPECT_EQ(done, 8u);
}

TEST(Evidence, comes_from_the_stored_list_or_from_the_histories) {
    const Model counted = Model::from_parts(checkerboard(AnswerBy::kVectors));
    const auto evidence = Recommender(counted).evidence(0, 2);
    ASSERT_TRUE(evidence.has_value());
    // Each item is in 3 of the 4 groups of its colour; two of one colour are together in 2.
    EXPECT_EQ(evidence->together, 2u);
    EXPECT_EQ(evidence->frequency_query, 3u);
    EXPECT_EQ(evidence->frequency, 3u);
    EXPECT_NEAR(evidence->pmi, std::log2(2.0 * 24 / 9), 1e-12);
    const auto apart = Recommender(counted).evidence(0, 1);
    ASSERT_TRUE(apart.has_value());
    EXPECT_EQ(apart->together, 0u);
    EXPECT_EQ(apart->pmi, 0);
    EXPECT_FALSE(Recommender(counted).evidence(0, 8).has_value());

    ModelParts parts = checkerboard(AnswerBy::kLists);
    parts.groups = Vocabulary();
    parts.interactions = SparseMatrix();
    const Model listed = Model::from_parts(std::move(parts));
    EXPECT_EQ(Recommender(listed).evidence(0, 2)->together, 2u);
    EXPECT_FALSE(Recommender(listed).evidence(0, 1).has_value());
}

TEST(FindTitles, prefers_equal_titles_to_near_misses) {
    ModelParts parts = checkerboard(AnswerBy::kVectors);
    parts.attributes.columns[0] = StringTable();
    for (const char* title : {"Jolene", "jolene", "Jolene (live)", "Jolenes", "", "", "", ""}) {
        parts.attributes.columns[0].append(title);
    }
    parts.item_frequencies = {1, 2, 3, 4, 5, 6, 7, 8};
    const Model model = Model::from_parts(std::move(parts));
    const Recommender recommender(model);
    const auto equal = recommender.find_titles("JOLENE", 1);
    ASSERT_EQ(equal.size(), 2u);
    EXPECT_EQ(equal[0].item_row, 1u);
    EXPECT_EQ(equal[0].distance, 0u);
    const auto near = recommender.find_titles("Joleme", 2);
    ASSERT_EQ(near.size(), 2u);
    EXPECT_EQ(near[0].item_row, 1u);
    EXPECT_EQ(near[0].distance, 1u);
    ModelParts untitled = checkerboard(AnswerBy::kVectors);
    untitled.attributes = Attributes();
    const Model without = Model::from_parts(std::move(untitled));
    EXPECT_TRUE(Recommender(without).find_titles("x", 5).empty());
}

TEST(Recommender, without_vectors_says_so) {
    ModelParts parts = checkerboard(AnswerBy::kVectors);
    parts.item_vectors = Matrix();
    const Model model = Model::from_parts(std::move(parts));
    Query query;
    query.items = {{item_key(1), 1}};
    EXPECT_EQ(Recommender(model).answer(query).status().code(), StatusCode::kInvalidArgument);
}

TEST(Recommender, names_its_sources) {
    EXPECT_EQ(name_of(AnswerSource::kNeighbours), "neighbours");
    EXPECT_EQ(name_of(AnswerSource::kIndex), "index");
    EXPECT_EQ(name_of(AnswerSource::kExact), "exact");
}

}  // namespace
}  // namespace segue
