// Answers by vectors of models that have an index, beside those of models that have none.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "index/exact_index.h"
#include "index_build/build_index.h"
#include "recommend/recommend.h"
#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::checkerboard;
using testing::group_key;
using testing::item_key;
using testing::random_parts;

constexpr std::size_t kDim = 5;

/// The model with an index of that many leaves.
ModelParts indexed(ModelParts parts, std::uint32_t num_leaves) {
    ThreadPool pool(2);
    const double exponent =
        parts.info.answer_by == AnswerBy::kFoldIn ? 0 : parts.info.popularity_exponent;
    parts.index = build_index(parts.item_vectors.view(),
                              {.popularity_exponent = exponent, .num_leaves = num_leaves}, pool)
                      .value();
    return parts;
}

std::vector<Query> queries_of_every_kind() {
    std::vector<Query> queries(6);
    queries[0].group_key = group_key(3);
    queries[1].history = {item_key(4), item_key(9), item_key(17)};
    queries[2].items = {{item_key(1), 1}, {item_key(2), 2}, {item_key(30), -1}};
    queries[3].vector = {1, -1, 0.5F, 0, 2};
    queries[3].exclude = {item_key(8)};
    queries[4].items = {{item_key(5), 1}};
    queries[5].items = {{item_key(6), 1}};
    queries[5].popularity_exponent = 0.5;
    return queries;
}

void expect_same_results(const Answer& left, const Answer& right) {
    ASSERT_EQ(left.results.size(), right.results.size());
    for (std::size_t place = 0; place < left.results.size(); ++place) {
        EXPECT_EQ(left.results[place].item_row, right.results[place].item_row);
        EXPECT_EQ(left.results[place].score, right.results[place].score);
    }
}

TEST(IndexedAnswers, are_the_same_with_an_index_searched_exactly) {
    for (const AnswerBy way : {AnswerBy::kFoldIn, AnswerBy::kVectors}) {
        const Model plain = Model::from_parts(random_parts(way, 300, 40, kDim, 5));
        const Model with_index = Model::from_parts(indexed(random_parts(way, 300, 40, kDim, 5), 8));
        const Recommender scanning(plain);
        const Recommender searching(with_index);
        for (Query query : queries_of_every_kind()) {
            const Answer expected = scanning.answer(query).value();
            query.search.path = SearchPath::kExact;
            const Answer found = searching.answer(query).value();
            expect_same_results(found, expected);
            EXPECT_EQ(found.source, AnswerSource::kExact);
            // All leaves and candidates leave nothing out either.
            query.search = {SearchPath::kTree, {8, 300}};
            const Answer by_tree = searching.answer(query).value();
            expect_same_results(by_tree, expected);
            EXPECT_EQ(by_tree.source, AnswerSource::kIndex);
        }
    }
}

TEST(IndexedAnswers, of_a_batch_are_the_same_with_an_index_searched_exactly) {
    for (const AnswerBy way : {AnswerBy::kFoldIn, AnswerBy::kVectors}) {
        const Model plain = Model::from_parts(random_parts(way, 300, 40, kDim, 6));
        const Model with_index = Model::from_parts(indexed(random_parts(way, 300, 40, kDim, 6), 8));
        const Recommender scanning(plain);
        const Recommender searching(with_index);
        ThreadPool pool(2);
        const BatchOptions exactly = {.k = 7, .search = {.path = SearchPath::kExact}};
        const std::vector<std::uint32_t> rows = {0, 5, 299, 17};
        const Neighbours expected[] = {
            scanning.recommend_histories(plain.interactions(), {.k = 7}, pool).value(),
            scanning.similar_items(rows, {.k = 7}, pool).value()};
        const Neighbours found[] = {
            searching.recommend_histories(plain.interactions(), exactly, pool).value(),
            searching.similar_items(rows, exactly, pool).value()};
        for (int kind = 0; kind < 2; ++kind) {
            EXPECT_EQ(found[kind].offsets, expected[kind].offsets);
            EXPECT_EQ(found[kind].item_rows, expected[kind].item_rows);
            EXPECT_EQ(found[kind].scores, expected[kind].scores);
        }
    }
}

TEST(IndexedAnswers, never_offer_what_is_excluded_whatever_the_path) {
    const Model model =
        Model::from_parts(indexed(random_parts(AnswerBy::kVectors, 200, 20, kDim, 7), 10));
    const Recommender recommender(model);
    Query query;
    query.vector = {1, 2, 3, 4, 5};
    query.k = 40;
    for (const SearchPath path : {SearchPath::kExact, SearchPath::kTree}) {
        query.exclude.clear();
        query.search.path = path;
        for (int round = 0; round < 4; ++round) {
            const Answer answer = recommender.answer(query).value();
            ASSERT_EQ(answer.results.size(), 40U);
            for (const ScoredRow& result : answer.results) {
                const std::string key = item_key(result.item_row);
                ASSERT_EQ(std::count(query.exclude.begin(), query.exclude.end(), key), 0);
            }
            for (const ScoredRow& result : answer.results) {
                query.exclude.push_back(item_key(result.item_row));
            }
        }
    }
}

TEST(IndexedAnswers, say_what_the_search_did_and_take_stored_neighbours_first) {
    ModelParts parts = indexed(random_parts(AnswerBy::kVectors, 100, 20, kDim, 8), 4);
    ThreadPool pool(1);
    parts.neighbours =
        build_neighbour_table(parts.item_vectors.view(), 20, parts.info.popularity_exponent, pool)
            .value();
    const Model model = Model::from_parts(std::move(parts));
    const Recommender recommender(model);
    Query query;
    query.items = {{item_key(3), 1}};
    const Answer stored = recommender.answer(query).value();
    EXPECT_EQ(stored.source, AnswerSource::kNeighbours);
    EXPECT_FALSE(stored.search.has_value());
    query.search = {SearchPath::kTree, {2, 30}};
    const Answer by_tree = recommender.answer(query).value();
    EXPECT_EQ(by_tree.source, AnswerSource::kIndex);
    ASSERT_TRUE(by_tree.search.has_value());
    EXPECT_EQ(by_tree.search->trace.path, SearchPath::kTree);
    query.search = {SearchPath::kExact, {}};
    const Answer exact = recommender.answer(query).value();
    EXPECT_EQ(exact.source, AnswerSource::kExact);
    expect_same_results(exact, stored);
}

TEST(IndexedAnswers, refuse_a_tree_where_there_is_none) {
    const Model model = Model::from_parts(random_parts(AnswerBy::kVectors, 50, 10, kDim, 9));
    const Model lists = Model::from_parts(checkerboard(AnswerBy::kLists));
    const Recommender recommender(model);
    const Recommender by_lists(lists);
    Query query;
    query.items = {{item_key(3), 1}};
    query.search.path = SearchPath::kTree;
    EXPECT_EQ(recommender.answer(query).status().code(), StatusCode::kInvalidArgument);
    query.search = {SearchPath::kAuto, {5, 0}};
    EXPECT_EQ(recommender.answer(query).status().code(), StatusCode::kInvalidArgument);
    query.search = {SearchPath::kExact, {}};
    EXPECT_TRUE(recommender.answer(query).ok());
    EXPECT_EQ(by_lists.answer(query).status().code(), StatusCode::kInvalidArgument);
    ThreadPool pool(1);
    EXPECT_FALSE(by_lists.similar_items({}, {.search = query.search}, pool).ok());
}

}  // namespace
}  // namespace segue
