#include "serve/search_monitor.h"

#include <gtest/gtest.h>

#include "http/test_client.h"
#include "model/model_fixture.h"

namespace segue::serve {
namespace {

using segue::testing::eventually;

bool has(const std::string& text, std::string_view line) {
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

TEST(WilsonInterval, is_that_of_the_tables) {
    const ShareInterval nine_of_ten = wilson_interval(0.9, 10);
    EXPECT_NEAR(nine_of_ten.low, 0.5958, 1e-4);
    EXPECT_NEAR(nine_of_ten.high, 0.9821, 1e-4);
    const ShareInterval all_of_hundred = wilson_interval(1, 100);
    EXPECT_NEAR(all_of_hundred.low, 0.9630, 1e-4);
    EXPECT_DOUBLE_EQ(all_of_hundred.high, 1);
    EXPECT_EQ(wilson_interval(0, 0).low, 0);
    EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

class SearchMonitorTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto model = std::make_unique<ServedModel>(
            ModelVersion{"songs", 3},
            Model::from_parts(segue::testing::small_parts(AnswerBy::kVectors)));
        model->set_monitor(&monitor_);
        registry_.add(std::move(model));
        query_.query.vector = {1, 0};
        query_.query.k = 2;
        best_ = served()->answers().answer(query_).value().results;
    }
    ModelSnapshot served() const { return registry_.acquire("songs", {}, 0).value(); }
    /// As if an index had answered so.
    void tell(const std::vector<ScoredRow>& results) {
        RefinedAnswer answer;
        answer.results = results;
        answer.source = "index";
        // It may still be busy with the one before.
        ASSERT_TRUE(eventually([&] { return monitor_.observe(*served(), query_, answer, 30e-6); }));
        const std::string samples =
            "rec_search_recall_samples_total{" + labels_ + "} " + std::to_string(++num_told_);
        EXPECT_TRUE(eventually([&] { return has(written(), samples); })) << written();
    }
    std::string written() {
        MetricsText text;
        monitor_.write(registry_, text);
        return text.take();
    }

    ModelRegistry registry_{1};
    SearchMonitor monitor_{
        {.sample_interval = std::chrono::milliseconds(0), .rest_factor = 0, .window = 2}};
    RefinedQuery query_;
    std::vector<ScoredRow> best_;
    const std::string labels_ = R"(model="songs",version="3",k="10")";
    int num_told_ = 0;
};

TEST_F(SearchMonitorTest, counts_answers_by_where_they_came_from) {
    ASSERT_TRUE(served()->answer(query_).ok());
    RefinedQuery one;
    one.query.items.push_back({"gone", 1});
    ASSERT_TRUE(served()->answer(one).ok());
    one.offer_popular = false;
    ASSERT_FALSE(served()->answer(one).ok());
    const std::string text = written();
    for (const char* const line : {
             R"(rec_search_source_total{source="exact"} 1)",
             R"(rec_search_source_total{source="popular"} 1)",
             R"(rec_search_source_total{source="index"} 0)",
             R"(rec_search_duration_seconds_count{source="exact"} 1)",
             R"(rec_search_duration_seconds_bucket{source="exact",le="+Inf"} 1)",
         }) {
        EXPECT_TRUE(has(text, line)) << line << "\n" << text;
    }
    EXPECT_EQ(text.find("rec_search_recall{"), std::string::npos) << "nothing came from an index";
}

TEST_F(SearchMonitorTest, knows_the_recall_of_the_newest_samples) {
    ASSERT_EQ(best_.size(), 2U);
    tell(best_);
    EXPECT_TRUE(has(written(), "rec_search_recall{" + labels_ + "} 1")) << written();
    tell({best_[0], {99, -1}});
    EXPECT_TRUE(has(written(), "rec_search_recall{" + labels_ + "} 0.75")) << written();
    tell({{98, -1}, {99, -1}});
    EXPECT_TRUE(has(written(), "rec_search_recall{" + labels_ + "} 0.25")) << "of two only";
    EXPECT_NE(written().find("rec_search_recall_low{" + labels_ + "} 0.0"), std::string::npos);
    EXPECT_NE(written().find("rec_search_recall_high{" + labels_ + "} 0.8"), std::string::npos);
}

TEST_F(SearchMonitorTest, forgets_versions_that_are_gone) {
    tell(best_);
    ASSERT_TRUE(registry_.remove("songs", 3).ok());
    EXPECT_EQ(written().find("songs"), std::string::npos);
    EXPECT_TRUE(eventually([&] { return registry_.num_unloading() == 0; }))
        << "the monitor lets go of what it looked at";
}

}  // namespace
}  // namespace segue::serve
