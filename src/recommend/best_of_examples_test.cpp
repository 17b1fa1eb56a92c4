#include "recommend/best_of_examples.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "recommend/recommend_fixture.h"
#include "recommend/refined_answers.h"

namespace segue {
namespace {

constexpr std::size_t kNumItems = 60;

class BestOfExamplesTest : public ::testing::Test {
protected:
    /// Greatest weighted similarity to the items whose weight has this sign, in double.
    double nearest(const Query& query, std::uint32_t row, float sign) const {
        const double gamma = query.popularity_exponent.value_or(model_.info().popularity_exponent);
        double best = -std::numeric_limits<double>::infinity();
        for (const Query::Item& item : query.items) {
            if (item.weight * sign <= 0) {
                continue;
            }
            const auto example = model_.item_vectors().row(*model_.find_item(item.key));
            const auto offered = model_.item_vectors().row(row);
            double product = 0;
            double own = 0;
            double other = 0;
            for (std::size_t place = 0; place < example.size(); ++place) {
                product += double{example[place]} * double{offered[place]};
                own += double{example[place]} * double{example[place]};
                other += double{offered[place]} * double{offered[place]};
            }
            best = std::max(best, std::fabs(double{item.weight}) * product / std::sqrt(own) /
                                      std::pow(std::sqrt(other), gamma));
        }
        return best;
    }
    std::vector<ScoredRow> oracle(const Query& query, std::size_t count) const {
        std::vector<ScoredRow> rows;
        for (std::uint32_t row = 0; row < kNumItems; ++row) {
            const std::string key = testing::item_key(row);
            const auto is_it = [&](const Query::Item& item) { return item.key == key; };
            if (std::any_of(query.items.begin(), query.items.end(), is_it) ||
                std::count(query.exclude.begin(), query.exclude.end(), key) > 0) {
                continue;
            }
            const double wanted = nearest(query, row, 1);
            const double unwanted = nearest(query, row, -1);
            rows.push_back(
                {row, static_cast<float>(wanted > unwanted ? wanted : -unwanted * unwanted)});
        }
        std::sort(rows.begin(), rows.end(), comes_before);
        rows.resize(std::min(count, rows.size()));
        return rows;
    }
    void expect_oracle(const Query& query, std::size_t count) const {
        Result<BestOfExamples> examples = BestOfExamples::make(model_, recommender_, query);
        ASSERT_TRUE(examples.ok()) << examples.status().message();
        const Result<std::vector<ScoredRow>> found = examples->best(count);
        ASSERT_TRUE(found.ok()) << found.status().message();
        const std::vector<ScoredRow> expected = oracle(query, count);
        EXPECT_EQ(testing::rows_of(*found), testing::rows_of(expected));
        for (std::size_t place = 0; place < std::min(found->size(), expected.size()); ++place) {
            EXPECT_NEAR((*found)[place].score, expected[place].score, 1e-5);
        }
    }

    Model model_ =
        Model::from_parts(testing::random_parts(AnswerBy::kVectors, kNumItems, 40, 6, 3));
    Recommender recommender_{model_};
};

TEST_F(BestOfExamplesTest, finds_what_a_look_at_every_item_finds) {
    Query query;
    query.items = {{"i3", 1}, {"i11", 1}};
    for (const std::size_t count : {0U, 1U, 5U, 58U, 100U}) {
        expect_oracle(query, count);
    }
    query.items.push_back({"i20", 0.5F});
    query.items.push_back({"i4", -1});
    query.items.push_back({"i5", -2});
    for (const double gamma : {0.0, 0.5, 1.0}) {
        query.popularity_exponent = gamma;
        for (const std::size_t count : {1U, 10U, 40U}) {
            expect_oracle(query, count);
        }
    }
    query.exclude = {"i7", "i8", "i9", "i10"};
    expect_oracle(query, 20);
}

TEST_F(BestOfExamplesTest, ranks_by_what_is_not_wanted_where_nothing_is) {
    Query query;
    query.items = {{"i1", -1}, {"i2", -1}};
    expect_oracle(query, 10);
}

TEST_F(BestOfExamplesTest, is_the_list_of_the_item_for_one_example) {
    Query query;
    query.items = {{"i3", 1}};
    query.k = 7;
    RefinedQuery refined;
    refined.query = query;
    refined.best_of_examples = true;
    const RefinedAnswers answers(model_, recommender_);
    EXPECT_EQ(testing::rows_of(answers.answer(refined)->results),
              testing::rows_of(recommender_.answer(query)->results));
}

TEST_F(BestOfExamplesTest, refuses_what_it_is_not_for) {
    Query query;
    EXPECT_FALSE(BestOfExamples::make(model_, recommender_, query).ok());
    query.group_key = "g1";
    EXPECT_FALSE(BestOfExamples::make(model_, recommender_, query).ok());
    query.group_key.reset();
    for (std::size_t item = 0; item <= kMaxExamples; ++item) {
        query.items.push_back({testing::item_key(item), 1});
    }
    EXPECT_FALSE(BestOfExamples::make(model_, recommender_, query).ok());
    const Model lists = Model::from_parts(testing::checkerboard(AnswerBy::kLists));
    const Recommender of_lists(lists);
    query.items = {{"i1", 1}};
    EXPECT_FALSE(BestOfExamples::make(lists, of_lists, query).ok());
}

TEST_F(BestOfExamplesTest, says_when_the_time_was_over) {
    RefinedQuery refined;
    refined.query.items = {{"i3", 1}};
    refined.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
    const RefinedAnswers answers(model_, recommender_);
    EXPECT_EQ(answers.answer(refined).status().code(), StatusCode::kDeadline);
    // Nothing but unwanted items: the lists of the wanted ones say nothing, so it looks further.
    Query query;
    query.items = {{"i1", -1}};
    Result<BestOfExamples> examples = BestOfExamples::make(model_, recommender_, query);
    ASSERT_TRUE(examples.ok());
    EXPECT_TRUE(examples->best(5, refined.deadline)->empty());
    EXPECT_TRUE(examples->is_cut_short());
}

}  // namespace
}  // namespace segue
