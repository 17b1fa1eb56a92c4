#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/temporary_folder.h"

namespace segue {
namespace {

using testing::TemporaryFolder;

std::string text_at(const std::string& path) {
    const Result<std::string> text = read_text_file(path, std::size_t{1} << 30);
    return text.ok() ? *text : "error: " + text.status().message();
}

Status put(const std::string& path, std::string_view text, bool overwrite = true) {
    Result<AtomicFile> file = AtomicFile::create(path, overwrite);
    if (!file.ok()) {
        return file.status();
    }
    const Status status = file->write(text);
    return status.ok() ? file->commit() : status;
}

std::size_t files_in(const TemporaryFolder& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        ++count;
    }
    return count;
}

/// This process may write files of at most that many bytes, and leaves no core behind when it
/// tries.
void limit_file_bytes(rlim_t bytes) {
    const rlimit none{0, 0};
    const rlimit limit{bytes, bytes};
    (void)::setrlimit(RLIMIT_CORE, &none);
    (void)::setrlimit(RLIMIT_FSIZE, &limit);
}

TEST(MappedFile, copies_what_nothing_changes_later) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a");
    std::ofstream(path) << "before";
    const Result<MappedFile> copied = MappedFile::copy(path);
    ASSERT_TRUE(copied.ok()) << copied.status().message();
    std::filesystem::resize_file(path, 0);
    ASSERT_EQ(copied->bytes().size(), 6U);
    EXPECT_EQ(std::memcmp(copied->bytes().data(), "before", 6), 0);
    EXPECT_EQ(MappedFile::copy(path)->bytes().size(), 0U);
    EXPECT_EQ(MappedFile::copy(folder.file("missing")).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(MappedFile::copy(folder.path()).status().code(), StatusCode::kInvalidArgument);
}

TEST(AtomicFile, puts_the_whole_text_in_place) {
    const TemporaryFolder folder;
    const std::string large(3'500'000, 'x');
    ASSERT_TRUE(put(folder.file("a"), "one two", false).ok());
    ASSERT_TRUE(put(folder.file("b"), large, false).ok());
    EXPECT_EQ(text_at(folder.file("a")), "one two");
    EXPECT_EQ(text_at(folder.file("b")), large);
    EXPECT_EQ(files_in(folder), 2u);
    struct stat info {};
    ASSERT_EQ(::stat(folder.file("a").c_str(), &info), 0);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    EXPECT_EQ(info.st_mode & 0777u, 0666u & ~mask);
}

TEST(AtomicFile, leaves_the_old_file_when_it_is_not_committed) {
    const TemporaryFolder folder;
    ASSERT_TRUE(put(folder.file("a"), "old").ok());
    {
        Result<AtomicFile> file = AtomicFile::create(folder.file("a"), true);
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE(file->write("new").ok());
        EXPECT_NE(file->temporary_path(), folder.file("a"));
        EXPECT_EQ(text_at(folder.file("a")), "old");
    }
    EXPECT_EQ(text_at(folder.file("a")), "old");
    EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, replaces_only_when_told) {
    const TemporaryFolder folder;
    ASSERT_TRUE(put(folder.file("a"), "old").ok());
    const Status refused = put(folder.file("a"), "new", false);
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("--force"), std::string::npos);
    EXPECT_EQ(text_at(folder.file("a")), "old");
    EXPECT_TRUE(put(folder.file("a"), "new", true).ok());
    EXPECT_EQ(text_at(folder.file("a")), "new");
}

TEST(AtomicFile, does_not_replace_a_file_that_appeared_meanwhile) {
    const TemporaryFolder folder;
    Result<AtomicFile> late = AtomicFile::create(folder.file("a"), false);
    ASSERT_TRUE(late.ok());
    ASSERT_TRUE(late->write("late").ok());
    ASSERT_TRUE(put(folder.file("a"), "first", false).ok());
    EXPECT_EQ(late->commit().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(text_at(folder.file("a")), "first");
}

TEST(AtomicFile, says_which_folder_is_missing) {
    const TemporaryFolder folder;
    const Status status = put(folder.file("none/a"), "text");
    EXPECT_EQ(status.code(), StatusCode::kIo);
    EXPECT_NE(status.message().find(folder.file("none")), std::string::npos);
    EXPECT_EQ(put(folder.path(), "text").code(), StatusCode::kInvalidArgument);
}

TEST(AtomicFile, never_replaces_what_is_no_regular_file) {
    const TemporaryFolder folder;
    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
    ASSERT_EQ(::mknod(folder.file("socket").c_str(), S_IFSOCK | 0600, 0), 0);
    std::filesystem::create_directory(folder.file("folder"));
    for (const std::string name : {"pipe", "socket", "folder"}) {
        std::filesystem::create_symlink(folder.file(name), folder.file("link to " + name));
    }
    const std::size_t num_files = files_in(folder);
    for (const std::string name : {"pipe", "socket", "folder"}) {
        for (const std::string& path : {folder.file(name), folder.file("link to " + name)}) {
            const std::filesystem::file_type type = std::filesystem::status(path).type();
            for (const bool overwrite : {false, true}) {
                const Status refused = put(path, "text", overwrite);
                EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << path;
                EXPECT_NE(refused.message().find(path), std::string::npos) << refused.message();
                EXPECT_EQ(refused.message().find("--force"), std::string::npos);
            }
            EXPECT_EQ(std::filesystem::status(path).type(), type) << path;
        }
    }
    EXPECT_EQ(files_in(folder), num_files);
}

TEST(AtomicFile, replaces_the_file_a_link_leads_to) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.file("far"));
    ASSERT_TRUE(put(folder.file("far/a"), "old").ok());
    std::filesystem::create_symlink("far/a", folder.file("near"));
    std::filesystem::create_symlink("near", folder.file("link"));
    const Status refused = put(folder.file("link"), "new", false);
    EXPECT_NE(refused.message().find("--force"), std::string::npos) << refused.message();
    {
        Result<AtomicFile> file = AtomicFile::create(folder.file("link"), true);
        ASSERT_TRUE(file.ok()) << file.status().message();
        EXPECT_EQ(std::filesystem::path(file->temporary_path()).parent_path(),
                  std::filesystem::canonical(folder.file("far")));
        ASSERT_TRUE(file->write("new").ok());
        ASSERT_TRUE(file->commit().ok());
    }
    EXPECT_EQ(std::filesystem::read_symlink(folder.file("link")), "near");
    EXPECT_EQ(std::filesystem::read_symlink(folder.file("near")), "far/a");
    EXPECT_EQ(text_at(folder.file("far/a")), "new");
    EXPECT_EQ(files_in(folder), 3u);
}

TEST(AtomicFile, refuses_links_that_lead_nowhere) {
    const TemporaryFolder folder;
    std::filesystem::create_symlink("none", folder.file("dangling"));
    std::filesystem::create_symlink("loop", folder.file("loop"));
    for (const bool overwrite : {false, true}) {
        EXPECT_EQ(put(folder.file("dangling"), "text", overwrite).code(),
                  StatusCode::kInvalidArgument);
        EXPECT_EQ(put(folder.file("loop"), "text", overwrite).code(), StatusCode::kIo);
    }
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("dangling")));
    EXPECT_EQ(files_in(folder), 2u);
}

TEST(AtomicFileDeathTest, leaves_the_old_file_when_the_disk_is_full) {
    const TemporaryFolder folder;
    ASSERT_TRUE(put(folder.file("a"), "old").ok());
    const auto write_too_much = [&] {
        (void)std::signal(SIGXFSZ, SIG_IGN);
        limit_file_bytes(3'000'000);
        std::_Exit(
            put(folder.file("a"), std::string(5'000'000, 'x')).code() == StatusCode::kIo ? 0 : 1);
    };
    EXPECT_EXIT(write_too_much(), ::testing::ExitedWithCode(0), "");
    EXPECT_EQ(text_at(folder.file("a")), "old");
    EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFileDeathTest, leaves_the_old_file_when_it_is_killed) {
    const TemporaryFolder folder;
    ASSERT_TRUE(put(folder.file("a"), "old").ok());
    const auto write_too_much = [&] {
        limit_file_bytes(3'000'000);
        (void)put(folder.file("a"), std::string(5'000'000, 'x'));
    };
    EXPECT_EXIT(write_too_much(), ::testing::KilledBySignal(SIGXFSZ), "");
    EXPECT_EQ(text_at(folder.file("a")), "old");
}

TEST(CheckWritable, says_beforehand_what_writing_would_say_and_leaves_nothing) {
    const TemporaryFolder folder;
    ASSERT_TRUE(put(folder.file("there"), "old").ok());
    EXPECT_TRUE(check_writable(folder.file("new"), false).ok());
    EXPECT_TRUE(check_writable(folder.file("there"), true).ok());
    EXPECT_EQ(check_writable(folder.file("there"), false).message(),
              put(folder.file("there"), "x", false).message());
    EXPECT_EQ(check_writable(folder.path(), true).message(), put(folder.path(), "x").message());
    const std::string missing = folder.file("no") + "/file";
    EXPECT_EQ(check_writable(missing, true).message(), put(missing, "x").message());
    EXPECT_EQ(files_in(folder), 1u);
    EXPECT_EQ(text_at(folder.file("there")), "old");
}

TEST(MappedFile, maps_what_is_there) {
    const TemporaryFolder folder;
    ASSERT_TRUE(put(folder.file("a"), "text").ok());
    ASSERT_TRUE(put(folder.file("empty"), "").ok());
    Result<MappedFile> file = MappedFile::open(folder.file("a"));
    ASSERT_TRUE(file.ok());
    MappedFile moved = std::move(*file);
    EXPECT_EQ(moved.bytes().size(), 4u);
    EXPECT_EQ(static_cast<char>(moved.bytes()[3]), 't');
    moved = *MappedFile::open(folder.file("empty"));
    EXPECT_EQ(moved.bytes().size(), 0u);
}

TEST(MappedFile, refuses_what_is_no_regular_file) {
    const TemporaryFolder folder;
    EXPECT_EQ(MappedFile::open(folder.file("none")).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(MappedFile::open(folder.path()).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(MappedFile::open("/dev/zero").status().code(), StatusCode::kInvalidArgument);
    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
    EXPECT_EQ(MappedFile::open(folder.file("pipe")).status().code(), StatusCode::kInvalidArgument);
}

TEST(ReadTextFile, refuses_files_above_the_limit) {
    const TemporaryFolder folder;
    ASSERT_TRUE(put(folder.file("a"), "12345").ok());
    EXPECT_EQ(*read_text_file(folder.file("a"), 5), "12345");
    EXPECT_EQ(read_text_file(folder.file("a"), 4).status().code(), StatusCode::kResourceLimit);
}

}  // namespace
}  // namespace segue
