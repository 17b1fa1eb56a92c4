// Models with an index: written, opened, replaced in place.

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "bundle/inspect.h"
#include "bundle/reader.h"
#include "bundle/writer.h"
#include "model/model_fixture.h"

namespace segue {
namespace {

using testing::small_indexed_parts;
using testing::small_parts;
using testing::TemporaryFolder;

std::string bytes_of(const std::string& path) {
    return *read_text_file(path, 1 << 20);
}

template <typename Value>
void expect_same(std::span<const Value> left, std::span<const Value> right) {
    EXPECT_TRUE(std::equal(left.begin(), left.end(), right.begin(), right.end()));
}

void expect_same_tables(const IndexTables& left, const IndexTables& right) {
    EXPECT_EQ(left.measure, right.measure);
    EXPECT_EQ(left.built_exponent, right.built_exponent);
    EXPECT_EQ(left.num_items, right.num_items);
    EXPECT_EQ(left.dim, right.dim);
    expect_same(left.leaf_offsets, right.leaf_offsets);
    for (std::size_t leaf = 0; leaf < left.num_leaves(); ++leaf) {
        expect_same(left.leaf_centres.row(leaf), right.leaf_centres.row(leaf));
    }
    expect_same(left.item_rows, right.item_rows);
    expect_same(left.rows, right.rows);
    expect_same(left.row_scales, right.row_scales);
    expect_same(left.block_errors, right.block_errors);
    expect_same(left.norms, right.norms);
    expect_same(left.norm_levels, right.norm_levels);
    EXPECT_EQ(left.norm_low, right.norm_low);
    EXPECT_EQ(left.norm_ratio, right.norm_ratio);
    expect_same(left.codes, right.codes);
    expect_same(left.code_offsets, right.code_offsets);
    expect_same(left.code_positions, right.code_positions);
    expect_same(left.codebook, right.codebook);
}

TEST(ModelIndex, read_back_from_a_bundle_equals_what_was_written) {
    const TemporaryFolder folder;
    ModelParts parts = small_indexed_parts();
    parts.index->measure = Measure::kDot;
    parts.index->built_exponent = 0.1;
    parts.index->norm_ratio = 1.0007F;
    ASSERT_TRUE(write_bundle(parts, folder.file("m"), false).ok());
    const Result<Model> model = Model::open(folder.file("m"));
    ASSERT_TRUE(model.ok()) << model.status().message();
    ASSERT_NE(model->index(), nullptr);
    expect_same_tables(model->index()->tables(), parts.index->tables());
    EXPECT_TRUE(model->index_facts().blessed);
    EXPECT_EQ(model->index_facts().report_json, parts.index_facts.report_json);
    EXPECT_EQ(model->index_facts().settings.path, SearchPath::kTree);
    EXPECT_EQ(model->index_facts().settings.target_recall, 0.9);
    EXPECT_EQ(model->index_facts().settings.exact_share, 0.25);
    const std::vector<CalibratedKnobs>& knobs = model->index_facts().settings.calibrated;
    ASSERT_EQ(knobs.size(), 3U);
    EXPECT_EQ(knobs[1].popularity_exponent, 0.5);
    EXPECT_EQ(knobs[1].knobs.num_leaves_to_search, 3U);
    EXPECT_EQ(knobs[1].knobs.reordering_num_neighbors, 4U);
    for (const void* table :
         {static_cast<const void*>(model->index()->tables().rows.data()),
          static_cast<const void*>(model->index()->tables().codes.data()),
          static_cast<const void*>(model->index()->tables().leaf_centres.data)}) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(table) % 64, 0U);
    }
}

TEST(ModelIndex, answers_the_same_owned_and_mapped) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(small_indexed_parts(), folder.file("m"), false).ok());
    const Result<Model> mapped = Model::open(folder.file("m"));
    ASSERT_TRUE(mapped.ok()) << mapped.status().message();
    const Model owned = Model::from_parts(small_indexed_parts());
    SearchScratch scratch;
    for (const SearchPath path : {SearchPath::kExact, SearchPath::kTree}) {
        IndexSearchOptions options;
        options.path = path;
        options.knobs = {3, 4};
        std::vector<ScoredRow> left;
        std::vector<ScoredRow> right;
        const std::vector<float> query = {1, -0.5F};
        ASSERT_TRUE(mapped->index()->search(query, options, scratch, left).ok());
        ASSERT_TRUE(owned.index()->search(query, options, scratch, right).ok());
        ASSERT_EQ(left.size(), 4U);
        ASSERT_EQ(right.size(), 4U);
        for (std::size_t place = 0; place < 4; ++place) {
            EXPECT_EQ(left[place].item_row, 3 - place);
            EXPECT_EQ(left[place].item_row, right[place].item_row);
            EXPECT_EQ(left[place].score, right[place].score);
        }
    }
}

TEST(ModelIndex, is_left_out_when_asked_and_released_with_the_parts) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(small_indexed_parts(), folder.file("m"), false).ok());
    const Result<Model> without = Model::open(folder.file("m"), {.open_index = false});
    ASSERT_TRUE(without.ok());
    EXPECT_EQ(without->index(), nullptr);
    Model model = Model::from_parts(small_indexed_parts());
    const ModelParts parts = std::move(model).release_parts();
    ASSERT_TRUE(write_bundle(parts, folder.file("again"), false).ok());
    EXPECT_EQ(bytes_of(folder.file("again")), bytes_of(folder.file("m")));
}

TEST(ModelIndex, replaced_in_place_gives_the_bytes_of_one_written_at_once) {
    const TemporaryFolder folder;
    const ModelParts indexed = small_indexed_parts();
    ASSERT_TRUE(write_bundle(indexed, folder.file("at once"), false).ok());
    for (const bool had_one : {false, true}) {
        ModelParts parts = small_parts();
        if (had_one) {
            parts = small_indexed_parts();
            parts.index->code_positions.clear();
            parts.index->codes[0] = 1;
            parts.index_facts.blessed = false;
        }
        ASSERT_TRUE(write_bundle(parts, folder.file("m"), true).ok());
        const Status status =
            replace_index(folder.file("m"), indexed.index->tables(), indexed.index_facts);
        ASSERT_TRUE(status.ok()) << status.message();
        EXPECT_EQ(bytes_of(folder.file("m")), bytes_of(folder.file("at once")));
    }
}

TEST(ModelIndex, replaced_leaves_what_this_program_does_not_know) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(small_parts(), folder.file("old"), false).ok());
    const Result<BundleReader> old = BundleReader::open(folder.file("old"), true);
    ASSERT_TRUE(old.ok());
    BundleWriter writer;
    for (const auto& [key, value] : old->metadata()) {
        if (!key.starts_with("xxh3.") && key != kFormatVersionKey && key != kHeaderChecksumKey) {
            writer.add_metadata(key, std::string_view(value));
        }
    }
    writer.add_metadata("other.key", std::string_view("kept"));
    for (const TensorView& tensor : old->tensors()) {
        writer.add_tensor(tensor);
    }
    const std::vector<std::uint32_t> numbers = {5, 6};
    writer.add_tensor("other", {2}, std::span<const std::uint32_t>(numbers));
    ASSERT_TRUE(writer.write(folder.file("m"), false).ok());
    const ModelParts indexed = small_indexed_parts();
    ASSERT_TRUE(replace_index(folder.file("m"), indexed.index->tables(), indexed.index_facts).ok());
    const Result<BundleReader> replaced = BundleReader::open(folder.file("m"), true);
    ASSERT_TRUE(replaced.ok());
    EXPECT_EQ(replaced->metadata("other.key"), "kept");
    ASSERT_NE(replaced->find("other"), nullptr);
    EXPECT_EQ((*elements_of<std::uint32_t>(*replaced->find("other")))[1], 6U);
    EXPECT_NE(replaced->find("index.rows"), nullptr);
}

TEST(ModelIndex, that_does_not_fit_is_not_written_and_leaves_the_bundle_alone) {
    const TemporaryFolder folder;
    const std::string path = folder.file("m");
    ASSERT_TRUE(write_bundle(small_parts(), path, false).ok());
    const std::string before = bytes_of(path);
    const auto refused = [&](auto&& spoil) {
        ModelParts parts = small_indexed_parts();
        spoil(parts);
        const Status replaced = replace_index(path, parts.index->tables(), parts.index_facts);
        EXPECT_FALSE(replaced.ok());
        EXPECT_EQ(bytes_of(path), before);
        EXPECT_FALSE(write_bundle(parts, folder.file("new"), false).ok());
        EXPECT_FALSE(std::filesystem::exists(folder.file("new")));
    };
    refused([](ModelParts& p) { p.index->item_rows[0] = 4; });
    refused([](ModelParts& p) { p.index->num_items = 3; });
    refused([](ModelParts& p) { p.index->norms.pop_back(); });
    refused([](ModelParts& p) { p.index->leaf_offsets[1] = 9; });
    refused([](ModelParts& p) { p.index_facts.report_json = "[]"; });
    EXPECT_FALSE(
        replace_index(folder.file("none"), small_indexed_parts().index->tables(), {}).ok());
}

/// The bundle with an index, some metadata and tensors changed, and all checksums right.
Status open_changed(const std::string& path,
                    const std::vector<std::pair<std::string, std::string>>& changed_metadata,
                    std::string_view left_out = "") {
    const TemporaryFolder folder;
    EXPECT_TRUE(write_bundle(small_indexed_parts(), folder.file("old"), false).ok());
    const Result<BundleReader> old = BundleReader::open(folder.file("old"), true);
    BundleWriter writer;
    for (const auto& [key, value] : old->metadata()) {
        if (key.starts_with("xxh3.") || key == kFormatVersionKey || key == kHeaderChecksumKey ||
            key == left_out) {
            continue;
        }
        std::string text = value;
        for (const auto& [changed, other] : changed_metadata) {
            text = key == changed ? other : text;
        }
        writer.add_metadata(key, std::string_view(text));
    }
    for (const TensorView& tensor : old->tensors()) {
        if (tensor.name != left_out) {
            writer.add_tensor(tensor);
        }
    }
    EXPECT_TRUE(writer.write(path, true).ok());
    return Model::open(path).status();
}

TEST(ModelIndex, with_wrong_metadata_is_refused_by_name) {
    const TemporaryFolder folder;
    const std::string path = folder.file("m");
    ASSERT_TRUE(open_changed(path, {}).ok());
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {"segue.index.measure", "hamming"},
        {"segue.index.built_exponent", "nan"},
        {"segue.index.norm_low", "0"},
        {"segue.index.norm_low", "1e300"},
        {"segue.index.norm_ratio", "-1"},
        {"segue.index.path", "graph"},
        {"segue.index.blessed", "2"},
        {"segue.index.target_recall", "1.5"},
        {"segue.index.exact_share", "many"},
        {"segue.index.report", "[]"},
        {"segue.index.calibrated", "{"},
        {"segue.index.calibrated", R"({"popularity_exponent":[0],"num_leaves_to_search":[1]})"},
        {"segue.index.calibrated", R"({"popularity_exponent":[1,0],"num_leaves_to_search":[1,1],)"
                                   R"("reordering_num_neighbors":[1,1]})"},
        {"segue.index.calibrated", R"({"popularity_exponent":[0],"num_leaves_to_search":[-1],)"
                                   R"("reordering_num_neighbors":[1]})"}};
    for (const auto& [key, text] : wrong) {
        const Status status = open_changed(path, {{key, text}});
        EXPECT_EQ(status.code(), StatusCode::kCorrupt) << key << " " << text;
        EXPECT_NE(status.message().find(key), std::string::npos) << status.message();
    }
}

TEST(ModelIndex, with_a_table_missing_is_refused_by_name) {
    const TemporaryFolder folder;
    for (const char* name :
         {"index.leaf_centres", "index.item_rows", "index.rows", "index.row_scales",
          "index.block_errors", "index.norms", "index.norm_levels", "index.codes", "index.codebook",
          "segue.index.measure", "segue.index.calibrated"}) {
        const Status status = open_changed(folder.file("m"), {}, name);
        EXPECT_EQ(status.code(), StatusCode::kCorrupt) << name;
        EXPECT_NE(status.message().find(name), std::string::npos) << status.message();
    }
    // Bundles of before the planner knew have neither.
    for (const char* name : {"segue.index.target_recall", "segue.index.exact_share"}) {
        EXPECT_TRUE(open_changed(folder.file("m"), {}, name).ok()) << name;
    }
    // Without its first table there is no index.
    EXPECT_TRUE(open_changed(folder.file("m"), {}, "index.leaf_offsets").ok());
}

TEST(ModelIndex, without_codes_is_searched_exactly) {
    const TemporaryFolder folder;
    ModelParts parts = small_indexed_parts();
    parts.index->codes = {};
    parts.index->code_offsets.clear();
    parts.index->code_positions.clear();
    parts.index->codebook.clear();
    ASSERT_TRUE(write_bundle(parts, folder.file("m"), false).ok());
    const Result<Model> model = Model::open(folder.file("m"));
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_FALSE(model->index()->tables().has_codes());
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    SearchTrace trace;
    const std::vector<float> query = {1, 0};
    ASSERT_TRUE(model->index()->search(query, {}, scratch, results, &trace).ok());
    EXPECT_EQ(trace.path, SearchPath::kExact);
}

}  // namespace
}  // namespace segue
