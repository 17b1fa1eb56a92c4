// Files of every format version that is still read, kept as they were written.

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "bundle/reader.h"
#include "model/model.h"
#include "model/model_fixture.h"

namespace segue {
namespace {

std::string golden_path(std::uint64_t version) {
    return SEGUE_GOLDEN_FOLDER "/bundle_v" + std::to_string(version) + ".segue";
}

TEST(GoldenBundle, of_every_version_opens_with_what_was_put_in) {
    const ModelParts expected = testing::small_parts();
    for (std::uint64_t version = kOldestFormatVersion; version <= kNewestFormatVersion; ++version) {
        const Result<Model> model = Model::open(golden_path(version));
        ASSERT_TRUE(model.ok()) << model.status().message();
        EXPECT_EQ(model->info().recipe, "ials");
        EXPECT_EQ(model->info().parameters_json, expected.info.parameters_json);
        EXPECT_EQ(model->info().fold_in.l2_reg, 0.003);
        EXPECT_TRUE(model->info().fold_in.hu);
        EXPECT_EQ(model->find_item("c"), 2u);
        EXPECT_EQ((*model->titles())[1], "Song b");
        EXPECT_EQ(model->attribute(1)[0], "Björk");
        EXPECT_EQ(model->item_vectors().row(3)[0], 3.5f);
        EXPECT_EQ(model->item_frequencies()[0], 3u);
        EXPECT_EQ(model->neighbours().item_rows[3], 0u);
        EXPECT_EQ(model->neighbours().together[3], 2u);
        EXPECT_EQ(model->find_group("z"), 2u);
        EXPECT_EQ(model->interactions().row_values(2)[1], 2.0f);
    }
}

std::string golden_index_path() {
    return SEGUE_GOLDEN_FOLDER "/bundle_v1_index.segue";
}

TEST(GoldenBundle, with_an_index_opens_and_is_searched) {
    const Result<Model> model = Model::open(golden_index_path());
    ASSERT_TRUE(model.ok()) << model.status().message();
    ASSERT_NE(model->index(), nullptr);
    EXPECT_TRUE(model->index_facts().blessed);
    EXPECT_EQ(model->index_facts().settings.calibrated[1].knobs.num_leaves_to_search, 3u);
    const IndexTables& tables = model->index()->tables();
    EXPECT_EQ(tables.num_leaves(), 3u);
    EXPECT_EQ(tables.item_rows[1], 3u);
    EXPECT_EQ(tables.norm_ratio, 2.0f);
    EXPECT_EQ(tables.codes[4], 12);
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const std::vector<float> query = {1, 0};
    ASSERT_TRUE(
        model->index()->search(query, {.k = 2, .path = SearchPath::kExact}, scratch, results).ok());
    ASSERT_EQ(results.size(), 2u);
    EXPECT_EQ(results[0].item_row, 3u);
    EXPECT_EQ(results[0].score, 3.5f);
}

TEST(GoldenBundle, with_an_index_is_what_is_written_today) {
    const testing::TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(testing::small_indexed_parts(), folder.file("now"), false).ok());
    EXPECT_EQ(*read_text_file(folder.file("now"), 1 << 20),
              *read_text_file(golden_index_path(), 1 << 20));
}

// A change of the bytes without a new version would go unnoticed otherwise.
TEST(GoldenBundle, of_the_newest_version_is_what_is_written_today) {
    const testing::TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(testing::small_parts(), folder.file("now"), false).ok());
    EXPECT_EQ(*read_text_file(folder.file("now"), 1 << 20),
              *read_text_file(golden_path(kNewestFormatVersion), 1 << 20));
}

}  // namespace
}  // namespace segue
