#pragma once

// For tests only: a folder of small files that goes away, and a session or a reason to skip.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "tables/session.h"

namespace segue::testing {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "segue-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    std::string write(const std::string& name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    std::string read(const std::string& name) const {
        std::ifstream file(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    /// Keeps the first half of a file.
    void cut_in_half(const std::string& name) const {
        std::filesystem::resize_file(path(name), std::filesystem::file_size(path(name)) / 2);
    }
    std::size_t num_files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_),
                                                      std::filesystem::directory_iterator()));
    }

private:
    std::filesystem::path folder_;
};

/// Tests with files: skipped where DuckDB cannot be loaded.
class TableTest : public ::testing::Test {
protected:
    void SetUp() override {
        Result<Session> opened = Session::open({.num_threads = 2, .memory_limit_bytes = 0});
        if (!opened.ok()) {
            GTEST_SKIP() << opened.status().message();
        }
        session_.emplace(std::move(*opened));
    }
    Session& session() { return *session_; }

    TemporaryFolder folder_;
    std::optional<Session> session_;
};

}  // namespace segue::testing
