#include "recommend/refined_answers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "index_build/build_index.h"
#include "recommend/diversify.h"
#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::checkerboard;
using testing::item_key;
using testing::numbered;
using testing::random_parts;
using testing::rows_of;

/// A model and what answers from it, at one address.
struct Fixture {
    explicit Fixture(ModelParts parts)
        : model(Model::from_parts(std::move(parts))),
          recommender(model),
          answers(model, recommender) {}

    Model model;
    Recommender recommender;
    RefinedAnswers answers;
};

/// Adds the column "brand": brand r of item i is b(i % num_brands), every ninth item has none.
ModelParts with_brands(ModelParts parts, std::size_t num_brands) {
    parts.attributes.names.push_back("brand");
    StringTable column;
    for (std::size_t item = 0; item < parts.items.size(); ++item) {
        column.append(item % 9 == 8 ? "" : numbered("b", item % num_brands));
    }
    parts.attributes.columns.push_back(std::move(column));
    return parts;
}

RefinedQuery similar_to(std::size_t item, std::size_t k) {
    RefinedQuery query;
    query.query.items.push_back({item_key(item), 1});
    query.query.k = k;
    return query;
}

AttributeCondition brand_in(std::vector<std::string> brands) {
    AttributeCondition condition;
    condition.attribute = "brand";
    condition.in = std::move(brands);
    return condition;
}

/// Everything the recommender has to offer, then one condition after the other.
std::vector<std::uint32_t> slow_answer(const Fixture& fixture, const RefinedQuery& query) {
    Query all = query.query;
    all.k = fixture.model.num_items();
    std::vector<ScoredRow> left;
    std::set<std::string> within;
    if (query.within) {
        within.insert(query.within->begin(), query.within->end());
    }
    const std::size_t brand = fixture.model.attribute_names().size() - 1;
    const Result<Answer> everything = fixture.recommender.answer(all);
    for (const ScoredRow& row : everything->results) {
        const std::string key(fixture.model.item_keys()[row.item_row]);
        const std::string text(fixture.model.attribute(brand)[row.item_row]);
        bool is_allowed = !query.within || within.contains(key);
        for (const AttributeCondition& condition : query.filter.must) {
            is_allowed =
                is_allowed && std::count(condition.in->begin(), condition.in->end(), text) > 0;
        }
        if (is_allowed) {
            left.push_back(row);
        }
    }
    Diversity diversity = {.k = query.query.k};
    if (query.cap) {
        diversity.cap = ValueCap{fixture.model.attribute(brand), query.cap->max_per_value};
    }
    return rows_of(choose_diverse(left, diversity));
}

class EveryModel : public ::testing::TestWithParam<AnswerBy> {};

INSTANTIATE_TEST_SUITE_P(RefinedAnswers, EveryModel,
                         ::testing::Values(AnswerBy::kLists, AnswerBy::kFoldIn,
                                           AnswerBy::kVectors));

TEST_P(EveryModel, gives_k_results_under_every_condition_where_k_exist) {
    const Fixture fixture(with_brands(random_parts(GetParam(), 700, 900, 6, 3), 40));
    Random random(4);
    for (int round = 0; round < 60; ++round) {
        RefinedQuery query = similar_to(random.below(60), 1 + random.below(12));
        if (random.below(2) == 0) {
            query.filter.must.push_back(
                brand_in({numbered("b", random.below(40)), "b1", "nothing"}));
        }
        if (random.below(3) == 0) {
            query.within.emplace();
            for (int place = 0; place < 40; ++place) {
                query.within->push_back(item_key(random.below(800)));
            }
        }
        if (random.below(2) == 0) {
            query.cap = RefinedQuery::Cap{"brand", 1 + random.below(3)};
        }
        const Result<RefinedAnswer> answer = fixture.answers.answer(query);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        EXPECT_EQ(rows_of(answer->results), slow_answer(fixture, query));
    }
}

/// With a scan of the vectors, and with an index over them.
class ByVectors : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(RefinedAnswers, ByVectors, ::testing::Values(false, true));

TEST_P(ByVectors, hands_conditions_down_to_searches_with_the_answers_of_leaving_out_afterwards) {
    constexpr std::size_t kItems = 14000;
    ModelParts parts = with_brands(random_parts(AnswerBy::kVectors, kItems, 60, 6, 3), 40);
    if (GetParam()) {
        ThreadPool pool(1);
        parts.index = build_index(parts.item_vectors.view(), {.num_leaves = 1}, pool).value();
    }
    const Fixture fixture(std::move(parts));
    std::vector<std::string> brands;  // of a third of the items: too many to compare each
    for (std::size_t brand = 0; brand < 15; ++brand) {
        brands.push_back(numbered("b", brand));
    }
    std::vector<std::string> many;
    for (std::size_t item = 0; item < kItems; item += 2) {
        many.push_back(item_key(item));
    }
    const std::vector<std::string> few(many.begin(), many.begin() + 300);
    const std::vector<std::string>* const none = nullptr;
    const std::vector<std::string>* const cases[][2] = {
        {&brands, none}, {&brands, &few}, {&brands, &many}, {none, &few}, {none, &many}};
    for (const auto& [brand_texts, within] : cases) {
        for (const std::size_t k : {1, 10, 700}) {
            for (int round = 0; round < 2; ++round) {
                RefinedQuery query = similar_to(7, k);
                query.query.exclude = {item_key(0), item_key(2)};
                if (brand_texts != nullptr) {
                    query.filter.must.push_back(brand_in(*brand_texts));
                }
                if (within != nullptr) {
                    query.within = *within;
                }
                if (round == 1) {
                    query.cap = RefinedQuery::Cap{"brand", 3};
                }
                const Result<RefinedAnswer> answer = fixture.answers.answer(query);
                ASSERT_TRUE(answer.ok()) << answer.status().message();
                EXPECT_EQ(rows_of(answer->results), slow_answer(fixture, query));
                EXPECT_FALSE(answer->is_cut_short);
            }
        }
    }
}

TEST_P(EveryModel, answers_without_conditions_as_the_recommender_does) {
    const Fixture fixture(checkerboard(GetParam()));
    RefinedQuery query = similar_to(0, 3);
    query.query.items.push_back({"missing", 1});
    const Result<RefinedAnswer> refined = fixture.answers.answer(query);
    const Result<Answer> plain = fixture.recommender.answer(query.query);
    ASSERT_TRUE(refined.ok() && plain.ok());
    EXPECT_EQ(rows_of(refined->results), rows_of(plain->results));
    EXPECT_EQ(refined->unknown, std::vector<std::string>{"missing"});
    EXPECT_EQ(refined->source, name_of(plain->source));
}

TEST_P(EveryModel, offers_what_is_popular_to_the_unknown) {
    ModelParts parts = with_brands(checkerboard(GetParam()), 2);
    parts.item_frequencies = {1, 8, 3, 7, 3, 2, 9, 4};
    const Fixture fixture(std::move(parts));
    RefinedQuery query;
    query.query.group_key = "nobody";
    query.query.items = {{"missing", 1}, {"missing", 2}};
    query.query.exclude = {"i6", "gone"};
    query.query.k = 4;
    const Result<RefinedAnswer> popular = fixture.answers.answer(query);
    ASSERT_TRUE(popular.ok()) << popular.status().message();
    EXPECT_EQ(popular->source, "popular");
    EXPECT_EQ(rows_of(popular->results), (std::vector<std::uint32_t>{1, 3, 7, 2}));
    EXPECT_EQ(popular->results[0].score, 8);
    EXPECT_EQ(popular->unknown, (std::vector<std::string>{"missing", "gone"}));
    EXPECT_EQ(popular->unknown_group, "nobody");

    query.filter.must.push_back(brand_in({"b0"}));
    query.cap = RefinedQuery::Cap{"brand", 1};
    EXPECT_EQ(rows_of(fixture.answers.answer(query)->results), std::vector<std::uint32_t>{2});
    query.offer_popular = false;
    EXPECT_EQ(fixture.answers.answer(query).status().code(), StatusCode::kNotFound);
}

TEST_P(EveryModel, answers_for_what_it_knows_beside_an_unknown_group) {
    const Fixture fixture(checkerboard(GetParam()));
    RefinedQuery query = similar_to(1, 2);
    const std::vector<std::uint32_t> expected = rows_of(fixture.answers.answer(query)->results);
    query.query.group_key = "nobody";
    const Result<RefinedAnswer> answer = fixture.answers.answer(query);
    ASSERT_TRUE(answer.ok()) << answer.status().message();
    EXPECT_EQ(rows_of(answer->results), expected);
    EXPECT_EQ(answer->unknown_group, "nobody");
    query.refuse_unknown = true;
    EXPECT_EQ(fixture.answers.answer(query).status().message(),
              "group 'nobody' is not in the model");
}

TEST(RefinedAnswers, refuse_unknown_items_where_asked_but_no_unknown_exclusions) {
    const Fixture fixture(checkerboard(AnswerBy::kVectors));
    RefinedQuery query = similar_to(0, 2);
    query.refuse_unknown = true;
    query.query.exclude = {"gone"};
    EXPECT_TRUE(fixture.answers.answer(query).ok());
    query.query.history = {"lost"};
    const Status status = fixture.answers.answer(query).status();
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_EQ(status.message(),
              "1 of the items asked about are not in the model, the first of them 'lost'");
}

TEST(RefinedAnswers, mmr_takes_the_pool_and_the_cap_into_account) {
    const Fixture fixture(with_brands(random_parts(AnswerBy::kVectors, 400, 500, 4, 8), 7));
    RefinedQuery query = similar_to(3, 10);
    query.mmr = 0.5;
    query.cap = RefinedQuery::Cap{"brand", 2};
    Query all = query.query;
    all.k = 400;
    const std::vector<ScoredRow> everything = fixture.recommender.answer(all)->results;
    const std::vector<ScoredRow> expected = choose_diverse(
        std::span(everything).first(200), {.k = 10,
                                           .cap = ValueCap{fixture.model.attribute(1), 2},
                                           .mmr = 0.5,
                                           .vectors = fixture.model.item_vectors()});
    EXPECT_EQ(rows_of(fixture.answers.answer(query)->results), rows_of(expected));
}

TEST(RefinedAnswers, refuse_conditions_that_cannot_be_met_by_any_model_like_this) {
    const Fixture vectors(checkerboard(AnswerBy::kVectors));
    const Fixture lists(checkerboard(AnswerBy::kLists));
    const auto message = [](const Fixture& fixture, const RefinedQuery& query) {
        const Status status = fixture.answers.answer(query).status();
        EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
        return status.message();
    };
    RefinedQuery query = similar_to(0, 3);
    query.mmr = 1.5;
    EXPECT_EQ(message(vectors, query), "mmr 1.5: expected a number from 0 to 1");
    query.mmr = 0.5;
    EXPECT_EQ(message(lists, query), "mmr needs item vectors, which this model does not have");
    query.query.k = 1000;
    EXPECT_EQ(message(vectors, query), "mmr is for up to 200 results, 1000 were asked for");
    query = similar_to(0, 3);
    query.cap = RefinedQuery::Cap{"brand", 1};
    EXPECT_EQ(message(vectors, query),
              "diversity: the model has no attribute 'brand'; it has 'title'");
    query.cap = RefinedQuery::Cap{"title", 0};
    EXPECT_EQ(message(vectors, query), "diversity: max_per_value must be at least 1");
    query = similar_to(0, 3);
    query.filter.must.push_back(brand_in({"x"}));
    EXPECT_EQ(message(vectors, query),
              "filter: the model has no attribute 'brand'; it has 'title'");
    EXPECT_EQ(message(vectors, RefinedQuery()),
              "nothing was asked: give an item, a group, a history or a vector");
}

}  // namespace
}  // namespace segue
