#include "pipeline/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "index/exact_index.h"
#include "index_build/build_index.h"
#include "pipeline/clustered_parts.h"
#include "recommend/query_vector.h"

namespace segue {
namespace {

using testing::clustered_parts;

/// A model and an index over its vectors. Not copyable: the index views both.
struct IndexedParts {
    explicit IndexedParts(ModelParts model_parts, std::uint32_t num_leaves = 10)
        : model(Model::from_parts(std::move(model_parts))),
          parts(build_index(model.item_vectors(), {.num_leaves = num_leaves}, pool).value()),
          index(LeafIndex::open(parts.tables(), model.item_vectors()).value()) {}
    IndexedParts(const IndexedParts&) = delete;
    IndexedParts& operator=(const IndexedParts&) = delete;

    ThreadPool pool{2};
    Model model;
    IndexParts parts;
    LeafIndex index;
};

TEST(RecallEstimate, covers_the_true_recall_about_as_often_as_it_says) {
    Random random(1);
    int covered = 0;
    constexpr int kRounds = 400;
    for (int round = 0; round < kRounds; ++round) {
        std::vector<double> recalls(200);
        for (double& recall : recalls) {
            int hits = 0;
            for (int place = 0; place < 10; ++place) {
                hits += random.uniform() < 0.93 ? 1 : 0;
            }
            recall = hits / 10.0;
        }
        const RecallEstimate estimate = estimate_recall(recalls);
        EXPECT_LE(estimate.low, estimate.mean);
        EXPECT_LE(estimate.mean, estimate.high);
        covered += estimate.low <= 0.93 && 0.93 <= estimate.high ? 1 : 0;
    }
    EXPECT_GT(covered, kRounds * 90 / 100);
    EXPECT_LT(covered, kRounds);
}

TEST(RecallEstimate, has_a_width_where_every_query_agrees_and_shrinks_with_more) {
    double before = 0;
    for (const std::size_t count : {1U, 10U, 100U, 1000U}) {
        const RecallEstimate estimate = estimate_recall(std::vector<double>(count, 1.0));
        EXPECT_EQ(estimate.mean, 1);
        EXPECT_EQ(estimate.high, 1);
        EXPECT_LT(estimate.low, 1);
        EXPECT_GT(estimate.low, before);
        before = estimate.low;
    }
    EXPECT_EQ(estimate_recall({}).num_queries, 0U);
    EXPECT_EQ(estimate_recall(std::vector<double>{0, 0}).low, 0);
}

TEST(CalibrationQueries, are_of_every_kind_kept_apart_and_about_known_items) {
    const IndexedParts indexed(clustered_parts(AnswerBy::kFoldIn, 400));
    const Model& model = indexed.model;
    const auto queries = make_calibration_queries(model, indexed.index, 100, 7).value();
    ASSERT_EQ(queries.size(), 3U);
    EXPECT_EQ(queries[0].kind, QueryKind::kGroups);
    EXPECT_EQ(queries[0].usual_exponent, 0);
    EXPECT_EQ(queries[2].usual_exponent, model.info().popularity_exponent);
    for (const CalibrationQueries& kind : queries) {
        EXPECT_EQ(kind.tuning.size(), 100U);
        EXPECT_EQ(kind.held_out.size(), 100U);
        for (const QuerySet* set : {&kind.tuning, &kind.held_out}) {
            EXPECT_TRUE(validate(set->excluded.view()).ok());
            EXPECT_EQ(set->excluded.num_columns, 400U);
            EXPECT_EQ(set->vectors.num_rows(), set->size());
        }
    }
    std::set<std::uint32_t> tuned(queries[2].tuning.excluded.columns.begin(),
                                  queries[2].tuning.excluded.columns.end());
    for (const std::uint32_t item : queries[2].held_out.excluded.columns) {
        EXPECT_EQ(tuned.count(item), 0U);
    }
    for (std::size_t query = 0; query < queries[1].tuning.size(); ++query) {
        EXPECT_LE(queries[1].tuning.excluded.view().row_size(query), 5U);
    }
    // The same by the same seed.
    const auto again = make_calibration_queries(model, indexed.index, 100, 7).value();
    const auto other = make_calibration_queries(model, indexed.index, 100, 8).value();
    EXPECT_EQ(again[1].tuning.excluded.columns, queries[1].tuning.excluded.columns);
    EXPECT_NE(other[1].tuning.excluded.columns, queries[1].tuning.excluded.columns);
}

TEST(CalibrationQueries, need_no_histories) {
    ModelParts parts = clustered_parts(AnswerBy::kVectors, 50);
    parts.groups = {};
    parts.interactions = {};
    parts.interactions.num_columns = 50;
    const IndexedParts indexed(std::move(parts));
    const auto queries = make_calibration_queries(indexed.model, indexed.index, 100, 7);
    ASSERT_TRUE(queries.ok());
    ASSERT_EQ(queries->size(), 2U);
    EXPECT_EQ((*queries)[0].kind, QueryKind::kSums);
    EXPECT_EQ((*queries)[0].tuning.size() + (*queries)[0].held_out.size(), 50U);
}

TEST(CalibrationQueries, add_up_items_that_are_near_where_nothing_else_says_what_goes_together) {
    ModelParts parts = clustered_parts(AnswerBy::kVectors, 1000);
    parts.groups = {};
    parts.interactions = {};
    parts.interactions.num_columns = 1000;
    parts.neighbours = {};
    const IndexedParts indexed(std::move(parts));
    const auto queries = make_calibration_queries(indexed.model, indexed.index, 100, 7).value();
    const SparseView members = queries[0].tuning.excluded.view();
    for (std::size_t query = 0; query < members.num_rows; ++query) {
        // Of unit vectors that point anywhere the sum is as long as the root of their number.
        const auto count = static_cast<double>(members.row_size(query));
        EXPECT_GE(count, 2);
        EXPECT_GT(vector_norm(queries[0].tuning.vectors.row(query)), 1.2 * std::sqrt(count));
    }
}

TEST(MeasureRecall, agrees_with_a_count_by_hand) {
    const Model model = Model::from_parts(clustered_parts(AnswerBy::kVectors, 500));
    ThreadPool pool(2);
    const IndexParts parts = build_index(model.item_vectors(), {.num_leaves = 20}, pool).value();
    const LeafIndex index = LeafIndex::open(parts.tables(), model.item_vectors()).value();
    const auto queries = make_calibration_queries(model, index, 60, 1).value();
    const QuerySet& set = queries.back().held_out;
    const SearchSetting exact = {0.5, SearchPath::kExact, {}};
    EXPECT_EQ(measure_recall(index, set, exact, pool)->mean, 1);
    const SearchSetting some = {0.5, SearchPath::kTree, {2, 12}};
    const ExactIndex scan(model.item_vectors(), Measure::kDot);
    SearchScratch scratch;
    std::vector<ScoredRow> found;
    double hits = 0;
    for (std::size_t query = 0; query < set.size(); ++query) {
        const auto own = set.excluded.view().row_columns(query);
        const auto best = scan.search(set.vectors.row(query),
                                      {.k = 10, .popularity_exponent = 0.5, .excluded = own})
                              .value();
        ASSERT_TRUE(index
                        .search(set.vectors.row(query),
                                {.k = 10,
                                 .popularity_exponent = 0.5,
                                 .excluded = own,
                                 .path = some.path,
                                 .knobs = some.knobs},
                                scratch, found)
                        .ok());
        for (const ScoredRow& row : found) {
            hits += std::any_of(best.begin(), best.end(), [&](const ScoredRow& other) {
                return other.item_row == row.item_row;
            });
        }
    }
    EXPECT_NEAR(measure_recall(index, set, some, pool)->mean,
                hits / (10 * static_cast<double>(set.size())), 1e-9);
}

TEST(MeasureRecall, holds_for_more_results_than_were_tuned_for) {
    const Model model = Model::from_parts(clustered_parts(AnswerBy::kVectors, 2000));
    ThreadPool pool(2);
    const IndexParts parts = build_index(model.item_vectors(), {.num_leaves = 20}, pool).value();
    IndexSettings settings;
    settings.calibrated = {{0, {10, 20}}};
    const LeafIndex index = LeafIndex::open(parts.tables(), model.item_vectors(), settings).value();
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    std::uint64_t before = 0;
    for (const std::size_t k : {10U, 40U, 160U}) {
        SearchTrace trace;
        ASSERT_TRUE(index
                        .search(model.item_vectors().row(3), {.k = k, .path = SearchPath::kTree},
                                scratch, results, &trace)
                        .ok());
        EXPECT_EQ(results.size(), k);
        EXPECT_GE(trace.candidates, 2 * k);
        EXPECT_GT(trace.candidates, 2 * before);
        before = trace.candidates;
    }
}

TEST(KnobFinder, finds_knobs_that_reach_their_target_and_cost_more_for_more) {
    const Model model = Model::from_parts(clustered_parts(AnswerBy::kFoldIn, 3000));
    ThreadPool pool(2);
    const IndexParts parts = build_index(model.item_vectors(), {.num_leaves = 50}, pool).value();
    const LeafIndex index = LeafIndex::open(parts.tables(), model.item_vectors()).value();
    const auto queries = make_calibration_queries(model, index, 80, 1).value();
    KnobFinder finder(index, queries, pool);
    double effort = 0;
    for (const double target : {0.5, 0.8, 0.9}) {
        const auto knobs = finder.find(0, target).value();
        ASSERT_TRUE(knobs.has_value());
        for (const CalibrationQueries& kind : queries) {
            EXPECT_GE(measure_recall(index, kind.tuning, {0, SearchPath::kTree, *knobs}, pool)->low,
                      target);
        }
        const double work =
            static_cast<double>(knobs->num_leaves_to_search) * 60 + knobs->reordering_num_neighbors;
        EXPECT_GE(work, effort);
        effort = work / 2;  // steps are coarse
    }
    // No sample proves that nothing is ever missed.
    EXPECT_FALSE(finder.find(0, 1).value().has_value());
}

}  // namespace
}  // namespace segue
