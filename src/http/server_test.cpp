#include "http/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <list>

#include "http/test_client.h"

namespace segue {
namespace {

using std::chrono::milliseconds;
using testing::eventually;
using testing::TestClient;

std::string get(std::string_view path, std::string_view headers = {}) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

std::string post(std::string_view path, std::string_view body) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

/// Says what it was asked.
void echo(const HttpRequest& request, HttpResponse& response) {
    response.body = std::string(name_of(request.method)) + " " + std::string(request.path) + " " +
                    std::string(request.body);
    if (request.is_over_limit) {
        response.status = 503;
    }
}

/// A server on one public and one admin port.
struct Served {
    explicit Served(HttpServerOptions options = {}, const HttpHandler& handler = echo) {
        options.listeners = {{.is_admin = false}, {.is_admin = true}};
        Result<std::unique_ptr<HttpServer>> started = HttpServer::start(options, handler);
        EXPECT_TRUE(started.ok()) << started.status().message();
        server = std::move(*started);
        port = server->ports()[0];
        admin_port = server->ports()[1];
    }
    bool is_empty() const { return server->counts().num_connections == 0; }

    std::unique_ptr<HttpServer> server;
    std::uint16_t port = 0;
    std::uint16_t admin_port = 0;
};

TEST(HttpServer, answers_one_request_after_the_other_on_one_connection) {
    const Served served;
    TestClient client(served.port);
    const TestClient::Answer first = client.ask(get("/a"));
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.body, "GET /a ");
    EXPECT_TRUE(first.has("\r\nX-Request-Id: "));
    EXPECT_TRUE(first.has(" GMT\r\n"));
    EXPECT_FALSE(first.has("Connection: close"));
    EXPECT_EQ(client.ask(post("/b", "hello")).body, "POST /b hello");
    client.send("HEAD /c HTTP/1.1\r\nHost: x\r\n\r\n");
    const TestClient::Answer head = client.receive(false);
    EXPECT_TRUE(head.has("Content-Length: 8\r\n"));
    const TestClient::Answer last = client.ask(get("/d", "Connection: close\r\n"));
    EXPECT_TRUE(last.has("Connection: close\r\n"));
    EXPECT_TRUE(client.is_closed());
}

TEST(HttpServer, answers_pipelined_requests_in_their_order) {
    const Served served;
    TestClient client(served.port);
    std::string requests;
    for (int number = 0; number < 500; ++number) {
        requests += get("/" + std::to_string(number));
    }
    std::thread sender([&] { client.send(requests); });
    for (int number = 0; number < 500; ++number) {
        EXPECT_EQ(client.receive().body, "GET /" + std::to_string(number) + " ");
    }
    sender.join();
}

TEST(HttpServer, keeps_to_what_the_client_speaks) {
    const Served served;
    TestClient old(served.port);
    EXPECT_EQ(old.ask("GET / HTTP/1.0\r\n\r\n").status, 200);
    EXPECT_TRUE(old.is_closed());
    TestClient keeping(served.port);
    const std::string kept = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    EXPECT_TRUE(keeping.ask(kept).has("Connection: keep-alive\r\n"));
    EXPECT_EQ(keeping.ask(kept).status, 200);
    TestClient waiting(served.port);
    EXPECT_EQ(waiting
                  .ask("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                       "Content-Length: 2\r\n\r\n")
                  .status,
              100);
    EXPECT_EQ(waiting.ask("ok").body, "POST / ok");
}

TEST(HttpServer, says_why_before_it_closes) {
    HttpServerOptions options;
    options.limits = {.header_bytes = 1024, .body_bytes = 1024};
    const Served served(options);
    const std::string host = "Host: x\r\n";
    const std::pair<std::string, int> cases[] = {
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
        {"GET / HTTP/1.1\n" + host + "\n", 400},
        {"GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n" + host + "\r\n", 505},
        {"GET / HTTP/1.1\r\n" + host + "A: " + std::string(8000, 'a') + "\r\n\r\n", 431},
        {"GET /" + std::string(8000, 'a') + " HTTP/1.1\r\n", 414},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1025\r\n\r\n" + std::string(1025, 'b'),
         413},
    };
    for (const auto& [bytes, status] : cases) {
        TestClient client(served.port);
        const TestClient::Answer answer = client.ask(bytes);
        EXPECT_EQ(answer.status, status) << bytes.substr(0, 80);
        EXPECT_TRUE(answer.has("Connection: close\r\n"));
        EXPECT_TRUE(answer.body.starts_with("{\"error\":\"")) << answer.body;
        EXPECT_TRUE(client.is_closed());
    }
    EXPECT_EQ(served.server->counts().num_refused, std::size(cases));
}

TEST(HttpServer, passes_on_request_ids_that_are_fit_and_makes_others) {
    const Served served;
    TestClient client(served.port);
    EXPECT_TRUE(client.ask(get("/", "X-Request-Id: a-1_b.2\r\n")).has("X-Request-Id: a-1_b.2\r\n"));
    for (const std::string& id : {std::string("a b"), std::string("\xC3\xA9"), std::string(65, 'a'),
                                  std::string("<script>")}) {
        const TestClient::Answer answer = client.ask(get("/", "X-Request-Id: " + id + "\r\n"));
        EXPECT_FALSE(answer.has(id)) << answer.head;
        EXPECT_TRUE(answer.has("X-Request-Id: "));
    }
}

TEST(HttpServer, waits_for_slow_clients_only_so_long) {
    HttpServerOptions options;
    // Longer than a busy machine keeps a client waiting between connecting and sending.
    options.header_timeout = options.body_timeout = options.write_timeout = milliseconds(100);
    options.idle_timeout = milliseconds(300);
    const HttpHandler handler = [](const HttpRequest&, HttpResponse& response) {
        response.body.assign(64 << 20, 'x');
    };
    const Served served(options, handler);
    TestClient in_header(served.port);
    in_header.send("GET / HTTP/1.1\r\nHost:");
    EXPECT_EQ(in_header.receive().status, 408);
    EXPECT_TRUE(in_header.is_closed());
    TestClient in_body(served.port);
    in_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell");
    EXPECT_EQ(in_body.receive().status, 408);
    TestClient idle(served.port);
    EXPECT_TRUE(idle.is_closed());
    TestClient deaf(served.port, 4096);
    deaf.send(get("/"));
    EXPECT_TRUE(eventually([&] { return served.server->counts().num_timed_out == 3; }));
    EXPECT_TRUE(eventually([&] { return served.is_empty(); }));
}

TEST(HttpServer, keeps_places_for_health_and_stops_accepting_beyond_them) {
    HttpServerOptions options;
    options.max_connections = 2;
    const Served served(options);
    std::list<TestClient> clients;
    for (int number = 0; number < 2; ++number) {
        EXPECT_EQ(clients.emplace_back(served.port).ask(get("/")).status, 200);
    }
    TestClient over(served.port);
    const TestClient::Answer answer = over.ask(get("/"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.has("Connection: close"));
    // Silent ones take all reserved places; then the kernel's queue is where one waits.
    for (int number = 0; number < 40; ++number) {
        clients.emplace_back(served.port);
    }
    EXPECT_TRUE(eventually([&] { return served.server->counts().num_connections == 18; }));
    EXPECT_EQ(TestClient(served.admin_port).ask(get("/")).status, 200);
    clients.clear();
    EXPECT_TRUE(eventually([&] { return TestClient(served.port).ask(get("/")).status == 200; }));
}

TEST(HttpServer, forgets_clients_that_reset_their_connections) {
    const Served served;
    for (int number = 0; number < 300; ++number) {
        TestClient client(served.port);
        client.send(number % 2 == 0 ? get("/") : "GET / HT");
        client.reset();
    }
    EXPECT_EQ(TestClient(served.port).ask(get("/")).status, 200);
    EXPECT_TRUE(eventually([&] { return served.is_empty(); }));
}

TEST(HttpServer, refuses_what_waited_too_long_behind_others) {
    constexpr int kClients = 40;
    std::promise<void> all_sent;
    std::shared_future<void> may_go = all_sent.get_future().share();
    const HttpHandler handler = [&](const HttpRequest& request, HttpResponse&) {
        if (request.path == "/first") {
            may_go.wait();
        } else if (!request.on_admin_listener) {
            const auto until = std::chrono::steady_clock::now() + milliseconds(1);
            while (std::chrono::steady_clock::now() < until) {
            }
        }
    };
    HttpServerOptions options;
    options.max_queue_age = milliseconds(5);
    const Served served(options, handler);
    TestClient first(served.port);
    std::list<TestClient> others;
    for (int number = 0; number < kClients; ++number) {
        EXPECT_EQ(others.emplace_back(served.port).ask(get("/")).status, 200);
    }
    first.send(get("/first"));
    EXPECT_TRUE(eventually([&] { return served.server->counts().num_in_flight == 1; }));
    for (TestClient& client : others) {
        client.send(get("/"));
    }
    all_sent.set_value();
    EXPECT_EQ(first.receive().status, 200);
    int num_served = 0;
    int num_shed = 0;
    for (TestClient& client : others) {
        const TestClient::Answer answer = client.receive();
        num_served += answer.status == 200;
        num_shed += answer.status == 503 && answer.has("Retry-After: 1\r\n");
    }
    EXPECT_EQ(num_served + num_shed, kClients);
    EXPECT_GT(num_served, 0);
    EXPECT_GT(num_shed, 0);
    EXPECT_EQ(served.server->counts().num_shed[0], static_cast<std::uint64_t>(num_shed));
    EXPECT_EQ(others.front().ask(get("/")).status, 200) << "the connections stay";
}

TEST(HttpServer, answers_others_while_slow_work_is_done) {
    std::promise<void> finish;
    std::shared_future<void> finished = finish.get_future().share();
    const HttpHandler handler = [&](const HttpRequest& request, HttpResponse& response) {
        if (request.path == "/slow") {
            response.later = [finished](HttpResponse& answer) {
                finished.wait();
                answer.body = "done";
            };
        }
    };
    HttpServerOptions options;
    options.max_slow_queued = 1;
    const Served served(options, handler);
    TestClient slow(served.port);
    slow.send(get("/slow"));
    TestClient quick(served.port);
    EXPECT_EQ(quick.ask(get("/")).status, 200);
    EXPECT_TRUE(eventually([&] {
        // One is being worked on and one waits; one more is too many.
        TestClient more(served.port);
        more.send(get("/slow"));
        return quick.ask(get("/")).status == 200 && served.server->counts().num_shed[2] > 0;
    }));
    finish.set_value();
    EXPECT_EQ(slow.receive().body, "done");
}

TEST(HttpServer, answers_500_for_a_handler_that_throws_and_503_without_memory) {
    const HttpHandler handler = [](const HttpRequest& request, HttpResponse& response) {
        response.body = "half";
        if (request.path == "/memory") {
            throw std::bad_alloc();
        }
        throw std::runtime_error("secret");
    };
    const Served served({}, handler);
    TestClient client(served.port);
    const TestClient::Answer answer = client.ask(get("/"));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
    EXPECT_EQ(answer.body.find("half"), std::string::npos);
    EXPECT_EQ(client.ask(get("/memory")).status, 503);
}

TEST(HttpServer, drains_without_losing_what_was_sent) {
    std::promise<void> finish;
    std::shared_future<void> finished = finish.get_future().share();
    const HttpHandler handler = [&](const HttpRequest& request, HttpResponse&) {
        if (request.path == "/slow") {
            finished.wait();
        }
    };
    const Served served({}, handler);
    TestClient idle(served.port);
    TestClient busy(served.port);
    TestClient sent(served.port);
    EXPECT_EQ(idle.ask(get("/")).status, 200);
    EXPECT_EQ(sent.ask(get("/")).status, 200);
    busy.send(get("/slow"));
    EXPECT_TRUE(eventually([&] { return served.server->counts().num_in_flight == 1; }));
    sent.send(get("/"));
    std::future<bool> drained = std::async(std::launch::async, [&] {
        return served.server->drain(milliseconds(0), std::chrono::seconds(20));
    });
    EXPECT_TRUE(eventually([&] { return !TestClient(served.port).is_connected(); }));
    finish.set_value();
    const TestClient::Answer last = busy.receive();
    EXPECT_EQ(last.status, 200);
    EXPECT_TRUE(last.has("Connection: close\r\n"));
    EXPECT_EQ(sent.receive().status, 200);
    EXPECT_TRUE(idle.is_closed());
    EXPECT_TRUE(drained.get());
    EXPECT_TRUE(served.is_empty());
}

TEST(HttpServer, keeps_listening_for_the_delay_and_asks_to_close) {
    const Served served;
    TestClient client(served.port);
    EXPECT_EQ(client.ask(get("/")).status, 200);
    std::future<bool> drained = std::async(std::launch::async, [&] {
        return served.server->drain(milliseconds(500), std::chrono::seconds(20));
    });
    EXPECT_TRUE(eventually([&] {
        TestClient other(served.port);
        return other.ask(get("/")).has("Connection: close\r\n");
    }));
    EXPECT_TRUE(drained.get());
}

TEST(HttpServer, cuts_what_does_not_end_by_the_deadline) {
    const Served served;
    TestClient client(served.port);
    client.send("GET / HTTP/1.1\r\n");
    EXPECT_TRUE(eventually([&] { return served.server->counts().num_connections == 1; }));
    EXPECT_FALSE(served.server->drain(milliseconds(0), milliseconds(30)));
    EXPECT_TRUE(client.is_closed());
}

TEST(HttpServer, ends_with_clients_still_connected) {
    std::list<TestClient> clients;
    {
        const Served served;
        for (int number = 0; number < 5; ++number) {
            clients.emplace_back(served.port).send(number % 2 == 0 ? "GET" : get("/"));
        }
    }
    clients.front().is_closed();
}

TEST(HttpServer, says_what_is_wrong_with_an_address) {
    const Served served;
    HttpServerOptions options;
    options.listeners = {{.port = served.port}};
    EXPECT_EQ(HttpServer::start(options, echo).status().code(), StatusCode::kIo);
    options.listeners = {{.address = "localhost"}};
    EXPECT_EQ(HttpServer::start(options, echo).status().code(), StatusCode::kInvalidArgument);
    options.listeners = {{.uses_tls = true}};
    EXPECT_EQ(HttpServer::start(options, echo).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace segue
