#include "pipeline/index_model.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "pipeline/clustered_parts.h"

namespace segue {
namespace {

using testing::clustered_parts;
using testing::TemporaryFolder;

IndexModelOptions with_leaves(std::uint32_t num_leaves) {
    IndexModelOptions options;
    options.build.num_leaves = num_leaves;
    options.path = SearchPath::kTree;
    return options;
}

TEST(IndexModel, reaches_its_target_on_queries_kept_apart_at_every_exponent) {
    const Model model = Model::from_parts(clustered_parts(AnswerBy::kFoldIn, 2500));
    ThreadPool pool(2);
    IndexModelOptions options = with_leaves(60);
    options.target_recall = 0.9;
    const auto indexed = index_model(model, options, pool);
    ASSERT_TRUE(indexed.ok()) << indexed.status().message();
    const IndexReport& report = indexed->report;
    EXPECT_EQ(report.path, SearchPath::kTree);
    EXPECT_EQ(report.num_leaves, 60U);
    EXPECT_TRUE(report.blessed) << report.verdict;
    ASSERT_EQ(report.settings.size(), 4U);  // 0, .25, .5, 1
    EXPECT_EQ(report.kinds.size(), 12U);
    for (const KindRecall& kind : report.kinds) {
        EXPECT_GE(kind.recall.mean, 0.88) << name_of(kind.kind) << " " << kind.popularity_exponent;
        EXPECT_GE(kind.recall.mean, report.recall.mean);
        EXPECT_GE(kind.recall.num_queries, 290U);
    }
    EXPECT_GE(report.points.size(), 4U);
    EXPECT_EQ(report.points.back().path, SearchPath::kExact);
    for (const IndexPoint::Kind& kind : report.points.back().kinds) {
        EXPECT_EQ(kind.recall.mean, 1);
    }
    EXPECT_GT(report.latency.p99, 0);
    EXPECT_GE(report.latency.p99, report.latency.p50);
    const std::string json = to_json(report);
    EXPECT_TRUE(json.starts_with("{\"path\":\"tree\",\"recall@10\":0.9")) << json;
}

TEST(IndexModel, is_the_same_for_any_number_of_threads) {
    const TemporaryFolder folder;
    std::set<std::string> files;
    for (const unsigned num_threads : {1U, 2U, 5U}) {
        Model model = Model::from_parts(clustered_parts(AnswerBy::kVectors, 500));
        ThreadPool pool(num_threads);
        IndexModelOptions options = with_leaves(15);
        options.max_latency_ms = 1e9;
        auto indexed = index_model(model, options, pool);
        ASSERT_TRUE(indexed.ok()) << indexed.status().message();
        ModelParts parts = std::move(model).release_parts();
        parts.index = std::move(indexed->parts);
        parts.index_facts = std::move(indexed->facts);
        ASSERT_TRUE(write_bundle(parts, folder.file("m"), true).ok());
        files.insert(*read_text_file(folder.file("m"), 1 << 24));
    }
    EXPECT_EQ(files.size(), 1U);
}

TEST(IndexModel, is_blessed_within_its_limits_only) {
    const Model model = Model::from_parts(clustered_parts(AnswerBy::kVectors, 1000));
    ThreadPool pool(2);
    IndexModelOptions options = with_leaves(30);
    options.show_points = false;
    options.target_recall = 0.5;
    options.min_recall = 0.999;
    options.max_latency_ms = 1e9;
    auto indexed = index_model(model, options, pool);
    ASSERT_TRUE(indexed.ok()) << indexed.status().message();
    EXPECT_FALSE(indexed->report.blessed);
    EXPECT_FALSE(indexed->facts.blessed);
    EXPECT_NE(indexed->report.verdict.find("recall@10 is 0."), std::string::npos);
    options.min_recall = 0.1;
    options.max_latency_ms = 1e-6;
    indexed = index_model(model, options, pool);
    ASSERT_TRUE(indexed.ok());
    EXPECT_FALSE(indexed->report.blessed);
    EXPECT_NE(indexed->report.verdict.find("p99 is "), std::string::npos);
    options.max_latency_ms = 1e9;
    indexed = index_model(model, options, pool);
    ASSERT_TRUE(indexed.ok());
    EXPECT_TRUE(indexed->report.blessed);
    EXPECT_TRUE(indexed->facts.blessed);
}

TEST(IndexModel, of_small_catalogues_is_exact) {
    ThreadPool pool(2);
    for (const std::size_t num_items : {1U, 2U, 11U, 300U}) {
        const Model model = Model::from_parts(clustered_parts(AnswerBy::kVectors, num_items));
        const auto indexed = index_model(model, {}, pool);
        ASSERT_TRUE(indexed.ok()) << indexed.status().message();
        EXPECT_EQ(indexed->report.path, SearchPath::kExact);
        EXPECT_EQ(indexed->report.recall.mean, 1);
        EXPECT_EQ(indexed->report.num_leaves, 1U);
        EXPECT_EQ(indexed->facts.settings.path, SearchPath::kExact);
    }
}

TEST(IndexModel, reads_everything_where_the_target_is_out_of_reach) {
    ThreadPool pool(2);
    const Model model = Model::from_parts(clustered_parts(AnswerBy::kVectors, 600));
    IndexModelOptions options = with_leaves(12);
    options.show_points = false;
    options.target_recall = 1;  // no sample proves it
    for (const SearchPath path : {SearchPath::kAuto, SearchPath::kTree}) {
        options.path = path;
        const auto indexed = index_model(model, options, pool);
        ASSERT_TRUE(indexed.ok()) << indexed.status().message();
        EXPECT_EQ(indexed->report.path,
                  path == SearchPath::kTree ? SearchPath::kTree : SearchPath::kExact);
        EXPECT_EQ(indexed->report.recall.mean, 1);
        for (const CalibratedKnobs& setting : indexed->report.settings) {
            EXPECT_EQ(setting.knobs.num_leaves_to_search, 12U);
            EXPECT_EQ(setting.knobs.reordering_num_neighbors, 600U);
        }
    }
}

TEST(IndexModel, refuses_what_cannot_be_indexed_or_meant) {
    ThreadPool pool(1);
    const Model lists = Model::from_parts(testing::checkerboard(AnswerBy::kLists));
    EXPECT_EQ(index_model(lists, {}, pool).status().code(), StatusCode::kInvalidArgument);
    const Model model = Model::from_parts(clustered_parts(AnswerBy::kVectors, 50));
    const auto refused = [&](auto&& spoil) {
        IndexModelOptions options;
        spoil(options);
        return index_model(model, options, pool).status().code() == StatusCode::kInvalidArgument;
    };
    EXPECT_TRUE(refused([](IndexModelOptions& o) { o.target_recall = 1.5; }));
    EXPECT_TRUE(refused([](IndexModelOptions& o) { o.min_recall = -1; }));
    EXPECT_TRUE(refused([](IndexModelOptions& o) { o.max_latency_ms = 0; }));
    EXPECT_TRUE(refused([](IndexModelOptions& o) { o.build.soar_lambda = -1; }));
}

TEST(IndexBundle, puts_the_index_into_the_file_and_leaves_it_alone_after_an_error) {
    const TemporaryFolder folder;
    const std::string path = folder.file("m.segue");
    ASSERT_TRUE(write_bundle(clustered_parts(AnswerBy::kFoldIn, 1000), path, false).ok());
    ThreadPool pool(2);
    IndexModelOptions options = with_leaves(20);
    options.show_points = false;
    for (const std::uint64_t seed : {1U, 2U}) {
        options.build.seed = seed;
        const auto report = index_bundle(path, options, pool);
        ASSERT_TRUE(report.ok()) << report.status().message();
        const Result<Model> model = Model::open(path);
        ASSERT_TRUE(model.ok()) << model.status().message();
        ASSERT_NE(model->index(), nullptr);
        EXPECT_EQ(model->index()->tables().num_leaves(), 20U);
        EXPECT_EQ(model->index_facts().settings.path, SearchPath::kTree);
        EXPECT_EQ(model->index_facts().settings.calibrated.size(), report->settings.size());
        EXPECT_EQ(model->index_facts().blessed, report->blessed);
        EXPECT_EQ(model->interactions().num_rows, 600U);
    }
    const std::string before = *read_text_file(path, 1 << 24);
    options.target_recall = 2;
    EXPECT_FALSE(index_bundle(path, options, pool).ok());
    EXPECT_EQ(*read_text_file(path, 1 << 24), before);
    ASSERT_TRUE(
        write_bundle(testing::checkerboard(AnswerBy::kLists), folder.file("lists"), false).ok());
    EXPECT_FALSE(index_bundle(folder.file("lists"), {}, pool).ok());
    EXPECT_FALSE(index_bundle(folder.file("nothing"), {}, pool).ok());
}

}  // namespace
}  // namespace segue
