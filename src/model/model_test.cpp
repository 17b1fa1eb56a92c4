#include "model/model.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "bundle/inspect.h"
#include "bundle/reader.h"
#include "bundle/writer.h"
#include "model/model_fixture.h"

namespace segue {
namespace {

using testing::small_parts;
using testing::TemporaryFolder;

std::vector<std::string> texts_of(StringTableView table) {
    std::vector<std::string> texts;
    for (std::size_t row = 0; row < table.size(); ++row) {
        texts.emplace_back(table[row]);
    }
    return texts;
}

template <typename Value>
std::vector<Value> values_of(std::span<const Value> values) {
    return {values.begin(), values.end()};
}

void expect_same_info(const ModelInfo& left, const ModelInfo& right) {
    EXPECT_EQ(left.recipe, right.recipe);
    EXPECT_EQ(left.answer_by, right.answer_by);
    EXPECT_EQ(left.popularity_exponent, right.popularity_exponent);
    EXPECT_EQ(left.item_popularity_exponent, right.item_popularity_exponent);
    EXPECT_EQ(left.seed, right.seed);
    EXPECT_EQ(left.num_groups, right.num_groups);
    EXPECT_EQ(left.total_frequency, right.total_frequency);
    EXPECT_EQ(left.parameters_json, right.parameters_json);
    EXPECT_EQ(left.input_hash, right.input_hash);
    EXPECT_EQ(left.pair_score.name, right.pair_score.name);
    EXPECT_EQ(left.pair_score.group_exponent, right.pair_score.group_exponent);
    EXPECT_EQ(left.pair_score.own_exponent, right.pair_score.own_exponent);
    EXPECT_EQ(left.pair_score.other_exponent, right.pair_score.other_exponent);
    EXPECT_EQ(left.pair_score.shrinkage, right.pair_score.shrinkage);
    EXPECT_EQ(left.pair_score.sharpness, right.pair_score.sharpness);
    EXPECT_EQ(left.pair_score.values_are_counts, right.pair_score.values_are_counts);
    EXPECT_EQ(left.pair_score.from_histories, right.pair_score.from_histories);
    EXPECT_EQ(left.fold_in.unobserved_weight, right.fold_in.unobserved_weight);
    EXPECT_EQ(left.fold_in.l2_reg, right.fold_in.l2_reg);
    EXPECT_EQ(left.fold_in.l2_exponent, right.fold_in.l2_exponent);
    EXPECT_EQ(left.fold_in.alpha, right.fold_in.alpha);
    EXPECT_EQ(left.fold_in.hu, right.fold_in.hu);
}

void expect_same_model(const Model& left, const Model& right) {
    expect_same_info(left.info(), right.info());
    EXPECT_EQ(texts_of(left.item_keys()), texts_of(right.item_keys()));
    ASSERT_EQ(left.attribute_names(), right.attribute_names());
    for (std::size_t index = 0; index < left.attribute_names().size(); ++index) {
        EXPECT_EQ(texts_of(left.attribute(index)), texts_of(right.attribute(index)));
    }
    EXPECT_EQ(values_of(left.item_frequencies()), values_of(right.item_frequencies()));
    ASSERT_EQ(left.item_vectors().num_rows, right.item_vectors().num_rows);
    ASSERT_EQ(left.item_vectors().dim, right.item_vectors().dim);
    for (std::size_t row = 0; row < left.item_vectors().num_rows; ++row) {
        EXPECT_EQ(values_of(left.item_vectors().row(row)),
                  values_of(right.item_vectors().row(row)));
    }
    EXPECT_EQ(values_of(left.neighbours().offsets), values_of(right.neighbours().offsets));
    EXPECT_EQ(values_of(left.neighbours().item_rows), values_of(right.neighbours().item_rows));
    EXPECT_EQ(values_of(left.neighbours().scores), values_of(right.neighbours().scores));
    EXPECT_EQ(values_of(left.neighbours().together), values_of(right.neighbours().together));
    EXPECT_EQ(texts_of(left.group_keys()), texts_of(right.group_keys()));
    EXPECT_EQ(left.interactions().num_columns, right.interactions().num_columns);
    EXPECT_EQ(values_of(left.interactions().columns), values_of(right.interactions().columns));
    EXPECT_EQ(values_of(left.interactions().values), values_of(right.interactions().values));
}

TEST(Model, read_back_from_a_bundle_equals_the_parts_it_was_written_from) {
    const TemporaryFolder folder;
    for (const AnswerBy way : {AnswerBy::kLists, AnswerBy::kFoldIn, AnswerBy::kVectors}) {
        const std::string path = folder.file(name_of(way));
        ASSERT_TRUE(write_bundle(small_parts(way), path, false).ok());
        const Result<Model> opened = Model::open(path);
        ASSERT_TRUE(opened.ok()) << opened.status().message();
        expect_same_model(Model::from_parts(small_parts(way)), *opened);
    }
}

TEST(Model, finds_items_groups_and_titles) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(small_parts(), folder.file("m"), false).ok());
    Result<Model> opened = Model::open(folder.file("m"));
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    std::vector<Model> models;
    models.push_back(Model::from_parts(small_parts()));
    models.push_back(std::move(*opened));
    for (const Model& model : models) {
        EXPECT_EQ(model.num_items(), 4u);
        EXPECT_EQ(model.find_item("c"), 2u);
        EXPECT_EQ(model.find_item("x"), std::nullopt);
        EXPECT_EQ(model.find_group("z"), 2u);
        EXPECT_EQ(model.find_group("a"), std::nullopt);
        ASSERT_TRUE(model.titles().has_value());
        EXPECT_EQ((*model.titles())[3], "Song d");
        EXPECT_EQ(model.neighbours().num_items(), 4u);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(model.item_vectors().data) % 64, 0u);
        EXPECT_EQ(model.item_vectors().stride, 16u);
    }
}

TEST(Model, transposes_histories_once_for_all_threads) {
    const Model model = Model::from_parts(small_parts());
    std::vector<const std::uint32_t*> seen(4);
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < seen.size(); ++thread) {
        threads.emplace_back(
            [&, thread] { seen[thread] = model.interactions_by_item().columns.data(); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const SparseView by_item = model.interactions_by_item();
    EXPECT_EQ(seen, std::vector(4, by_item.columns.data()));
    EXPECT_EQ(by_item.num_rows, 4u);
    EXPECT_EQ(values_of(by_item.row_columns(0)), (std::vector<std::uint32_t>{0, 1, 2}));
    EXPECT_EQ(values_of(by_item.row_values(3)), std::vector<float>{2});
}

TEST(Model, may_have_keys_and_vectors_alone) {
    const TemporaryFolder folder;
    ModelParts parts;
    parts.info.recipe = "import";
    parts.items.insert("only");
    parts.item_vectors = Matrix(1, 3);
    ASSERT_TRUE(write_bundle(parts, folder.file("m"), false).ok());
    const Result<Model> model = Model::open(folder.file("m"));
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_EQ(model->item_vectors().dim, 3u);
    EXPECT_FALSE(model->titles().has_value());
    EXPECT_TRUE(model->neighbours().offsets.empty());
    EXPECT_TRUE(model->item_frequencies().empty());
    EXPECT_EQ(model->interactions().num_rows, 0u);
    EXPECT_EQ(model->group_keys().size(), 0u);
    EXPECT_EQ(model->find_group("x"), std::nullopt);
    EXPECT_EQ(model->interactions_by_item().num_rows, 1u);
    EXPECT_EQ(model->interactions_by_item().row_size(0), 0u);
}

TEST(Model, equal_parts_give_equal_bytes) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(small_parts(), folder.file("one"), false).ok());
    ASSERT_TRUE(write_bundle(small_parts(), folder.file("two"), false).ok());
    EXPECT_EQ(*read_text_file(folder.file("one"), 1 << 20),
              *read_text_file(folder.file("two"), 1 << 20));
}

TEST(Model, refuses_to_write_what_it_would_not_read) {
    const TemporaryFolder folder;
    const auto refused = [&](auto&& spoil) {
        ModelParts parts = small_parts();
        spoil(parts);
        const Status status = write_bundle(parts, folder.file("m"), false);
        EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
        return status.message();
    };
    EXPECT_NE(refused([](ModelParts& p) { p.items.insert("\xff"); }).find("UTF-8"),
              std::string::npos);
    EXPECT_NE(refused([](ModelParts& p) { p.item_vectors.row(1)[0] = 0.0f / 0.0f; }).find("row 1"),
              std::string::npos);
    refused([](ModelParts& p) { p.item_vectors.row(1)[1] = 1e13f; });
    refused([](ModelParts& p) { p.item_vectors = Matrix(); });
    refused([](ModelParts& p) { p.item_vectors = Matrix(3, 2); });
    refused([](ModelParts& p) { p.item_frequencies[2] = 0; });
    refused([](ModelParts& p) { p.item_frequencies.pop_back(); });
    refused([](ModelParts& p) { p.neighbours.item_rows[0] = 4; });
    refused([](ModelParts& p) { p.neighbours.item_rows[0] = 0; });
    refused([](ModelParts& p) { p.neighbours.item_rows[1] = 1; });
    refused([](ModelParts& p) { p.neighbours.scores[0] = 0.1f; });
    refused([](ModelParts& p) { p.neighbours.together.pop_back(); });
    refused([](ModelParts& p) { p.interactions.columns[0] = 4; });
    refused([](ModelParts& p) { p.interactions.num_columns = 5; });
    refused([](ModelParts& p) { p.groups.insert("w"); });
    refused([](ModelParts& p) { p.attributes.names[1] = "title"; });
    refused([](ModelParts& p) { p.attributes.columns[1].append("of nobody"); });
    refused([](ModelParts& p) { p.info.parameters_json = "{"; });
    refused([](ModelParts& p) { p.info.popularity_exponent = 3; });
    refused([](ModelParts& p) {
        p.info.answer_by = AnswerBy::kLists, p.info.item_popularity_exponent = 3;
    });
    refused([](ModelParts& p) { p.info.fold_in.l2_reg = -1; });
    refused([](ModelParts& p) { p.info.answer_by = AnswerBy::kLists, p.neighbours = {}; });
    EXPECT_FALSE(std::filesystem::exists(folder.file("m")));
}

TEST(Model, reads_vectors_that_another_program_wrote_without_padding) {
    const TemporaryFolder folder;
    BundleWriter writer;
    for (const auto& [key, value] : Metadata{{"segue.recipe", "import"},
                                             {"segue.answer_by", "vectors"},
                                             {"segue.num_items", "2"},
                                             {"segue.num_groups", "0"},
                                             {"segue.dim", "3"},
                                             {"segue.popularity_exponent", "0"},
                                             {"segue.seed", "0"},
                                             {"segue.total_frequency", "0"},
                                             {"segue.input_hash", ""},
                                             {"segue.parameters", "{}"},
                                             {"segue.attributes", "[]"},
                                             {"other.key", "ignored"}}) {
        writer.add_metadata(key, value);
    }
    const std::vector<float> vectors = {1, 2, 3, 4, 5, 6};
    const std::vector<std::uint64_t> offsets = {0, 1, 2};
    const std::string keys = "ab";
    writer.add_tensor("item_vectors", {2, 3}, std::span<const float>(vectors));
    writer.add_tensor("item_keys.offsets", {3}, std::span<const std::uint64_t>(offsets));
    writer.add_tensor("item_keys.bytes", {2}, std::span<const char>(keys));
    writer.add_tensor("unknown", {2, 1}, std::span<const char>(keys));
    ASSERT_TRUE(writer.write(folder.file("m"), false).ok());
    const Result<Model> model = Model::open(folder.file("m"));
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_EQ(values_of(model->item_vectors().row(1)), (std::vector<float>{4, 5, 6}));
    EXPECT_EQ(model->item_vectors().stride, 16u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(model->item_vectors().data) % 64, 0u);
}

TEST(Model, is_described_tensor_by_tensor) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_bundle(small_parts(), folder.file("m"), false).ok());
    const Result<BundleSummary> summary = describe_bundle(folder.file("m"));
    ASSERT_TRUE(summary.ok()) << summary.status().message();
    EXPECT_TRUE(summary->is_intact());
    EXPECT_TRUE(summary->version_is_readable);
    EXPECT_EQ(summary->format_version, "1");
    EXPECT_EQ(summary->tensors.front().name, "item_vectors");
    EXPECT_EQ(summary->tensors.front().shape, (std::vector<std::uint64_t>{4, 16}));
    EXPECT_EQ(summary->tensors.front().file_offset % 64, 0u);
    std::uint64_t bytes = summary->header_bytes;
    for (const TensorSummary& tensor : summary->tensors) {
        bytes += tensor.bytes;
    }
    EXPECT_EQ(bytes, summary->file_bytes);
}

}  // namespace
}  // namespace segue
