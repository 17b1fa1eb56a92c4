// The service as it is run: started as a program, asked over sockets, given new models while it is
// asked, ended by a signal.

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "serve_program.h"

namespace segue {
namespace {

using testing::eventually;
using testing::get;
using testing::publish;
using testing::TemporaryFolder;
using testing::TestClient;
using testing::with_any_ports;

class ServeProgram : public testing::ServeTest {};

TEST_F(ServeProgram, answers_all_it_was_sent_while_models_change_and_until_its_end) {
    const std::uint16_t port = serve_folder({"--drain-delay", "1"});
    ASSERT_NE(port, 0);

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
    TestClient admin(admin_port());
    for (int version = 2; version <= 6; ++version) {
        publish(file("models/songs/" + std::to_string(version) + ".segue"));
        const std::string line = "version=\"" + std::to_string(version) +
                                 "\",state=\"AVAILABLE\",is_default=\"true\"} 1";
        EXPECT_TRUE(eventually(
            [&] { return admin.ask(get("/metrics")).body.find(line) != std::string::npos; }));
        std::filesystem::remove(file("models/songs/" + std::to_string(version - 1) + ".segue"));
    }
    program().send(SIGHUP);
    EXPECT_TRUE(eventually([&] { return num_answers > 200; }));
    program().send(SIGTERM);
    for (std::thread& client : clients) {
        client.join();
    }
    EXPECT_EQ(program().wait(), 0) << program().errors();
    EXPECT_EQ(num_wrong, 0);
    EXPECT_FALSE(TestClient(port).is_connected());
}

TEST_F(ServeProgram, serves_one_bundle_under_its_name) {
    const std::uint16_t port = serve_file();
    ASSERT_NE(port, 0);
    EXPECT_EQ(TestClient(port).ask(get("/v1/models/songs/versions/1")).status, 200);
    EXPECT_EQ(TestClient(port).ask(get("/readyz")).status, 200);
    program().send(SIGINT);
    EXPECT_EQ(program().wait(), 0);
}

TEST_F(ServeProgram, says_why_it_does_not_start) {
    publish(file("songs.segue"));
    const std::pair<std::vector<std::string>, int> cases[] = {
        {{file("missing.segue")}, 1},
        {{file("songs.segue"), "--listen", "0.0.0.0:0"}, 2},
        {{file("songs.segue"), "--listen", "nowhere"}, 2},
        {{file("songs.segue"), "--listen", "127.0.0.1:70000"}, 2},
        {{file("songs.segue"), "--tls-cert", "x"}, 2},
        {{file("songs.segue"), "--drain-delay", "9", "--drain-timeout", "1"}, 2},
        {with_any_ports({file("songs.segue"), "--tokens", file("missing")}), 1},
    };
    for (const auto& [arguments, exit_code] : cases) {
        const TemporaryFolder folder;
        testing::ServeProgram program(folder, arguments);
        EXPECT_EQ(program.wait(), exit_code) << arguments.back();
        EXPECT_NE(program.errors().find("segue serve: "), std::string::npos) << program.errors();
    }
}

TEST_F(ServeProgram, lives_on_after_being_stopped_for_a_while) {
    const std::uint16_t port = serve_file();
    ASSERT_NE(port, 0);
    TestClient client(port);
    EXPECT_EQ(client.ask(get("/livez")).status, 200);
    program().send(SIGSTOP);
    client.send(get("/livez"));
    program().send(SIGCONT);
    EXPECT_EQ(client.receive().status, 200);
    program().send(SIGTERM);
    EXPECT_EQ(program().wait(), 0);
}

}  // namespace
}  // namespace segue
