#pragma once

// Runs the program as a shell would, in a folder of the test's own.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace segue {

struct RunResult {
    int exit_code = -1;  // -1 when a signal ended it
    std::string output;
    std::string errors;
};

inline std::string read_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Runs SEGUE_PROGRAM with stdin empty and both streams into files outside of `folder`.
inline RunResult run_segue(const std::string& folder, const std::vector<std::string>& arguments,
                           const std::string& output_path = "") {
    const std::string captured = folder + ".output";
    const std::string captured_errors = folder + ".errors";
    const pid_t child = ::fork();
    if (child == 0) {
        std::vector<char*> argv = {const_cast<char*>("segue")};
        for (const std::string& argument : arguments) {
            argv.push_back(const_cast<char*>(argument.c_str()));
        }
        argv.push_back(nullptr);
        const std::string out = output_path.empty() ? captured : output_path;
        const int flags = O_WRONLY | O_CREAT | O_TRUNC;
        const bool ready = ::chdir(folder.c_str()) == 0 &&
                           ::dup2(::open("/dev/null", O_RDONLY), 0) == 0 &&
                           ::dup2(::open(out.c_str(), flags, 0600), 1) == 1 &&
                           ::dup2(::open(captured_errors.c_str(), flags, 0600), 2) == 2;
        if (ready) {
            ::execv(SEGUE_PROGRAM, argv.data());
        }
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    RunResult result;
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.output = output_path.empty() ? read_whole(captured) : "";
    result.errors = read_whole(captured_errors);
    return result;
}

/// A folder with a generated table and models fitted on it, made once for a test program and
/// removed at its end.
class CliFolder : public testing::Test {
protected:
    static void SetUpTestSuite() {
        std::string pattern = testing::TempDir() + "segue_cli_XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
        const RunResult doctor = run_segue(folder_, {"doctor", "--json"});
        has_duckdb_ = doctor.output.find("\"found\":true") != std::string::npos;
        if (has_duckdb_) {
            EXPECT_EQ(run({"generate", "--rows", "6000", "--items", "200", "--genres", "8", "--out",
                           "rows.csv"})
                          .exit_code,
                      0);
            for (const char* recipe : {"ials", "cooc"}) {
                const RunResult fitted =
                    run({"fit", "rows.csv", "--title", "title", "--dim", "16", "--recipe", recipe,
                         "--out", std::string(recipe) + ".segue"});
                EXPECT_EQ(fitted.exit_code, 0) << fitted.errors;
            }
        }
    }
    static void TearDownTestSuite() {
        std::filesystem::remove_all(folder_);
        std::filesystem::remove(folder_ + ".output");
        std::filesystem::remove(folder_ + ".errors");
    }
    void SetUp() override {
        if (!has_duckdb_) {
            GTEST_SKIP() << "libduckdb is not found: run ./dev setup or set SEGUE_DUCKDB";
        }
    }

    static RunResult run(const std::vector<std::string>& arguments) {
        return run_segue(folder_, arguments);
    }
    static std::string path(const std::string& name) { return folder_ + "/" + name; }
    static void write(const std::string& name, const std::string& text) {
        std::ofstream(path(name), std::ios::binary) << text;
    }
    /// Names and sizes of everything below the folder.
    static std::set<std::string> listing() {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
            names.insert(entry.path().string() + " " +
                         (entry.is_regular_file() ? std::to_string(entry.file_size()) : "/"));
        }
        return names;
    }

    static inline std::string folder_;
    static inline bool has_duckdb_ = false;
};

}  // namespace segue
