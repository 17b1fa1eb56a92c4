// Vectors out and in again, and everything that can be wrong with what comes in.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "pipeline/export.h"
#include "pipeline/import.h"
#include "tables/duckdb_api.h"

namespace segue {
namespace {

/// A folder of its own for each test, removed at the end.
class Vectors : public testing::Test {
protected:
    Vectors() {
        std::string pattern = testing::TempDir() + "segue_vectors_XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~Vectors() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name) const { return folder_ + "/" + name; }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    std::size_t num_files() const {
        const std::filesystem::directory_iterator begin(folder_);
        return static_cast<std::size_t>(
            std::distance(begin, std::filesystem::directory_iterator()));
    }

    std::string folder_;
};

/// Awkward keys and awkward numbers.
Model small_model(std::size_t num_items, std::size_t dim) {
    ModelParts parts;
    parts.info.recipe = "import";
    Random random(3);
    parts.item_vectors = Matrix(num_items, dim);
    const std::vector<std::string> odd_keys = {"a,b",      "say \"hi\"", "two\nlines", "音楽",
                                               " spaced ", "-",          "1e5"};
    for (std::size_t row = 0; row < num_items; ++row) {
        parts.items.insert(row < odd_keys.size() ? odd_keys[row] : "item" + std::to_string(row));
        for (float& value : parts.item_vectors.row(row)) {
            value = static_cast<float>(random.below(2'000'001)) * 1e-6F - 1;
        }
    }
    parts.item_vectors.row(0)[0] = std::numeric_limits<float>::denorm_min();
    parts.item_vectors.row(0)[1] = std::numeric_limits<float>::max();
    parts.item_vectors.row(1)[0] = -0.0F;
    return Model::from_parts(std::move(parts));
}

void expect_same(const ImportedVectors& imported, const Model& model) {
    ASSERT_EQ(imported.keys.size(), model.num_items());
    ASSERT_EQ(imported.vectors.dim(), model.item_vectors().dim);
    for (std::size_t row = 0; row < model.num_items(); ++row) {
        EXPECT_EQ(imported.keys[row], model.item_keys()[row]);
        for (std::size_t i = 0; i < imported.vectors.dim(); ++i) {
            EXPECT_EQ(imported.vectors.row(row)[i], model.item_vectors().row(row)[i]) << row;
        }
    }
}

TEST_F(Vectors, come_back_bit_for_bit_from_every_format) {
    const Model model = small_model(23, 5);
    for (const VectorFormat format :
         {VectorFormat::kJsonl, VectorFormat::kCsv, VectorFormat::kNpy, VectorFormat::kParquet}) {
        if (format == VectorFormat::kParquet && !duckdb::api().ok()) {
            continue;
        }
        const std::string out = path("out." + std::string(name_of(format)));
        const Result<ExportReport> done = export_vectors(model, {.out = out, .format = format});
        ASSERT_TRUE(done.ok()) << done.status().message();
        EXPECT_EQ(done->files.front(), out);
        ImportReport report;
        const Result<ImportedVectors> imported = read_vectors({out}, std::nullopt, report);
        ASSERT_TRUE(imported.ok()) << imported.status().message();
        EXPECT_EQ(report.num_faults(), 0U);
        EXPECT_EQ(report.lines_read, 23U);
        expect_same(*imported, model);
    }
}

TEST_F(Vectors, are_dealt_to_shards_in_order) {
    const Model model = small_model(23, 4);
    for (const VectorFormat format : {VectorFormat::kJsonl, VectorFormat::kCsv}) {
        const Result<ExportReport> done =
            export_vectors(model, {.out = path("shards"), .format = format, .num_shards = 4});
        ASSERT_TRUE(done.ok()) << done.status().message();
        ASSERT_EQ(done->files.size(), 4U);
        ImportReport report;
        const Result<ImportedVectors> imported = read_vectors(done->files, std::nullopt, report);
        ASSERT_TRUE(imported.ok()) << imported.status().message();
        expect_same(*imported, model);
    }
    EXPECT_TRUE(std::filesystem::exists(path("shards/embedding-000000000003.json")));
    EXPECT_TRUE(std::filesystem::exists(path("shards/embeddings-000000000003.csv")));
}

TEST_F(Vectors, of_an_earlier_export_to_more_files_do_not_stay) {
    const Model model = small_model(23, 4);
    for (const VectorFormat format : {VectorFormat::kJsonl, VectorFormat::kCsv}) {
        ExportOptions options = {.out = path("shards"), .format = format, .num_shards = 12};
        ASSERT_TRUE(export_vectors(model, options).ok());
        // None of these is a shard.
        const std::vector<std::string> others = {
            write("shards/embedding-12.json", ""), write("shards/embedding-000000000099.json~", ""),
            write("shards/embeddings-00000000001x.csv", ""), write("shards/notes", "")};
        options.num_shards = 3;
        EXPECT_EQ(export_vectors(model, options).status().code(), StatusCode::kInvalidArgument);
        for (const std::uint32_t num_shards : {3U, 0U}) {
            options.num_shards = num_shards;
            options.overwrite = true;
            const Result<ExportReport> done = export_vectors(model, options);
            ASSERT_TRUE(done.ok()) << done.status().message();
            EXPECT_EQ(done->removed.size(), num_shards == 3 ? 9U : 2U);
            for (const std::string& gone : done->removed) {
                EXPECT_FALSE(std::filesystem::exists(gone)) << gone;
            }
            ImportReport report;
            const Result<ImportedVectors> imported =
                read_vectors(done->files, std::nullopt, report);
            ASSERT_TRUE(imported.ok()) << imported.status().message();
            expect_same(*imported, model);
        }
        for (const std::string& other : others) {
            EXPECT_TRUE(std::filesystem::exists(other)) << other;
        }
    }
    // One file of each format, the four others.
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("shards")),
                            std::filesystem::directory_iterator()),
              6);
}

TEST_F(Vectors, of_an_earlier_export_to_more_files_are_not_left_beside_the_first) {
    const Model model = small_model(23, 4);
    ExportOptions options = {.out = path("shards"), .num_shards = 4};
    ASSERT_TRUE(export_vectors(model, options).ok());
    for (int shard = 0; shard < 2; ++shard) {
        std::filesystem::remove(path("shards/embedding-00000000000" + std::to_string(shard)) +
                                ".json");
    }
    options.num_shards = 2;
    const Status refused = export_vectors(model, options).status();
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("embedding-000000000002.json"), std::string::npos);
}

TEST_F(Vectors, have_the_lines_the_blueprint_has) {
    ModelParts parts;
    parts.info.recipe = "import";
    parts.items.insert("17");
    parts.item_vectors = Matrix(1, 2);
    parts.item_vectors.row(0)[0] = 0.5F;
    parts.item_vectors.row(0)[1] = -2;
    const Model model = Model::from_parts(std::move(parts));
    ASSERT_TRUE(export_vectors(model, {.out = path("v.jsonl")}).ok());
    ASSERT_TRUE(export_vectors(model, {.out = path("v.csv"), .format = VectorFormat::kCsv}).ok());
    EXPECT_EQ(*read_text_file(path("v.jsonl"), 1000), "{\"id\":\"17\",\"embedding\":[0.5,-2]}\n");
    EXPECT_EQ(*read_text_file(path("v.csv"), 1000), "17,0.5,-2\n");
}

TEST_F(Vectors, leave_nothing_behind_when_they_cannot_be_written) {
    const Model model = small_model(9, 3);
    write("taken.jsonl", "mine");
    EXPECT_FALSE(export_vectors(model, {.out = path("taken.jsonl")}).ok());
    EXPECT_EQ(*read_text_file(path("taken.jsonl"), 100), "mine");
    EXPECT_FALSE(export_vectors(model, {.out = path("no/such/folder/v.jsonl")}).ok());
    EXPECT_FALSE(export_vectors(model, {.out = path("taken.jsonl") + "/v.jsonl"}).ok());
    EXPECT_FALSE(export_vectors(model, {.out = path("many"), .num_shards = 1'000'000}).ok());
    EXPECT_FALSE(
        export_vectors(model, {.out = path("n"), .format = VectorFormat::kNpy, .num_shards = 2})
            .ok());
    EXPECT_EQ(num_files(), 1U);
}

TEST_F(Vectors, are_not_there_in_a_model_of_lists) {
    ModelParts parts;
    parts.info.recipe = "cooc";
    parts.items.insert("a");
    const Model model = Model::from_parts(std::move(parts));
    EXPECT_FALSE(export_vectors(model, {.out = path("v.jsonl")}).ok());
    EXPECT_EQ(num_files(), 0U);
}

TEST_F(Vectors, are_refused_line_by_line_with_the_reason) {
    const std::string file = write("v.jsonl",
                                   "{\"id\":\"a\",\"embedding\":[1,2]}\n"
                                   "\n"
                                   "{\"id\":\"b\",\"embedding\":[1,2\n"
                                   "[1,2]\n"
                                   "{\"embedding\":[1,2]}\n"
                                   "{\"id\":\"\",\"embedding\":[1,2]}\n"
                                   "{\"id\":\"c\"}\n"
                                   "{\"id\":\"d\",\"embedding\":[1,2,3]}\n"
                                   "{\"id\":\"e\",\"embedding\":[1,1e39]}\n"
                                   "{\"id\":\"f\",\"embedding\":[1,null]}\n"
                                   "{\"id\":\"a\",\"embedding\":[1,2]}\n"
                                   "{\"id\":\"g\",\"embedding\":[1,\"x\"]}\n"
                                   "{\"id\":\"\xff\",\"embedding\":[1,2]}\n"
                                   "{\"id\":7,\"embedding\":[3,4]}\r\n"
                                   "{\"id\":{},\"embedding\":[3,4]}");
    ImportReport report;
    const Result<ImportedVectors> imported = read_vectors({file}, std::nullopt, report);
    ASSERT_TRUE(imported.ok()) << imported.status().message();
    ASSERT_EQ(imported->keys.size(), 2U);
    EXPECT_EQ(imported->keys[1], "7");
    EXPECT_EQ(report.lines_read, 14U);
    const std::vector<std::pair<std::uint64_t, ImportFault>> expected = {
        {3, ImportFault::kMalformed},  {4, ImportFault::kMalformed},  {5, ImportFault::kNoKey},
        {6, ImportFault::kNoKey},      {7, ImportFault::kNoVector},   {8, ImportFault::kDimension},
        {9, ImportFault::kNotFinite},  {10, ImportFault::kNotFinite}, {11, ImportFault::kDuplicate},
        {12, ImportFault::kMalformed}, {13, ImportFault::kMalformed}, {15, ImportFault::kNoKey}};
    ASSERT_EQ(report.issues.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(report.issues[i].line, expected[i].first);
        EXPECT_EQ(report.issues[i].fault, expected[i].second) << report.issues[i].what;
    }
}

TEST_F(Vectors, are_refused_in_csv_with_the_line_they_began_on) {
    const std::string file = write("v.csv",
                                   "\"a\nb\",1,2\n"
                                   "c,1\n"
                                   "d,1,x\n"
                                   "e,nan,2\n"
                                   ",1,2\n"
                                   "\"f,1,2\n");
    ImportReport report;
    const Result<ImportedVectors> imported = read_vectors({file}, std::nullopt, report);
    ASSERT_TRUE(imported.ok()) << imported.status().message();
    EXPECT_EQ(imported->keys.size(), 1U);
    EXPECT_EQ(imported->keys[0], "a\nb");
    const std::vector<std::pair<std::uint64_t, ImportFault>> expected = {
        {3, ImportFault::kDimension},
        {4, ImportFault::kMalformed},
        {5, ImportFault::kNotFinite},
        {6, ImportFault::kNoKey},
        {7, ImportFault::kMalformed}};
    ASSERT_EQ(report.issues.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(report.issues[i].line, expected[i].first);
        EXPECT_EQ(report.issues[i].fault, expected[i].second) << report.issues[i].what;
    }
}

TEST_F(Vectors, are_refused_in_few_words_however_long_the_key) {
    std::string key;
    while (key.size() < 3'000'000) {
        key += "é";
    }
    const std::string id = "{\"id\":\"" + key;
    const std::string jsonl = write("v.jsonl", id + "0\",\"embedding\":[1,2]}\n" +         //
                                                   id + "1\"}\n" +                         //
                                                   id + "2\",\"embedding\":[]}\n" +        //
                                                   id + "3\",\"embedding\":[1]}\n" +       //
                                                   id + "4\",\"embedding\":[1,null]}\n" +  //
                                                   id + "5\",\"embedding\":[1,\"\"]}\n" +  //
                                                   id + "0\",\"embedding\":[1,2]}\n");
    const std::string csv = write("v.csv", "a,1,2\nb,1," + key + "\n");
    for (const std::string& file : {jsonl, csv}) {
        ImportReport report;
        ASSERT_TRUE(read_vectors({file}, std::nullopt, report).ok());
        EXPECT_EQ(report.issues.size(), file == jsonl ? 6U : 1U);
        for (const ImportIssue& issue : report.issues) {
            EXPECT_LT(issue.what.size(), 150U);
            EXPECT_NE(issue.what.find("é…"), std::string::npos);
            EXPECT_TRUE(is_valid_utf8(issue.what));
        }
    }
}

TEST_F(Vectors, count_all_faults_and_keep_the_first_fifty) {
    std::string text = "a,1\n";
    for (int i = 0; i < 500; ++i) {
        text += "a,1\n";
    }
    ImportReport report;
    ASSERT_TRUE(read_vectors({write("v.csv", text)}, std::nullopt, report).ok());
    EXPECT_EQ(report.faults[static_cast<std::size_t>(ImportFault::kDuplicate)], 500U);
    ASSERT_EQ(report.issues.size(), kIssuesKept);
    EXPECT_EQ(report.issues.back().line, 51U);
}

TEST_F(Vectors, are_refused_whole_when_the_file_is_no_such_file) {
    const Model model = small_model(4, 3);
    ASSERT_TRUE(
        export_vectors(model, {.out = path("good.npy"), .format = VectorFormat::kNpy}).ok());
    const std::string npy = *read_text_file(path("good.npy"), 10000);
    const auto read = [&](const std::string& file) {
        ImportReport report;
        return read_vectors({file}, std::nullopt, report).ok();
    };
    // Every length of an npy file but the whole, and one byte more.
    std::filesystem::copy_file(path("good.keys.json"), path("cut.keys.json"));
    for (std::size_t length = 0; length < npy.size(); ++length) {
        EXPECT_FALSE(read(write("cut.npy", npy.substr(0, length)))) << length;
    }
    EXPECT_FALSE(read(write("cut.npy", npy + "x")));
    EXPECT_TRUE(read(write("cut.npy", npy)));
    write("cut.keys.json", "[\"a\"]");
    EXPECT_FALSE(read(path("cut.npy")));
    write("alone.npy", npy);
    EXPECT_FALSE(read(path("alone.npy")));
    EXPECT_FALSE(read(path("missing.jsonl")));
    EXPECT_FALSE(read(write("empty.jsonl", "")));
    EXPECT_FALSE(read(write("what.xyz", "a,1\n")));
    EXPECT_FALSE(read(write("no.parquet", "PAR1 but not really")));
}

TEST_F(Vectors, with_any_byte_of_an_npy_header_changed_are_refused_or_well_formed) {
    const Model model = small_model(4, 3);
    ASSERT_TRUE(export_vectors(model, {.out = path("v.npy"), .format = VectorFormat::kNpy}).ok());
    const std::string npy = *read_text_file(path("v.npy"), 10000);
    for (std::size_t at = 0; at < npy.size(); ++at) {
        std::string changed = npy;
        changed[at] = static_cast<char>(changed[at] ^ 0x5A);
        ImportReport report;
        const Result<ImportedVectors> imported =
            read_vectors({write("v.npy", changed)}, std::nullopt, report);
        if (imported.ok()) {
            EXPECT_EQ(imported->keys.size() + report.num_faults(), 4U);
        }
    }
}

TEST_F(Vectors, become_a_model_that_answers_by_cosine) {
    ImportReport report;
    Result<ImportedVectors> imported =
        read_vectors({write("v.csv", "east,2,0\nnorth,0,1\nnortheast,10,10\nwest,-1,0\n")},
                     std::nullopt, report);
    ASSERT_TRUE(imported.ok()) << imported.status().message();
    ThreadPool pool(2);
    const Result<ImportedBundle> written =
        write_imported(std::move(imported).value(), {.out = path("m.segue")}, pool);
    ASSERT_TRUE(written.ok()) << written.status().message();
    ASSERT_TRUE(written->index.has_value());
    EXPECT_EQ(written->index->path, SearchPath::kExact);
    const Result<Model> model = Model::open(path("m.segue"));
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_EQ(model->info().recipe, "import");
    const NeighboursView lists = model->neighbours();
    ASSERT_EQ(lists.list_size(0), 3U);
    EXPECT_EQ(model->item_keys()[lists.item_rows[0]], "northeast");
    EXPECT_EQ(model->item_keys()[lists.item_rows[1]], "north");
    EXPECT_EQ(model->item_keys()[lists.item_rows[2]], "west");
}

}  // namespace
}  // namespace segue
