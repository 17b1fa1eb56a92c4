// What may go wrong around a service as it is run: damaged and changed files, hostile and slow
// clients, too many of them, too few descriptors. docs/operations.md lists the faults with their
// tests.

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "serve_program.h"

namespace segue {
namespace {

using testing::eventually;
using testing::get;
using testing::publish;
using testing::TestClient;
using testing::text_of;

constexpr std::string_view kQuestion = "/v1/models/songs/items/a/similar?k=2";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHasSanitizer = true;
#elif defined(__has_feature)
constexpr bool kHasSanitizer = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kHasSanitizer = false;
#endif

/// The number behind a name in what /metrics says.
double metric(std::uint16_t port, const std::string& name) {
    const std::string text = "\n" + TestClient(port).ask(get("/metrics")).body;
    const std::size_t place = text.find("\n" + name + " ");
    return place == std::string::npos ? -1 : std::atof(text.c_str() + place + name.size() + 2);
}

/// Asks the same again and again on a connection of its own, until told to stop.
class Asker {
public:
    explicit Asker(std::uint16_t port) : thread_([this, port] { run(port); }) {}
    Asker(const Asker&) = delete;
    Asker& operator=(const Asker&) = delete;
    ~Asker() { stop(); }
    void stop() {
        is_done_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    int num_answers() const { return num_answers_; }
    int num_wrong() const { return num_wrong_; }

private:
    void run(std::uint16_t port) {
        TestClient client(port);
        while (!is_done_) {
            const TestClient::Answer answer = client.ask(get(std::string(kQuestion)));
            num_wrong_ += answer.status != 200 ||
                          answer.body.find("\"results\":[{\"id\":") == std::string::npos;
            ++num_answers_;
        }
    }

    std::atomic<bool> is_done_ = false;
    std::atomic<int> num_answers_ = 0;
    std::atomic<int> num_wrong_ = 0;
    std::thread thread_;
};

/// Sizes at which to cut a bundle: around where each of its tensors begins and ends, and others.
std::vector<std::size_t> places_to_cut(const std::string& bytes) {
    std::vector<std::size_t> places = {0, 1, 7, 8, 9, bytes.size() - 1};
    constexpr std::string_view kOffsets = "\"data_offsets\":[";
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
    for (std::size_t at = bytes.find(kOffsets); at != std::string::npos;
         at = bytes.find(kOffsets, at + 1)) {
        const std::size_t end =
            std::strtoull(bytes.c_str() + bytes.find(',', at + kOffsets.size()) + 1, nullptr, 10);
        for (const std::size_t place : {end - 1, end, end + 1}) {
            places.push_back(8 + header_bytes + place);
        }
    }
    Random random(1);
    while (places.size() < 100) {
        places.push_back(random.below(bytes.size()));
    }
    std::erase_if(places, [&](std::size_t place) { return place >= bytes.size(); });
    return places;
}

class ServeFaults : public testing::ServeTest {};

TEST_F(ServeFaults, bundles_cut_anywhere_are_refused_and_the_old_one_answers) {
    const std::uint16_t port = serve_folder();
    ASSERT_NE(port, 0);
    const std::string bytes = text_of(file("models/songs/1.segue"));
    Asker asker(port);
    std::uint64_t version = 2;
    for (const std::size_t size : places_to_cut(bytes)) {
        std::ofstream(file("cut"), std::ios::binary) << bytes.substr(0, size);
        std::filesystem::rename(file("cut"),
                                file("models/songs/" + std::to_string(version++) + ".segue"));
    }
    publish(file("models/last/1.segue"));
    EXPECT_TRUE(eventually([&] {
        return TestClient(port).ask(get("/v1/models/last")).status == 200 &&
               TestClient(port)
                       .ask(get("/v1/models/songs/versions/" + std::to_string(version - 1)))
                       .body.find("\"END\"") != std::string::npos;
    }));
    const std::string body = TestClient(port).ask(get("/v1/models/songs")).body;
    std::uint64_t num_ended = 0;
    for (std::size_t at = body.find("\"END\""); at != std::string::npos;
         at = body.find("\"END\"", at + 1)) {
        ++num_ended;
    }
    EXPECT_EQ(num_ended, version - 2);
    asker.stop();
    EXPECT_GT(asker.num_answers(), 0);
    EXPECT_EQ(asker.num_wrong(), 0);
}

TEST_F(ServeFaults, a_bundle_cut_while_it_is_mapped_ends_the_program_with_a_reason) {
    const std::uint16_t port = serve_file();
    ASSERT_NE(port, 0);
    std::filesystem::resize_file(file("songs.segue"), 0);
    EXPECT_EQ(TestClient(port).ask(get(std::string(kQuestion))).status, 0);
    EXPECT_EQ(program().wait(), 1);
    EXPECT_NE(program().errors().find("cut short"), std::string::npos) << program().errors();
}

TEST_F(ServeFaults, a_copied_bundle_answers_whatever_becomes_of_its_file) {
    const std::uint16_t port = serve_file({"--copy"});
    ASSERT_NE(port, 0);
    std::ofstream(file("songs.segue")) << "something else";
    EXPECT_EQ(TestClient(port).ask(get(std::string(kQuestion))).status, 200);
}

TEST_F(ServeFaults, slow_clients_are_told_so_and_others_are_answered) {
    const std::uint16_t port = serve_file({"--header-timeout", "0.4", "--body-timeout", "0.4",
                                           "--write-timeout", "0.4", "--idle-timeout", "5"});
    ASSERT_NE(port, 0);
    const std::uint16_t admin = admin_port();
    const double before = metric(admin, "process_resident_memory_bytes");
    Asker asker(port);
    constexpr int kEach = 100;
    std::list<TestClient> headers;
    std::list<TestClient> bodies;
    std::list<TestClient> readers;
    for (int number = 0; number < kEach; ++number) {
        headers.emplace_back(port).send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
        bodies.emplace_back(port).send(
            "POST /v1/models/songs:similar HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
        TestClient& reader = readers.emplace_back(port, 4096);
        for (int request = 0; request < 4; ++request) {
            reader.send(get("/openapi.json"));
        }
    }
    const double with_them = metric(admin, "process_resident_memory_bytes");
    if (!kHasSanitizer) {  // whose memory is much more
        EXPECT_LT((with_them - before) / (3 * kEach), 64 * 1024) << "bytes a connection";
    }
    for (TestClient& client : headers) {
        EXPECT_EQ(client.receive().status, 408);
    }
    for (TestClient& client : bodies) {
        EXPECT_EQ(client.receive().status, 408);
    }
    EXPECT_TRUE(eventually([&] { return metric(admin, "rec_timeouts_total") >= 2 * kEach; }));
    asker.stop();
    EXPECT_GT(asker.num_answers(), 0);
    EXPECT_EQ(asker.num_wrong(), 0);
}

TEST_F(ServeFaults, chunks_and_pipelines_without_end_are_cut_off) {
    const std::uint16_t port = serve_file();
    ASSERT_NE(port, 0);
    const std::uint16_t admin = admin_port();
    TestClient(port).ask(get(std::string(kQuestion)));
    const double before = metric(admin, "process_resident_memory_bytes");
    TestClient bomb(port);
    bomb.send(
        "POST /v1/models/songs:similar HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string chunks;
    for (int number = 0; number < 10'000; ++number) {
        chunks += "1\r\n \r\n";
    }
    for (int number = 0; number < 10 && bomb.send(chunks); ++number) {
    }
    const int refused = bomb.receive().status;
    EXPECT_TRUE(refused == 413 || refused == 0) << refused;  // its answer may be lost in a reset
    // Nobody reads the answers of a pipeline: it must not be read on without end either.
    TestClient pipeline(port, 4096);
    std::string requests;
    for (int number = 0; number < 65'536; ++number) {
        requests += "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    }
    std::thread sender([&] { pipeline.send(requests); });
    EXPECT_TRUE(eventually(
        [&] { return TestClient(port).ask(get(std::string(kQuestion))).status == 200; }));
    const double after = metric(admin, "process_resident_memory_bytes");
    if (!kHasSanitizer) {
        EXPECT_LT(after - before, 64.0 * (1 << 20));
    }
    pipeline.shut();
    sender.join();
    EXPECT_EQ(TestClient(port).ask(get(std::string(kQuestion))).status, 200);
}

TEST_F(ServeFaults, a_flood_of_connections_leaves_places_for_health) {
    const std::uint16_t port = serve_file({}, 128);
    ASSERT_NE(port, 0);
    const std::uint16_t admin = admin_port();
    for (int round = 0; round < 3; ++round) {
        std::list<TestClient> flood;
        for (int number = 0; number < 300; ++number) {
            flood.emplace_back(port);
        }
        EXPECT_EQ(TestClient(admin).ask(get("/livez")).status, 200);
        EXPECT_TRUE(eventually([&] { return metric(admin, "rec_connections") > 10; }));
        for (TestClient& client : flood) {
            client.reset();
        }
    }
    EXPECT_TRUE(eventually([&] {
        return TestClient(port).ask(get(std::string(kQuestion))).status == 200;
    })) << "places are free again";
}

TEST_F(ServeFaults, being_stopped_under_load_costs_no_answer) {
    const std::uint16_t port = serve_file();
    ASSERT_NE(port, 0);
    Asker one(port);
    Asker other(port);
    for (int round = 0; round < 3; ++round) {
        const int so_far = one.num_answers() + other.num_answers();
        EXPECT_TRUE(
            eventually([&] { return one.num_answers() + other.num_answers() > so_far + 20; }));
        program().send(SIGSTOP);
        TestClient meanwhile(port);
        meanwhile.send(get("/livez"));
        program().send(SIGCONT);
        EXPECT_EQ(meanwhile.receive().status, 200);
    }
    one.stop();
    other.stop();
    EXPECT_EQ(one.num_wrong() + other.num_wrong(), 0);
    program().send(SIGTERM);
    EXPECT_EQ(program().wait(), 0);
}

}  // namespace
}  // namespace segue
