#pragma once

// For tests: `segue serve` as it is run, with a bundle to serve.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/temporary_folder.h"
#include "http/test_client.h"
#include "model/model_fixture.h"

namespace segue::testing {

inline void publish(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    ASSERT_TRUE(write_bundle(small_parts(), path, true).ok());
}

inline std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// `segue serve ARGUMENTS` with both streams in files; killed with *this.
class ServeProgram {
public:
    /// `max_files` limits its descriptors, 0 leaves them as they are.
    ServeProgram(const TemporaryFolder& folder, const std::vector<std::string>& arguments,
                 rlim_t max_files = 0)
        : output_(folder.file("output")), errors_(folder.file("errors")) {
        std::ofstream(output_).close();
        child_ = ::fork();
        if (child_ == 0) {
            std::vector<char*> argv = {const_cast<char*>("segue"), const_cast<char*>("serve")};
            for (const std::string& argument : arguments) {
                argv.push_back(const_cast<char*>(argument.c_str()));
            }
            argv.push_back(nullptr);
            const rlimit files = {max_files, max_files};
            if (max_files > 0 && ::setrlimit(RLIMIT_NOFILE, &files) != 0) {
                ::_exit(126);
            }
            const int flags = O_WRONLY | O_CREAT | O_TRUNC;
            if (::dup2(::open(output_.c_str(), flags, 0600), 1) == 1 &&
                ::dup2(::open(errors_.c_str(), flags, 0600), 2) == 2) {
                ::execv(SEGUE_PROGRAM, argv.data());
            }
            ::_exit(127);
        }
    }
    ServeProgram(const ServeProgram&) = delete;
    ServeProgram& operator=(const ServeProgram&) = delete;
    ~ServeProgram() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
    }

    /// The port behind `word` in what it printed; 0 when it ended before that.
    std::uint16_t port_of(const std::string& word) {
        std::uint16_t port = 0;
        eventually([&] {
            const std::string text = text_of(output_);
            const std::size_t line = text.find(word + " http://127.0.0.1:");
            const std::size_t end = text.find('\n', line);
            if (line != std::string::npos && end != std::string::npos) {
                const std::size_t colon = text.rfind(':', end);
                port = static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1));
            }
            return port != 0 || has_ended();
        });
        return port;
    }
    void send(int signal) const { ::kill(child_, signal); }
    /// Its exit code, -1 when it does not end.
    int wait() {
        return eventually([&] { return has_ended(); }) ? exit_code_ : -1;
    }
    std::string errors() const { return text_of(errors_); }
    pid_t process() const { return child_; }

private:
    bool has_ended() {
        int status = 0;
        if (child_ > 0 && ::waitpid(child_, &status, WNOHANG) == child_) {
            child_ = 0;
            exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -2;
        }
        return child_ == 0;
    }

    std::string output_;
    std::string errors_;
    pid_t child_ = 0;
    int exit_code_ = -1;
};

inline std::vector<std::string> with_any_ports(std::vector<std::string> arguments) {
    // Nor does a busy machine shed anything.
    for (const char* const argument :
         {"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--max-queue-ms", "0"}) {
        arguments.emplace_back(argument);
    }
    return arguments;
}

inline std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

/// A test of a service of the model "songs", version 1.
class ServeTest : public ::testing::Test {
protected:
    /// Serves songs.segue. The port it listens on; 0 when it ended before that, and the test fails.
    std::uint16_t serve_file(const std::vector<std::string>& flags = {}, rlim_t max_files = 0) {
        publish(file("songs.segue"));
        return serve("songs.segue", flags, max_files);
    }
    /// Likewise, the folder models with songs/1.segue.
    std::uint16_t serve_folder(const std::vector<std::string>& flags = {}) {
        publish(file("models/songs/1.segue"));
        return serve("models", flags, 0);
    }
    std::string file(const std::string& name) const { return folder_.file(name); }
    ServeProgram& program() { return *program_; }
    std::uint16_t admin_port() { return program_->port_of("admin"); }

private:
    std::uint16_t serve(const std::string& source, std::vector<std::string> arguments,
                        rlim_t max_files) {
        arguments.insert(arguments.begin(), file(source));
        program_.emplace(folder_, with_any_ports(std::move(arguments)), max_files);
        const std::uint16_t port = program_->port_of("listening");
        EXPECT_NE(port, 0) << program_->errors();
        return port;
    }

    TemporaryFolder folder_;
    std::optional<ServeProgram> program_;
};

}  // namespace segue::testing
