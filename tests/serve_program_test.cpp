// The service as it is run: started as a program, asked over sockets, given new models while it is
// asked, ended by a signal.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/temporary_folder.h"
#include "http/test_client.h"
#include "model/model_fixture.h"

namespace segue {
namespace {

using testing::eventually;
using testing::TemporaryFolder;
using testing::TestClient;

void publish(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    ASSERT_TRUE(write_bundle(testing::small_parts(), path, true).ok());
}

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// `segue serve ARGUMENTS` with both streams in files; killed with *this.
class ServeProgram {
public:
    ServeProgram(const TemporaryFolder& folder, const std::vector<std::string>& arguments)
        : output_(folder.file("output")), errors_(folder.file("errors")) {
        std::ofstream(output_).close();
        child_ = ::fork();
        if (child_ == 0) {
            std::vector<char*> argv = {const_cast<char*>("segue"), const_cast<char*>("serve")};
            for (const std::string& argument : arguments) {
                argv.push_back(const_cast<char*>(argument.c_str()));
            }
            argv.push_back(nullptr);
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

const std::vector<std::string> kAnyPorts = {"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"};

std::vector<std::string> with_any_ports(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), kAnyPorts.begin(), kAnyPorts.end());
    return arguments;
}

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

TEST(ServeProgram, answers_all_it_was_sent_while_models_change_and_until_its_end) {
    const TemporaryFolder folder;
    publish(folder.file("models/songs/1.segue"));
    ServeProgram program(folder, with_any_ports({folder.file("models"), "--drain-delay", "0.3"}));
    const std::uint16_t port = program.port_of("listening");
    ASSERT_NE(port, 0) << program.errors();

    std::atomic<int> num_answers = 0;
    std::atomic<int> num_wrong = 0;
    std::vector<std::thread> clients;
    for (int number = 0; number < 4; ++number) {
        clients.emplace_back([&] {
            TestClient client(port);
            while (true) {
                const TestClient::Answer answer =
                    client.ask(get("/v1/models/songs/items/a/similar?k=2"));
                ++num_answers;
                num_wrong +=
                    answer.status != 200 || answer.body.find("\"id\":\"b\"") == std::string::npos;
                if (answer.status == 0 || answer.has("Connection: close\r\n")) {
                    return;
                }
            }
        });
    }
    TestClient admin(program.port_of("admin"));
    for (int version = 2; version <= 6; ++version) {
        publish(folder.file("models/songs/" + std::to_string(version) + ".segue"));
        const std::string line = "version=\"" + std::to_string(version) +
                                 "\",state=\"AVAILABLE\",is_default=\"true\"} 1";
        EXPECT_TRUE(eventually(
            [&] { return admin.ask(get("/metrics")).body.find(line) != std::string::npos; }));
        std::filesystem::remove(
            folder.file("models/songs/" + std::to_string(version - 1) + ".segue"));
    }
    program.send(SIGHUP);
    EXPECT_TRUE(eventually([&] { return num_answers > 200; }));
    program.send(SIGTERM);
    for (std::thread& client : clients) {
        client.join();
    }
    EXPECT_EQ(program.wait(), 0) << program.errors();
    EXPECT_EQ(num_wrong, 0);
    EXPECT_FALSE(TestClient(port).is_connected());
}

TEST(ServeProgram, serves_one_bundle_under_its_name) {
    const TemporaryFolder folder;
    publish(folder.file("songs.segue"));
    ServeProgram program(folder, with_any_ports({folder.file("songs.segue")}));
    const std::uint16_t port = program.port_of("listening");
    ASSERT_NE(port, 0) << program.errors();
    EXPECT_EQ(TestClient(port).ask(get("/v1/models/songs/versions/1")).status, 200);
    EXPECT_EQ(TestClient(port).ask(get("/readyz")).status, 200);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
}

TEST(ServeProgram, says_why_it_does_not_start) {
    const TemporaryFolder folder;
    publish(folder.file("songs.segue"));
    const std::pair<std::vector<std::string>, int> cases[] = {
        {{folder.file("missing.segue")}, 1},
        {{folder.file("songs.segue"), "--listen", "0.0.0.0:0"}, 2},
        {{folder.file("songs.segue"), "--listen", "nowhere"}, 2},
        {{folder.file("songs.segue"), "--listen", "127.0.0.1:70000"}, 2},
        {{folder.file("songs.segue"), "--tls-cert", "x"}, 2},
        {{folder.file("songs.segue"), "--drain-delay", "9", "--drain-timeout", "1"}, 2},
        {with_any_ports({folder.file("songs.segue"), "--tokens", folder.file("missing")}), 1},
    };
    for (const auto& [arguments, exit_code] : cases) {
        ServeProgram program(folder, arguments);
        EXPECT_EQ(program.wait(), exit_code) << arguments.back();
        EXPECT_NE(program.errors().find("segue serve: "), std::string::npos) << program.errors();
    }
}

TEST(ServeProgram, lives_on_after_being_stopped_for_a_while) {
    const TemporaryFolder folder;
    publish(folder.file("songs.segue"));
    ServeProgram program(folder, with_any_ports({folder.file("songs.segue")}));
    const std::uint16_t port = program.port_of("listening");
    ASSERT_NE(port, 0) << program.errors();
    TestClient client(port);
    EXPECT_EQ(client.ask(get("/livez")).status, 200);
    program.send(SIGSTOP);
    client.send(get("/livez"));
    program.send(SIGCONT);
    EXPECT_EQ(client.receive().status, 200);
    program.send(SIGTERM);
    EXPECT_EQ(program.wait(), 0);
}

}  // namespace
}  // namespace segue
