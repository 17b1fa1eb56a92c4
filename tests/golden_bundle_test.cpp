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

// A change of the bytes without a new version would go unnoticed otherwise.
TEST(GoldenBundle, of_the_newest_version_is_what_is_written_today) {
    const testing::TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(testing::small_parts(), folder.file("now"), false).ok());
    EXPECT_EQ(*read_text_file(folder.file("now"), 1 << 20),
              *read_text_file(golden_path(kNewestFormatVersion), 1 << 20));
}

}  // namespace
}  // namespace segue
