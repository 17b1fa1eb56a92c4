#include <gtest/gtest.h>

#include "index/allocation_counter.h"
#include "index/exact_index.h"
#include "index_build/build_index.h"
#include "recommend/recommend.h"
#include "recommend/recommend_fixture.h"
#include "recommend/refined_answers.h"

namespace segue {
namespace {

using testing::item_key;
using testing::random_parts;

/// Keys too long for a string to hold without memory of its own.
std::string long_key(std::size_t item_row) {
    return item_key(item_row) + "-and-more-than-a-string-holds-itself";
}

ModelParts with_long_keys(ModelParts parts) {
    const std::size_t num_items = parts.items.size();
    parts.items = {};
    for (std::size_t item = 0; item < num_items; ++item) {
        parts.items.insert(long_key(item));
    }
    return parts;
}

ModelParts with_lists() {
    ModelParts parts = random_parts(AnswerBy::kLists, 200, 300, 0, 1);
    parts.neighbours = testing::counted_lists(parts, 100);
    return with_long_keys(std::move(parts));
}

ModelParts with_vectors_and_index() {
    ModelParts parts = random_parts(AnswerBy::kVectors, 500, 40, 8, 2);
    ThreadPool pool(1);
    parts.neighbours =
        build_neighbour_table(parts.item_vectors.view(), 20, parts.info.popularity_exponent, pool)
            .value();
    parts.index =
        build_index(parts.item_vectors.view(),
                    {.popularity_exponent = parts.info.popularity_exponent, .num_leaves = 16}, pool)
            .value();
    return with_long_keys(std::move(parts));
}

/// One item, excluded ones too, and several items.
std::vector<RefinedQuery> queries_about_items() {
    std::vector<RefinedQuery> queries(4);
    queries[0].query.items = {{long_key(3), 1}};
    queries[1].query.items = {{long_key(7), 1}};
    queries[1].query.exclude = {long_key(8), long_key(9)};
    queries[2].query.items = {{long_key(1), 1}, {long_key(2), 2}, {long_key(5), -1}};
    queries[3].query.items = {{long_key(11), 1}};
    queries[3].query.min_score = 0.1F;
    return queries;
}

void expect_no_allocation(const Model& model, const std::vector<RefinedQuery>& queries) {
    const Recommender recommender(model);
    const RefinedAnswers answers(model, recommender);
    AnswerScratch scratch;
    RefinedAnswer answer;
    const auto ask_all = [&] {
        for (int round = 0; round < 3; ++round) {
            for (const RefinedQuery& query : queries) {
                EXPECT_TRUE(answers.answer(query, scratch, answer).ok());
            }
        }
    };
    ask_all();
    const std::size_t before = num_allocations();
    ask_all();
    EXPECT_EQ(num_allocations() - before, 0U);
}

TEST(AnswerScratch, lets_lists_answer_without_allocation) {
    expect_no_allocation(Model::from_parts(with_lists()), queries_about_items());
}

TEST(AnswerScratch, lets_vectors_be_searched_for_without_allocation) {
    std::vector<RefinedQuery> queries = queries_about_items();
    RefinedQuery by_vector;
    by_vector.query.vector = {1, 0, -1, 0.5F, 0, 0, 2, 0};
    queries.push_back(by_vector);
    by_vector.query.items = {{long_key(1), 1}};
    by_vector.query.search = {SearchPath::kTree, {4, 40}};
    queries.push_back(by_vector);
    expect_no_allocation(Model::from_parts(with_vectors_and_index()), queries);
}

TEST(AnswerScratch, leaves_nothing_of_the_answer_before) {
    const Model model = Model::from_parts(with_vectors_and_index());
    const Recommender recommender(model);
    const RefinedAnswers answers(model, recommender);
    AnswerScratch scratch;
    RefinedAnswer answer;
    RefinedQuery unknown;
    unknown.query.items = {{long_key(3), 1}, {"gone", 1}};
    unknown.query.group_key = "nobody";
    RefinedQuery nothing;
    nothing.query.items = {{"gone", 1}};
    nothing.query.exclude = {"gone too"};
    std::vector<RefinedQuery> queries = queries_about_items();
    queries.insert(queries.begin() + 1, unknown);
    queries.insert(queries.begin() + 3, nothing);
    for (const RefinedQuery& query : queries) {
        const Result<RefinedAnswer> fresh = answers.answer(query);
        ASSERT_TRUE(fresh.ok());
        ASSERT_TRUE(answers.answer(query, scratch, answer).ok());
        EXPECT_EQ(answer.unknown, fresh->unknown);
        EXPECT_EQ(answer.unknown_group, fresh->unknown_group);
        EXPECT_EQ(answer.source, fresh->source);
        ASSERT_EQ(answer.results.size(), fresh->results.size());
        for (std::size_t place = 0; place < answer.results.size(); ++place) {
            EXPECT_EQ(answer.results[place].item_row, fresh->results[place].item_row);
            EXPECT_EQ(answer.results[place].score, fresh->results[place].score);
        }
    }
}

TEST(AnswerScratch, resolves_many_items_as_few) {
    const Model model = Model::from_parts(with_lists());
    const Recommender recommender(model);
    // Each item twice, above and below the number that is compared one by one.
    for (const std::size_t num_items : {5U, 40U, 90U}) {
        Query twice;
        Query doubled;
        for (std::size_t item = 0; item < num_items; ++item) {
            twice.items.push_back({long_key(item), 1});
            doubled.items.push_back({long_key(item), 2});
        }
        const std::vector<Query::Item> once = twice.items;
        twice.items.insert(twice.items.end(), once.begin(), once.end());
        const Answer left = recommender.answer(twice).value();
        const Answer right = recommender.answer(doubled).value();
        ASSERT_EQ(left.results.size(), right.results.size());
        for (std::size_t place = 0; place < left.results.size(); ++place) {
            EXPECT_EQ(left.results[place].item_row, right.results[place].item_row);
        }
    }
}

}  // namespace
}  // namespace segue
