#include "recommend/resolve_query.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::checkerboard;
using Keys = std::vector<std::string>;
using Rows = std::vector<std::uint32_t>;

Query query_of(const Keys& items) {
    Query query;
    for (const std::string& key : items) {
        query.items.push_back({key, 1});
    }
    return query;
}

TEST(ResolveQuery, adds_the_weights_of_an_item_named_twice) {
    const Model model = Model::from_parts(checkerboard(AnswerBy::kVectors));
    Query query;
    query.items = {{"i3", 2}, {"i1", 1}, {"i3", -0.5F}};
    const auto resolved = resolve_query(model, query);
    ASSERT_TRUE(resolved.ok()) << resolved.status().message();
    ASSERT_EQ(resolved->items.size(), 2u);
    EXPECT_EQ(resolved->items[0].item_row, 3u);
    EXPECT_EQ(resolved->items[0].weight, 1.5F);
    EXPECT_EQ(resolved->items[1].item_row, 1u);
}

TEST(ResolveQuery, excludes_the_items_of_the_query_its_history_and_its_group) {
    const Model model = Model::from_parts(checkerboard(AnswerBy::kFoldIn));
    Query query = query_of({"i1"});
    query.history = {"i7", "i7", "i0"};
    query.group_key = "g0";  // i2, i4, i6
    query.exclude = {"i1", "i3"};
    auto resolved = resolve_query(model, query);
    ASSERT_TRUE(resolved.ok());
    EXPECT_EQ(resolved->excluded, (Rows{0, 1, 2, 3, 4, 6, 7}));
    EXPECT_EQ(resolved->history, (Rows{0, 7}));
    query.offer_query_items = true;
    resolved = resolve_query(model, query);
    ASSERT_TRUE(resolved.ok());
    EXPECT_EQ(resolved->excluded, (Rows{1, 3}));
}

TEST(ResolveQuery, lists_unknown_keys_once_in_the_order_asked) {
    const Model model = Model::from_parts(checkerboard(AnswerBy::kVectors));
    Query query = query_of({"x", "i1", "y", "x"});
    query.history = {"z", "y"};
    query.exclude = {"w", "z"};
    const auto resolved = resolve_query(model, query);
    ASSERT_TRUE(resolved.ok());
    EXPECT_EQ(resolved->unknown, (Keys{"x", "y", "z", "w"}));
}

TEST(ResolveQuery, names_what_it_does_not_know_and_what_is_near_when_that_is_all) {
    const Model model = Model::from_parts(checkerboard(AnswerBy::kVectors));
    const auto resolved = resolve_query(model, query_of({"i33", "nothing like it"}));
    ASSERT_FALSE(resolved.ok());
    EXPECT_EQ(resolved.status().code(), StatusCode::kNotFound);
    EXPECT_NE(resolved.status().message().find("'i33', 'nothing like it'"), std::string::npos);
    EXPECT_NE(resolved.status().message().find("near it: 'i3'"), std::string::npos)
        << resolved.status().message();
}

TEST(ResolveQuery, quotes_the_beginning_of_a_long_key) {
    const Model model = Model::from_parts(checkerboard(AnswerBy::kVectors));
    const std::string key(100'000, 'x');
    Query of_group;
    of_group.group_key = key;
    for (const Query& query : {query_of({key}), of_group}) {
        const auto resolved = resolve_query(model, query);
        ASSERT_FALSE(resolved.ok());
        EXPECT_LT(resolved.status().message().size(), 200u);
        EXPECT_NE(resolved.status().message().find("xxx…'"), std::string::npos);
    }
}

TEST(ResolveQuery, refuses_what_makes_no_sense) {
    const Model model = Model::from_parts(checkerboard(AnswerBy::kFoldIn));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<Query> queries(9, query_of({"i1"}));
    queries[0].items.clear();
    queries[1].items[0].weight = nan;
    queries[2].items[0].weight = infinity;
    queries[3].vector = {1, 2, 3};
    queries[4].vector = {1, nan};
    queries[5].vector = {-infinity, 1};
    queries[6].min_score = nan;
    queries[7].popularity_exponent = static_cast<double>(nan);
    queries[8].popularity_exponent = 1e300;
    for (std::size_t number = 0; number < queries.size(); ++number) {
        const auto resolved = resolve_query(model, queries[number]);
        ASSERT_FALSE(resolved.ok()) << number;
        EXPECT_EQ(resolved.status().code(), StatusCode::kInvalidArgument) << number;
    }
}

TEST(ResolveQuery, refuses_groups_it_does_not_know_or_did_not_store) {
    Query query;
    query.group_key = "g77";
    const Model model = Model::from_parts(checkerboard(AnswerBy::kFoldIn));
    EXPECT_EQ(resolve_query(model, query).status().code(), StatusCode::kNotFound);
    ModelParts parts = checkerboard(AnswerBy::kFoldIn);
    parts.groups = Vocabulary();
    parts.interactions = SparseMatrix();
    const Model without = Model::from_parts(std::move(parts));
    EXPECT_EQ(resolve_query(without, query).status().code(), StatusCode::kInvalidArgument);
}

TEST(ResolveQuery, refuses_a_vector_where_lists_answer) {
    const Model model = Model::from_parts(checkerboard(AnswerBy::kLists));
    Query query;
    query.vector = {1, 2};
    EXPECT_EQ(resolve_query(model, query).status().code(), StatusCode::kInvalidArgument);
}

TEST(ResolveQuery, asks_for_no_more_than_there_is) {
    const Model model = Model::from_parts(checkerboard(AnswerBy::kVectors));
    Query query = query_of({"i1"});
    query.k = std::numeric_limits<std::size_t>::max();
    EXPECT_EQ(resolve_query(model, query)->k, 8u);
}

}  // namespace
}  // namespace segue
