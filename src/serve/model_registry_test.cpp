#include "serve/model_registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "model/model_fixture.h"

namespace segue::serve {
namespace {

Model small_model() {
    return Model::from_parts(testing::small_parts());
}

/// The version a request gets, 0 for none.
std::uint64_t version_of(const ModelRegistry& registry, std::string_view name,
                         const VersionChoice& choice = {}) {
    const Result<ModelSnapshot> found = registry.acquire(name, choice, 0);
    return found.ok() ? (*found)->version() : 0;
}

TEST(ModelRegistry, serves_the_newest_version_by_default) {
    ModelRegistry registry(1);
    EXPECT_FALSE(registry.has_models());
    EXPECT_EQ(registry.acquire("m", {}, 0).status().code(), StatusCode::kNotFound);
    registry.add({"m", 42}, small_model());
    registry.add({"m", 7}, small_model());
    registry.add({"other", 1}, small_model());
    EXPECT_EQ(version_of(registry, "m"), 42U);
    EXPECT_EQ(version_of(registry, "m", {7, ""}), 7U);
    EXPECT_EQ(version_of(registry, "m", {8, ""}), 0U);
    EXPECT_EQ(version_of(registry, "other"), 1U);
}

TEST(ModelRegistry, rolls_back_until_something_newer_comes) {
    ModelRegistry registry(1);
    for (const std::uint64_t number : {1U, 2U, 3U}) {
        registry.add({"m", number}, small_model());
    }
    EXPECT_EQ(registry.roll_back("m").value(), 2U);
    EXPECT_EQ(version_of(registry, "m"), 2U);
    EXPECT_EQ(registry.roll_back("m").value(), 1U);
    EXPECT_EQ(registry.roll_back("m").status().code(), StatusCode::kNotFound);
    EXPECT_EQ(version_of(registry, "m"), 1U);
    registry.add({"m", 4}, small_model());
    EXPECT_EQ(version_of(registry, "m"), 4U);
    EXPECT_EQ(registry.roll_back("m").value(), 1U) << "2 and 3 were rolled back before";
    registry.add({"m", 3}, small_model());
    EXPECT_EQ(version_of(registry, "m"), 3U) << "a new file of the same number is new";
    EXPECT_EQ(registry.roll_back("unknown").status().code(), StatusCode::kNotFound);
}

TEST(ModelRegistry, moves_labels_only_to_what_is_served) {
    ModelRegistry registry(1);
    registry.add({"m", 1}, small_model());
    registry.add({"m", 2}, small_model());
    EXPECT_TRUE(registry.set_label("m", "stable", 1).ok());
    EXPECT_EQ(version_of(registry, "m", {std::nullopt, "stable"}), 1U);
    EXPECT_EQ(registry.set_label("m", "stable", 3).code(), StatusCode::kNotFound);
    EXPECT_EQ(registry.set_label("m", "a/b", 1).code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(version_of(registry, "m", {std::nullopt, "stable"}), 1U);
    EXPECT_TRUE(registry.set_label("m", "stable", 2).ok());
    EXPECT_EQ(version_of(registry, "m", {std::nullopt, "stable"}), 2U);
    EXPECT_TRUE(registry.remove("m", 2).ok());
    EXPECT_EQ(version_of(registry, "m", {std::nullopt, "stable"}), 0U);
    EXPECT_EQ(registry.remove_label("m", "stable").code(), StatusCode::kNotFound);
}

TEST(ModelRegistry, keeps_what_a_request_holds_and_gives_it_back_afterwards) {
    ModelRegistry registry(1);
    registry.add({"m", 1}, small_model());
    ModelSnapshot held = registry.acquire("m", {}, 0).value();
    EXPECT_TRUE(registry.remove("m", 1).ok());
    EXPECT_EQ(registry.remove("m", 1).code(), StatusCode::kNotFound);
    EXPECT_FALSE(registry.has_models());
    EXPECT_EQ(registry.num_unloading(), 1U);
    EXPECT_EQ(held->model().num_items(), 4U);
    held.reset();
    while (registry.num_unloading() > 0) {
        std::this_thread::yield();
    }
}

TEST(ModelRegistry, reports_what_became_of_every_version) {
    ModelRegistry registry(1);
    registry.note_loading("m", 1);
    EXPECT_EQ(registry.reports("m").at(0).state, VersionState::kLoading);
    registry.add({"m", 1, 0.5}, small_model());
    registry.note_loading("m", 2);
    registry.note_failure("m", 2, corrupt("torn"));
    registry.note_loading("m", 1);
    registry.note_failure("m", 1, corrupt("its replacement is torn"));
    ASSERT_TRUE(registry.set_label("m", "live", 1).ok());
    const std::vector<VersionReport> reports = registry.reports();
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_EQ(reports[0].number, 2U);
    EXPECT_EQ(reports[0].state, VersionState::kEnd);
    EXPECT_EQ(reports[0].failure.message(), "torn");
    EXPECT_EQ(reports[1].state, VersionState::kAvailable);
    EXPECT_EQ(reports[1].failure.message(), "its replacement is torn");
    EXPECT_TRUE(reports[1].is_default);
    EXPECT_EQ(reports[1].labels, std::vector<std::string>{"live"});
    EXPECT_EQ(reports[1].load_seconds, 0.5);
    registry.forget("m", 2);
    registry.forget("m", 1);  // still served
    EXPECT_EQ(registry.reports("m").size(), 1U);
    EXPECT_TRUE(registry.reports("other").empty());
}

TEST(ModelRegistry, gives_every_reader_some_version_while_versions_change) {
    constexpr unsigned kReaders = 2;
    ModelRegistry registry(kReaders);
    registry.add({"m", 1}, small_model());
    std::atomic<bool> done = false;
    std::atomic<int> num_failed = 0;
    std::vector<std::thread> readers;
    for (unsigned worker = 0; worker < kReaders; ++worker) {
        readers.emplace_back([&, worker] {
            while (!done) {
                const Result<ModelSnapshot> found = registry.acquire("m", {}, worker);
                num_failed += !found.ok() || (*found)->model().num_items() != 4;
            }
        });
    }
    for (std::uint64_t number = 2; number < 60; ++number) {
        registry.add({"m", number}, small_model());
        EXPECT_TRUE(registry.remove("m", number - 1).ok());
    }
    done = true;
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(num_failed, 0);
}

TEST(ModelRegistry, takes_no_name_that_could_lead_elsewhere) {
    for (const char* const name : {"a", "A.b_c-9", "..x"}) {
        EXPECT_TRUE(is_valid_name(name)) << name;
    }
    for (const char* const name : {"", ".", "..", "a/b", "a b", "a\n", "\xC3\xA9", "a:b"}) {
        EXPECT_FALSE(is_valid_name(name)) << name;
    }
    EXPECT_FALSE(is_valid_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace segue::serve
