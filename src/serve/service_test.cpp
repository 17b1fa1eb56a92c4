#include "serve/service.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/temporary_folder.h"
#include "http/test_client.h"
#include "model/model_fixture.h"
#include "serve/answer_record.h"

namespace segue::serve {
namespace {

using segue::testing::eventually;
using segue::testing::TestClient;
using std::chrono::milliseconds;

constexpr std::string_view kReadToken = "read-read-read-read";
constexpr std::string_view kUserToken = "user-user-user-user";
constexpr std::string_view kAdminToken = "admin-admin-admin-admin";
constexpr std::string_view kMetricsToken = "metrics-metrics-metrics";

class ServiceTest : public ::testing::Test {
protected:
    void publish(const std::string& file, std::uint64_t seed = 1) {
        std::filesystem::create_directories(
            std::filesystem::path(folder_.file(file)).parent_path());
        ModelParts parts = segue::testing::small_parts();
        parts.info.seed = seed;
        ASSERT_TRUE(write_bundle(parts, folder_.file(file), true).ok());
    }
    void write_tokens(const std::string& text) {
        std::ofstream(folder_.file("tokens")) << text;
        ASSERT_EQ(::chmod(folder_.file("tokens").c_str(), 0600), 0);
    }
    void start(bool with_tokens = false) {
        ServiceOptions options;
        options.source = folder_.file("models");
        options.http.listeners = {{.is_admin = false}, {.is_admin = true}};
        options.http.num_loops = 2;
        options.http.max_queue_age = std::chrono::microseconds(0);  // a busy machine sheds nothing
        if (with_tokens) {
            options.tokens_file = folder_.file("tokens");
        }
        Result<std::unique_ptr<Service>> started = Service::start(options);
        ASSERT_TRUE(started.ok()) << started.status().message();
        service_ = std::move(*started);
        port_ = service_->ports()[0];
        admin_port_ = service_->ports()[1];
    }
    TestClient::Answer ask(std::string_view method, std::string_view path,
                           std::string_view body = {}, std::string_view token = {},
                           bool on_admin = false) const {
        std::string request =
            std::string(method) + " " + std::string(path) +
            " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
        if (!token.empty()) {
            request += "Authorization: Bearer " + std::string(token) + "\r\n";
        }
        request += "\r\n" + std::string(body);
        TestClient::Answer answer = TestClient(on_admin ? admin_port_ : port_).ask(request);
        record(method, path, body, answer);
        return answer;
    }
    static void record(std::string_view method, std::string_view path, std::string_view body,
                       const TestClient::Answer& answer) {
        constexpr std::string_view kType = "Content-Type: ";
        const std::size_t type = answer.head.find(kType);
        std::string content_type;
        if (type != std::string::npos) {
            const std::size_t begin = type + kType.size();
            content_type = answer.head.substr(begin, answer.head.find('\r', begin) - begin);
        }
        testing::record_answer({path.substr(0, path.find('?')), method, answer.status, content_type,
                                body, answer.body});
    }
    TestClient::Answer admin(std::string_view method, std::string_view path,
                             std::string_view body = {}) const {
        return ask(method, path, body, {}, true);
    }

    segue::testing::TemporaryFolder folder_;
    std::unique_ptr<Service> service_;
    std::uint16_t port_ = 0;
    std::uint16_t admin_port_ = 0;
};

TEST_F(ServiceTest, says_whether_it_is_alive_and_ready) {
    std::filesystem::create_directories(folder_.file("models"));
    start();
    EXPECT_EQ(ask("GET", "/livez").status, 200);
    EXPECT_EQ(ask("GET", "/v2/health/live").status, 200);
    for (const char* const path : {"/readyz", "/healthz", "/v2/health/ready"}) {
        EXPECT_EQ(ask("GET", path).status, 503);
    }
    EXPECT_EQ(ask("GET", "/readyz").body, R"({"ready":false,"reason":"no model is served yet"})");
    publish("models/songs/1.segue");
    EXPECT_TRUE(eventually([&] { return ask("GET", "/readyz").status == 200; }));
    EXPECT_EQ(ask("GET", "/readyz").body, R"({"ready":true})");
}

TEST_F(ServiceTest, lists_models_versions_and_labels_and_moves_them) {
    publish("models/songs/1.segue");
    publish("models/songs/2.segue");
    std::filesystem::create_directories(folder_.file("models/books"));
    std::ofstream(folder_.file("models/books/1.segue")) << "no bundle";
    start();
    EXPECT_EQ(
        ask("GET", "/v1/models/songs").body,
        R"({"model_version_status":[{"version":"2","state":"AVAILABLE","status":{"error_code":"OK",)"
        R"("error_message":""},"default":true,"labels":[]},{"version":"1","state":"AVAILABLE",)"
        R"("status":{"error_code":"OK","error_message":""},"default":false,"labels":[]}]})");
    EXPECT_EQ(
        ask("GET", "/v1/models/songs/versions/1/metadata").body,
        R"({"model":"songs","version":"1","recipe":"ials","answer_by":"fold_in","num_items":4,)"
        R"("num_groups":3,"dim":2,"attributes":["title","artist"],"input_hash":"0123456789abcdef",)"
        R"("parameters":{"dim":2,"note":"a \"quoted\" word","nested":{"x":[1]}},"index":null})");
    EXPECT_EQ(ask("GET", "/v1/models/songs/versions/3/metadata").status, 404);
    EXPECT_EQ(ask("GET", "/v1/models/unknown").status, 404);
    EXPECT_EQ(ask("GET", "/v1/models/songs/versions/3").status, 404);
    EXPECT_EQ(ask("PUT", "/v1/models/songs/labels/stable", R"({"version":"1"})").status, 403);
    EXPECT_EQ(admin("PUT", "/v1/models/songs/labels/stable", R"({"version":"1"})").body,
              R"({"model":"songs","label":"stable","version":"1"})");
    EXPECT_EQ(admin("PUT", "/v1/models/songs/labels/stable", R"({"version":3})").status, 404);
    for (const char* const body : {"", "{}", "[]", R"({"version":"x"})", R"({"version":-1})",
                                   R"({"version":"1","more":1})", R"({"version":null})"}) {
        EXPECT_EQ(admin("PUT", "/v1/models/songs/labels/stable", body).status, 400) << body;
    }
    EXPECT_NE(ask("GET", "/v1/models/songs/labels/stable").body.find("\"version\":\"1\""),
              std::string::npos);
    EXPECT_EQ(admin("POST", "/v1/models/songs:rollback").body,
              R"({"model":"songs","version":"1"})");
    EXPECT_EQ(admin("POST", "/v1/models/songs:rollback").status, 404);
    EXPECT_EQ(admin("DELETE", "/v1/models/songs/labels/stable").status, 204);
    EXPECT_EQ(admin("DELETE", "/v1/models/songs/labels/stable").status, 404);
    // Files are named to administrators only.
    EXPECT_NE(admin("GET", "/v1/models").body.find(folder_.path()), std::string::npos);
    EXPECT_EQ(ask("GET", "/v1/models").body.find(folder_.path()), std::string::npos);
}

TEST_F(ServiceTest, loads_and_unloads_as_the_open_inference_protocol_asks) {
    publish("models/songs/1.segue");
    start();
    EXPECT_EQ(ask("POST", "/v2/repository/index").body,
              R"([{"name":"songs","version":"1","state":"READY","reason":""}])");
    EXPECT_EQ(ask("POST", "/v2/repository/models/songs/unload").status, 403);
    EXPECT_EQ(admin("POST", "/v2/repository/models/songs/unload").body, "{}");
    EXPECT_EQ(ask("POST", "/v2/repository/index").body,
              R"([{"name":"songs","version":"1","state":"UNAVAILABLE","reason":"unloaded"}])");
    EXPECT_EQ(ask("POST", "/v2/repository/index", R"({"ready":true})").body, "[]");
    EXPECT_EQ(ask("POST", "/v2/repository/index", R"({"ready":1})").status, 400);
    EXPECT_EQ(admin("POST", "/v2/repository/models/songs/load", R"({"parameters":{"version":"2"}})")
                  .status,
              404);
    EXPECT_EQ(admin("POST", "/v2/repository/models/songs/load", "{").status, 400);
    EXPECT_EQ(admin("POST", "/v2/repository/models/songs/load",
                    R"({"parameters":{"version":"1","config":"{}"}})")
                  .status,
              200);
    EXPECT_EQ(ask("GET", "/readyz").status, 200);
    EXPECT_EQ(admin("POST", "/v2/repository/models/songs/unload").status, 200);
    EXPECT_EQ(admin("POST", "/v2/repository/models/songs/load?async=2").status, 400);
    EXPECT_EQ(admin("POST", "/v2/repository/models/none/load?async=1").status, 404);
    EXPECT_EQ(admin("POST", "/v2/repository/models/songs/load?async=1").status, 202);
    EXPECT_TRUE(eventually([&] { return ask("GET", "/readyz").status == 200; }));
}

TEST_F(ServiceTest, tells_its_metrics) {
    publish("models/songs/1.segue");
    start();
    ask("GET", "/v1/models/songs");
    ask("GET", "/nowhere");
    const TestClient::Answer answer = ask("GET", "/metrics");
    EXPECT_TRUE(answer.has("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    for (const char* const line : {
             "\nrec_requests_total{route=\"/v1/models/{model}{at}\",code=\"200\"} 1\n",
             "\nrec_requests_total{route=\"other\",code=\"404\"} 1\n",
             "\nrec_model_version{model=\"songs\",version=\"1\",state=\"AVAILABLE\"",
             "\nrec_inflight 1\n",
             "\nrec_shed_total{reason=\"queue_age\"} 0\n",
             "\n# TYPE rec_model_load_failures_total counter\n",
             "\n# TYPE rec_search_recall gauge\n",
             "\nrec_search_source_total{source=\"index\"} 0\n",
         }) {
        EXPECT_NE(answer.body.find(line), std::string::npos) << line << answer.body;
    }
}

/// Every kind of endpoint with every kind of caller.
TEST_F(ServiceTest, lets_every_caller_do_what_its_token_says_and_no_more) {
    publish("models/songs/1.segue");
    write_tokens("# all of them\nr read " + std::string(kReadToken) + "\nu read,user " +
                 std::string(kUserToken) + "\na admin " + std::string(kAdminToken) +
                 "\nm metrics " + std::string(kMetricsToken) + "\n");
    start(true);
    struct Endpoint {
        const char* method;
        const char* path;
        const char* body;
        int expected[6];  // nobody, wrong, read, read and user, admin, metrics
    };
    const Endpoint endpoints[] = {
        {"GET", "/livez", "", {200, 200, 200, 200, 200, 200}},
        {"GET", "/readyz", "", {200, 200, 200, 200, 200, 200}},
        {"GET", "/metrics", "", {401, 401, 403, 403, 403, 200}},
        {"GET", "/v1/models", "", {401, 401, 200, 200, 403, 403}},
        {"GET", "/v1/models/songs", "", {401, 401, 200, 200, 403, 403}},
        {"POST", "/v1/models/songs:similar", R"({"item":"a"})", {401, 401, 200, 200, 403, 403}},
        {"POST", "/v1/models/songs:similar", R"({"user":"x"})", {401, 401, 403, 200, 403, 403}},
        {"PUT", "/v1/models/songs/labels/l", R"({"version":"1"})", {401, 401, 403, 403, 200, 403}},
        {"DELETE", "/v1/models/songs/labels/l", "", {401, 401, 403, 403, 204, 403}},
        {"POST", "/v1/models/songs:rollback", "", {401, 401, 403, 403, 404, 403}},
        {"POST", "/v2/repository/index", "", {401, 401, 200, 200, 403, 403}},
        {"POST", "/v2/repository/models/songs/load", "", {401, 401, 403, 403, 200, 403}},
        {"POST", "/v2/repository/models/none/unload", "", {401, 401, 403, 403, 404, 403}},
    };
    const std::string_view callers[] = {"",         "wrong-wrong-wrong", kReadToken,
                                        kUserToken, kAdminToken,         kMetricsToken};
    for (const bool on_admin : {false, true}) {
        for (const Endpoint& endpoint : endpoints) {
            for (std::size_t caller = 0; caller < std::size(callers); ++caller) {
                EXPECT_EQ(
                    ask(endpoint.method, endpoint.path, endpoint.body, callers[caller], on_admin)
                        .status,
                    endpoint.expected[caller])
                    << endpoint.method << " " << endpoint.path << " as caller " << caller;
            }
        }
    }
    // New tokens are taken while it runs; a bad file leaves the old ones.
    write_tokens("n read new-new-new-new-new\n");
    EXPECT_TRUE(service_->reload().ok());
    EXPECT_EQ(ask("GET", "/v1/models", "", kReadToken).status, 401);
    EXPECT_EQ(ask("GET", "/v1/models", "", "new-new-new-new-new").status, 200);
    write_tokens("broken\n");
    EXPECT_FALSE(service_->reload().ok());
    EXPECT_EQ(ask("GET", "/v1/models", "", "new-new-new-new-new").status, 200);
}

TEST_F(ServiceTest, answers_every_request_from_one_version_while_models_are_replaced) {
    publish("models/songs/1.segue");
    start();
    std::atomic<bool> is_done = false;
    std::atomic<int> num_wrong = 0;
    std::atomic<int> num_answers = 0;
    std::vector<std::thread> clients;
    for (int number = 0; number < 2; ++number) {
        clients.emplace_back([&] {
            TestClient client(port_);
            const std::string body = R"({"item":"a"})";
            const std::string request =
                "POST /v1/models/songs:similar HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body;
            while (!is_done) {
                const TestClient::Answer answer = client.ask(request);
                const std::size_t header = answer.head.find("X-Model-Version: ");
                const std::string version =
                    header == std::string::npos
                        ? "none"
                        : answer.head.substr(header + 17,
                                             answer.head.find('\r', header) - header - 17);
                num_wrong += answer.status != 200 || answer.body.find("\"version\":\"" + version +
                                                                      "\"") == std::string::npos;
                ++num_answers;
            }
        });
    }
    for (std::uint64_t number = 2; number <= 12; ++number) {
        publish("models/songs/" + std::to_string(number) + ".segue");
        const std::string newest = "\"version\":\"" + std::to_string(number) + "\"";
        EXPECT_TRUE(eventually([&] {
            return ask("GET", "/v1/models/songs").body.find(newest + ",\"state\":\"AVAILABLE\"") !=
                   std::string::npos;
        }));
        std::filesystem::remove(
            folder_.file("models/songs/" + std::to_string(number - 1) + ".segue"));
        const int so_far = num_answers;
        EXPECT_TRUE(eventually([&] { return num_answers > so_far + 10; }));
    }
    is_done = true;
    for (std::thread& client : clients) {
        client.join();
    }
    EXPECT_EQ(num_wrong, 0);
    EXPECT_TRUE(eventually([&] { return service_->registry().num_unloading() == 0; }));
}

TEST_F(ServiceTest, is_not_ready_once_it_drains) {
    publish("models/songs/1.segue");
    start();
    std::thread drain(
        [&] { EXPECT_TRUE(service_->drain(milliseconds(1000), milliseconds(15000))); });
    EXPECT_TRUE(eventually([&] {
        const TestClient::Answer answer = ask("GET", "/readyz");
        return answer.status == 503 && answer.has("Connection: close\r\n");
    }));
    EXPECT_EQ(ask("GET", "/v1/models/songs").status, 200) << "it still answers";
    drain.join();
}

TEST_F(ServiceTest, starts_only_with_what_it_was_given) {
    ServiceOptions options;
    options.source = folder_.file("missing");
    options.http.listeners = {{}};
    EXPECT_EQ(Service::start(options).status().code(), StatusCode::kNotFound);
    std::ofstream(folder_.file("bad.segue")) << "no bundle";
    options.source = folder_.file("bad.segue");
    EXPECT_FALSE(Service::start(options).ok());
    publish("good.segue");
    options.source = folder_.file("good.segue");
    options.tokens_file = folder_.file("missing");
    EXPECT_EQ(Service::start(options).status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace segue::serve
