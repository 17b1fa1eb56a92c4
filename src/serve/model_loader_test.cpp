#include "serve/model_loader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "http/test_client.h"
#include "model/model_fixture.h"

namespace segue::serve {
namespace {

namespace fs = std::filesystem;
using segue::testing::eventually;
using segue::testing::small_parts;

class ModelLoaderTest : public ::testing::Test {
protected:
    /// Writes a bundle whose seed tells it from others.
    void publish(const std::string& file, std::uint64_t seed = 7) {
        fs::create_directories(fs::path(folder_.file(file)).parent_path());
        ModelParts parts = small_parts();
        parts.info.seed = seed;
        ASSERT_TRUE(write_bundle(parts, folder_.file(file), true).ok());
    }
    void write(const std::string& file, const std::string& bytes) {
        fs::create_directories(fs::path(folder_.file(file)).parent_path());
        std::ofstream(folder_.file(file), std::ios::binary) << bytes;
    }
    std::string bytes_of(const std::string& file) {
        return read_text_file(folder_.file(file), 1 << 20).value();
    }
    void start(const ModelLoaderOptions& options = {}, const std::string& file = "") {
        Result<ModelFolder> folder =
            ModelFolder::open(file.empty() ? folder_.path() : folder_.file(file));
        ASSERT_TRUE(folder.ok()) << folder.status().message();
        Result<std::unique_ptr<ModelLoader>> started =
            ModelLoader::start(std::move(*folder), options, registry_);
        ASSERT_TRUE(started.ok()) << started.status().message();
        loader_ = std::move(*started);
    }
    /// Seed of the version that answers, 0 for none.
    std::uint64_t seed_of(const std::string& name, std::optional<std::uint64_t> number = {}) {
        const Result<ModelSnapshot> found = registry_.acquire(name, {number, ""}, 0);
        return found.ok() ? (*found)->model().info().seed : 0;
    }

    segue::testing::TemporaryFolder folder_;
    ModelRegistry registry_{1};
    std::unique_ptr<ModelLoader> loader_;
};

TEST_F(ModelLoaderTest, serves_every_version_of_a_folder_and_nothing_else) {
    publish("songs/1.segue", 1);
    publish("songs/12.segue", 12);
    publish("books/3.segue", 3);
    publish("songs/007.segue");
    publish("songs/x.segue");
    publish("songs/-1.segue");
    publish("songs/4.segue.tmp");
    publish("bad name/1.segue");
    publish("5.segue");
    fs::create_symlink("1.segue", folder_.file("songs/9.segue"));
    fs::create_directories(folder_.file("songs/8.segue"));
    fs::create_directory_symlink("songs", folder_.file("linked"));
    start();
    EXPECT_EQ(registry_.reports().size(), 3U);
    EXPECT_EQ(seed_of("songs"), 12U);
    EXPECT_EQ(seed_of("songs", 1), 1U);
    EXPECT_EQ(seed_of("books"), 3U);
    EXPECT_GT(registry_.reports("books")[0].load_seconds, 0);
}

TEST_F(ModelLoaderTest, follows_what_is_renamed_into_place_and_removed) {
    publish("songs/1.segue", 1);
    start();
    publish("songs/2.segue", 2);
    EXPECT_TRUE(eventually([&] { return seed_of("songs") == 2; }));
    publish("songs/2.segue", 22);
    EXPECT_TRUE(eventually([&] { return seed_of("songs", 2) == 22; }));
    publish("books/1.segue", 5);
    EXPECT_TRUE(eventually([&] { return seed_of("books") == 5; }));
    publish("books/2.segue", 6);
    EXPECT_TRUE(eventually([&] { return seed_of("books") == 6; }));
    fs::remove(folder_.file("songs/2.segue"));
    EXPECT_TRUE(eventually([&] { return seed_of("songs") == 1; }));
    fs::remove_all(folder_.file("books"));
    EXPECT_TRUE(eventually([&] { return seed_of("books") == 0; }));
    EXPECT_TRUE(eventually([&] { return registry_.num_unloading() == 0; }));
}

TEST_F(ModelLoaderTest, does_not_look_at_files_that_are_still_written) {
    publish("songs/1.segue", 1);
    publish("elsewhere", 2);
    const std::string whole = bytes_of("elsewhere");
    start();
    write("songs/2.segue", whole.substr(0, whole.size() / 2));
    // The next change comes after the half file, so once it is seen, the half was passed over.
    publish("songs/3.segue", 3);
    EXPECT_TRUE(eventually([&] { return seed_of("songs") == 3; }));
    EXPECT_EQ(registry_.reports("songs").size(), 2U);
    EXPECT_EQ(seed_of("songs", 2), 0U);
}

TEST_F(ModelLoaderTest, keeps_what_it_serves_when_its_replacement_is_bad) {
    publish("songs/1.segue", 1);
    start();
    const std::string whole = bytes_of("songs/1.segue");
    for (const std::size_t size :
         {whole.size() - 1, whole.size() / 2, std::size_t{9}, std::size_t{0}}) {
        write("new", whole.substr(0, size));
        fs::rename(folder_.file("new"), folder_.file("songs/1.segue"));
        EXPECT_TRUE(eventually([&] { return !registry_.reports("songs")[0].failure.ok(); }));
        EXPECT_EQ(registry_.reports("songs")[0].state, VersionState::kAvailable);
        EXPECT_EQ(seed_of("songs"), 1U);
        publish("songs/1.segue", 1);
        EXPECT_TRUE(eventually([&] { return registry_.reports("songs")[0].failure.ok(); }));
    }
    std::string flipped = whole;
    flipped[whole.size() - 3] = static_cast<char>(flipped[whole.size() - 3] ^ 1);
    write("new", flipped);
    fs::rename(folder_.file("new"), folder_.file("songs/2.segue"));
    EXPECT_TRUE(eventually(
        [&] { return registry_.reports("songs")[0].failure.code() == StatusCode::kCorrupt; }));
    EXPECT_EQ(registry_.reports("songs")[0].state, VersionState::kEnd);
    EXPECT_EQ(seed_of("songs"), 1U);
    MetricsText text;
    loader_->write_metrics(text);
    EXPECT_NE(text.take().find("rec_model_load_failures_total{reason=\"corrupt\"}"),
              std::string::npos);
}

TEST_F(ModelLoaderTest, refuses_what_was_not_blessed_where_that_is_asked_for) {
    publish("songs/1.segue", 1);
    start({.require_blessed = true});
    EXPECT_EQ(seed_of("songs"), 0U);
    EXPECT_NE(registry_.reports("songs")[0].failure.message().find("segue index"),
              std::string::npos);
}

TEST_F(ModelLoaderTest, loads_and_unloads_on_request) {
    publish("songs/1.segue", 1);
    publish("songs/2.segue", 2);
    start();
    EXPECT_EQ(loader_->load("songs", 3).code(), StatusCode::kNotFound);
    EXPECT_EQ(loader_->load("../songs", {}).code(), StatusCode::kNotFound);
    EXPECT_TRUE(loader_->unload("songs", 2).ok());
    EXPECT_EQ(seed_of("songs"), 1U);
    EXPECT_EQ(loader_->unload("songs", 2).code(), StatusCode::kNotFound);
    loader_->rescan();
    publish("songs/3.segue", 3);
    EXPECT_TRUE(eventually([&] { return seed_of("songs") == 3; }));
    EXPECT_EQ(seed_of("songs", 2), 0U) << "until it is asked for again";
    EXPECT_TRUE(loader_->load("songs", 2).ok());
    EXPECT_EQ(seed_of("songs", 2), 2U);
    EXPECT_TRUE(loader_->unload("songs", {}).ok());
    EXPECT_FALSE(registry_.has_models());
    EXPECT_TRUE(loader_->load("songs", {}).ok());
    EXPECT_EQ(seed_of("songs"), 3U);
}

TEST_F(ModelLoaderTest, loads_later_where_nobody_wants_to_wait) {
    publish("songs/1.segue", 1);
    publish("songs/2.segue", 2);
    write("songs/3.segue", "no bundle");
    start();
    ASSERT_TRUE(loader_->unload("songs", 2).ok());
    EXPECT_EQ(loader_->load_later("songs", 9).code(), StatusCode::kNotFound);
    EXPECT_TRUE(loader_->load_later("songs", 2).ok());
    EXPECT_TRUE(eventually([&] { return seed_of("songs", 2) == 2; }));
    EXPECT_TRUE(loader_->load_later("songs", {}).ok()) << "the newest, which is bad";
    EXPECT_TRUE(eventually([&] {
        const VersionReport newest = registry_.reports("songs")[0];
        return newest.state == VersionState::kEnd && !newest.failure.ok();
    }));
}

TEST_F(ModelLoaderTest, looks_again_at_everything_when_told) {
    publish("songs/1.segue", 1);
    publish("whole", 2);
    write("songs/2.segue", "no bundle");
    start();
    EXPECT_EQ(seed_of("songs"), 1U);
    write("songs/2.segue", bytes_of("whole"));
    loader_->rescan();
    EXPECT_TRUE(eventually([&] { return seed_of("songs") == 2; }));
}

TEST_F(ModelLoaderTest, serves_one_file_under_its_name) {
    publish("songs.segue", 1);
    publish("other.segue", 9);
    start({}, "songs.segue");
    EXPECT_EQ(seed_of("songs", 1), 1U);
    publish("songs.segue", 2);
    EXPECT_TRUE(eventually([&] { return seed_of("songs") == 2; }));
    EXPECT_EQ(registry_.reports().size(), 1U);
    EXPECT_EQ(ModelFolder::open(folder_.file("missing.segue")).status().code(),
              StatusCode::kNotFound);
    publish("a b.segue");
    EXPECT_EQ(ModelFolder::open(folder_.file("a b.segue")).status().code(),
              StatusCode::kInvalidArgument);
}

TEST_F(ModelLoaderTest, keeps_only_the_newest_versions_where_that_is_asked_for) {
    for (const std::uint64_t number : {1U, 2U, 3U}) {
        publish("songs/" + std::to_string(number) + ".segue", number);
    }
    start({.max_versions = 2});
    EXPECT_EQ(seed_of("songs", 1), 0U);
    EXPECT_EQ(seed_of("songs", 2), 2U);
    publish("songs/4.segue", 4);
    EXPECT_TRUE(eventually([&] { return seed_of("songs", 4) == 4 && seed_of("songs", 2) == 0; }));
    EXPECT_EQ(seed_of("songs", 3), 3U);
}

TEST_F(ModelLoaderTest, keeps_an_older_version_until_the_newer_one_is_served) {
    publish("songs/1.segue", 1);
    start({.max_versions = 1});
    const std::string whole = bytes_of("songs/1.segue");
    // Somebody writes it in place, which says nothing of when it is whole.
    write("songs/2.segue", whole.substr(0, whole.size() / 2));
    publish("books/1.segue", 5);
    EXPECT_TRUE(eventually([&] { return seed_of("books") == 5; }));
    EXPECT_EQ(seed_of("songs"), 1U);
    write("new", whole.substr(0, whole.size() - 1));
    fs::rename(folder_.file("new"), folder_.file("songs/2.segue"));
    EXPECT_TRUE(eventually([&] { return !registry_.reports("songs")[0].failure.ok(); }));
    publish("books/2.segue", 6);
    EXPECT_TRUE(eventually([&] { return seed_of("books") == 6; }));
    EXPECT_EQ(seed_of("songs"), 1U);
    loader_.reset();
    ASSERT_TRUE(registry_.remove("songs", 1).ok());
    start({.max_versions = 1});
    EXPECT_EQ(seed_of("songs"), 1U) << "the newest that can be served";
    publish("songs/2.segue", 2);
    EXPECT_TRUE(eventually([&] { return seed_of("songs") == 2 && seed_of("songs", 1) == 0; }));
}

TEST_F(ModelLoaderTest, keeps_older_versions_that_somebody_asks_for) {
    for (const std::uint64_t number : {1U, 2U, 3U}) {
        publish("songs/" + std::to_string(number) + ".segue", number);
    }
    const auto publish_and_wait = [&](std::uint64_t number) {
        publish("songs/" + std::to_string(number) + ".segue", number);
        EXPECT_TRUE(eventually([&] { return seed_of("songs", number) == number; }));
    };
    start({.max_versions = 2});
    EXPECT_EQ(seed_of("songs", 1), 0U);
    EXPECT_TRUE(loader_->load("songs", 1).ok());
    ASSERT_TRUE(registry_.set_label("songs", "stable", 2).ok());
    publish_and_wait(4);
    publish_and_wait(5);
    EXPECT_EQ(seed_of("songs", 1), 1U) << "it was asked for by hand";
    EXPECT_EQ(seed_of("songs", 2), 2U) << "it has a label";
    EXPECT_TRUE(eventually([&] { return seed_of("songs", 3) == 0; }));
    ASSERT_TRUE(loader_->unload("songs", 1).ok());
    ASSERT_EQ(registry_.roll_back("songs").value(), 4U);
    ASSERT_EQ(registry_.roll_back("songs").value(), 2U);
    ASSERT_TRUE(registry_.remove_label("songs", "stable").ok());
    publish("books/1.segue", 1);
    publish("books/2.segue", 2);
    EXPECT_TRUE(eventually([&] { return seed_of("books") == 2; }));
    EXPECT_EQ(seed_of("songs"), 2U) << "it was rolled back to";
    publish_and_wait(6);
    publish_and_wait(7);
    EXPECT_TRUE(eventually([&] { return seed_of("songs", 2) == 0; })) << "nobody asks for it";
}

TEST_F(ModelLoaderTest, reads_copies_that_no_change_of_the_file_reaches) {
    publish("songs/1.segue", 1);
    start({.copy = true});
    fs::resize_file(folder_.file("songs/1.segue"), 10);
    const ModelSnapshot served = registry_.acquire("songs", {}, 0).value();
    Query query;
    query.items.push_back({"a", 1});
    EXPECT_EQ(served->recommender().answer(query)->results.size(), 3U);
    EXPECT_EQ(served->model().item_keys()[3], "d");
}

TEST_F(ModelLoaderTest, refuses_what_would_take_too_much_memory) {
    publish("songs/1.segue", 1);
    start({.max_memory_bytes = 1});
    EXPECT_EQ(seed_of("songs"), 0U);
    EXPECT_EQ(registry_.reports("songs")[0].failure.code(), StatusCode::kResourceLimit);
    loader_.reset();
    start({.max_memory_bytes = std::uint64_t{1} << 40});
    EXPECT_EQ(seed_of("songs"), 1U);
}

TEST_F(ModelLoaderTest, never_leaves_a_request_without_an_answer_while_it_replaces) {
    publish("songs/1.segue", 1);
    start();
    std::atomic<bool> is_done = false;
    std::thread reader([&] {
        while (!is_done) {
            EXPECT_NE(seed_of("songs"), 0U);
        }
    });
    for (std::uint64_t number = 2; number <= 20; ++number) {
        publish("songs/" + std::to_string(number) + ".segue", number);
        EXPECT_TRUE(eventually([&] {
            return registry_.reports("songs").front().number == number &&
                   registry_.reports("songs").front().state == VersionState::kAvailable;
        }));
        fs::remove(folder_.file("songs/" + std::to_string(number - 1) + ".segue"));
    }
    is_done = true;
    reader.join();
}

}  // namespace
}  // namespace segue::serve
