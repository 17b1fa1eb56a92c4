#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace segue {
namespace {

using Outcome = RequestReader::Outcome;

constexpr RequestLimits kSmallLimits = {.header_bytes = 512,
                                        .body_bytes = 1000,
                                        .num_headers = 10,
                                        .num_parameters = 3,
                                        .num_chunks = 20};

/// What became of a whole stream, `step` bytes of which come at a time.
struct Seen {
    std::vector<std::string> requests;  // "GET /path body"
    int status = 0;                     // of a refusal
    std::size_t num_continues = 0;
};

Seen read_all(const std::string& stream, std::size_t step = 1 << 20,
              const RequestLimits& limits = kSmallLimits) {
    RequestReader reader(limits);
    Seen seen;
    std::string_view rest = stream;
    while (true) {
        switch (reader.advance()) {
            case Outcome::kRequest: {
                const HttpRequest& request = reader.request();
                std::string text = std::string(name_of(request.method)) + " ";
                text += std::string(request.path) + " " + std::string(request.body);
                seen.requests.push_back(text);
                reader.next();
                continue;
            }
            case Outcome::kRefused:
                seen.status = reader.refusal().status;
                return seen;
            case Outcome::kExpectsContinue:
                ++seen.num_continues;
                break;
            case Outcome::kNeedsMore:
                break;
        }
        if (rest.empty()) {
            return seen;
        }
        const std::span<char> space = reader.space();
        const std::size_t size = std::min({space.size(), rest.size(), step});
        std::memcpy(space.data(), rest.data(), size);
        reader.commit(size);
        rest.remove_prefix(size);
    }
}

const std::string kHost = "Host: x\r\n";

TEST(RequestReader, reads_requests_however_they_are_cut) {
    const std::string stream = "GET /a?k=1 HTTP/1.1\r\n" + kHost + "\r\n" + "POST /b HTTP/1.1\r\n" +
                               kHost + "Content-Length: 5\r\n\r\nhello" + "POST /c HTTP/1.1\r\n" +
                               kHost +
                               "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n"
                               "Trailer: ignored\r\n\r\n" +
                               "DELETE /d HTTP/1.0\r\n\r\n";
    const std::vector<std::string> expected = {"GET /a ", "POST /b hello", "POST /c abcde",
                                               "DELETE /d "};
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        const Seen seen = read_all(stream, step);
        EXPECT_EQ(seen.requests, expected) << "in steps of " << step;
        EXPECT_EQ(seen.status, 0);
    }
}

TEST(RequestReader, reads_an_empty_body_in_chunks_however_it_is_cut) {
    const std::string header = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::size_t step : {1U, 2U, 3U, 59U, 60U, 61U, 62U, 63U, 1000U}) {
        const Seen seen = read_all(header + "0\r\n\r\n" + header + "0\r\nT: v\r\n\r\n", step);
        EXPECT_EQ(seen.requests, (std::vector<std::string>{"POST /a ", "POST /a "})) << step;
        EXPECT_EQ(seen.status, 0);
        EXPECT_EQ(read_all(header + "0\r\n\rx\r\n\r\n", step).requests.size(), 0U) << step;
    }
}

TEST(RequestReader, gives_headers_and_parameters_to_look_up) {
    RequestReader reader({});
    const std::string_view stream =
        "GET http://h/a%2Fb?k=5&x=a+b%26c&&flag HTTP/1.1\r\nHost: h\r\nX-Y:  z z \r\nX-Z:\r\n\r\n";
    std::memcpy(reader.space().data(), stream.data(), stream.size());
    reader.commit(stream.size());
    ASSERT_EQ(reader.advance(), Outcome::kRequest);
    const HttpRequest& request = reader.request();
    EXPECT_EQ(request.path, "/a%2Fb");
    EXPECT_EQ(request.parameter("k"), "5");
    EXPECT_EQ(request.parameter("x"), "a b&c");
    EXPECT_EQ(request.parameter("flag"), "");
    EXPECT_EQ(request.header("x-y"), "z z");
    EXPECT_EQ(request.header("x-z"), "");
    EXPECT_TRUE(reader.keeps_alive());
    EXPECT_FALSE(reader.is_idle());
    reader.next();
    EXPECT_TRUE(reader.is_idle());
}

TEST(RequestReader, refuses_whatever_could_be_read_in_two_ways) {
    const std::string post = "POST / HTTP/1.1\r\n" + kHost;
    const std::string bad[] = {
        post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        post + "Content-Length: 5, 5\r\n\r\nhello",
        post + "Content-Length: -5\r\n\r\nhello",
        post + "Content-Length: +5\r\n\r\nhello",
        post + "Content-Length: 99999999999999999999999\r\n\r\nhello",
        post + "Content-Length: 0x5\r\n\r\nhello",
        post + "Transfer-Encoding: gzip\r\n\r\n",
        post + "Transfer-Encoding: chunked, gzip\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/1.1\r\nHost: x\n\r\n",
        "GET / HTTP/1.1\r\n" + kHost + "A: one\r\n two\r\n\r\n",
        "GET / HTTP/1.1\r\n" + kHost + "A: one\r\n\ttwo\r\n\r\n",
        "GET / HTTP/1.1\r\n" + kHost + std::string("A: o\0ne\r\n\r\n", 11),
        "GET / HTTP/1.1\r\n" + kHost + "A : one\r\n\r\n",
        "GET / HTTP/1.1\r\n" + kHost + ": one\r\n\r\n",
        "GET / HTTP/1.1\r\n" + kHost + "no colon\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\n" + kHost + kHost + "\r\n",
        "GET /a b HTTP/1.1\r\n" + kHost + "\r\n",
        "GET / HTTP/1.1\r\n" + kHost + "Expect: miracles\r\n\r\n",
        "GET a HTTP/1.1\r\n" + kHost + "\r\n",
        "GET * HTTP/1.1\r\n" + kHost + "\r\n",
        "GET /#x HTTP/1.1\r\n" + kHost + "\r\n",
        "GET /?a=%4 HTTP/1.1\r\n" + kHost + "\r\n",
        "GET /?a=1&b=2&c=3&d=4 HTTP/1.1\r\n" + kHost + "\r\n",
        std::string("\x16\x03\x01\x02\x00\x01\x00", 7) + "TLS here\r\n\r\n",
        " GET / HTTP/1.1\r\n" + kHost + "\r\n",
        "\r\n\r\n",
    };
    for (const std::string& stream : bad) {
        for (const std::size_t step : {stream.size(), std::size_t{1}}) {
            const Seen seen = read_all(stream, step);
            EXPECT_TRUE(seen.status == 400 || seen.status == 505) << stream;
            EXPECT_TRUE(seen.requests.empty()) << stream;
        }
    }
}

TEST(RequestReader, reads_headers_longer_than_its_first_buffer) {
    constexpr RequestLimits kLimits;
    for (const std::size_t step : {std::size_t{1000}, std::size_t{1448}, std::size_t{1} << 20}) {
        for (std::size_t length = 1900; length < kLimits.header_bytes - 100; length += 450) {
            const std::string cookie(length / 2, 'c');
            const std::string head = kHost + "Cookie: " + cookie +
                                     "\r\nX-Long: " + std::string(length / 2, 'x') + "\r\n";
            const Seen seen =
                read_all("GET /first/path?k=1 HTTP/1.1\r\n" + head + "\r\n" +
                             "POST /second HTTP/1.1\r\n" + head + "Content-Length: 5\r\n\r\nhello",
                         step, kLimits);
            EXPECT_EQ(seen.requests,
                      (std::vector<std::string>{"GET /first/path ", "POST /second hello"}))
                << length << " in steps of " << step;
        }
        // However many lines a header has, all of it counts.
        std::string lines;
        for (int number = 0; number < 90; ++number) {
            lines += "X-Line: " + std::string(200, 'l') + "\r\n";
        }
        EXPECT_EQ(read_all("GET / HTTP/1.1\r\n" + kHost + lines + "\r\n", step, kLimits).status,
                  431);
        EXPECT_EQ(read_all("GET / HTTP/1.1\r\n" + kHost + lines, step, kLimits).status, 431);
    }
}

TEST(RequestReader, says_which_limit_was_passed) {
    const std::string start = "POST / HTTP/1.1\r\n" + kHost;
    EXPECT_EQ(read_all(start + "A: " + std::string(600, 'a') + "\r\n\r\n").status, 431);
    EXPECT_EQ(read_all(start + "A: " + std::string(600, 'a')).status, 431);
    EXPECT_EQ(read_all("GET /" + std::string(600, 'a')).status, 414);
    EXPECT_EQ(read_all("GET /" + std::string(600, 'a'), 1).status, 414);
    std::string many;
    for (int number = 0; number < 12; ++number) {
        many += "A: b\r\n";
    }
    EXPECT_EQ(read_all(start + many + "\r\n").status, 431);
    EXPECT_EQ(read_all(start + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'b')).status, 0);
    EXPECT_EQ(read_all(start + "Content-Length: 1001\r\n\r\n").status, 413);
    const std::string chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(read_all(chunked + "3e9\r\n" + std::string(1001, 'b') + "\r\n0\r\n\r\n").status, 413);
    std::string bomb = chunked;
    for (int number = 0; number < 21; ++number) {
        bomb += "1\r\nb\r\n";
    }
    EXPECT_EQ(read_all(bomb, 1).status, 413);
    EXPECT_EQ(read_all(chunked + "3;" + std::string(100000, 'x'), 1000).status, 400);
    EXPECT_EQ(read_all("GET / HTTP/2.0\r\n" + kHost + "\r\n").status, 505);
    EXPECT_EQ(read_all("GET / HTTP/1.2\r\n" + kHost + "\r\n").status, 505);
}

TEST(RequestReader, asks_for_a_body_that_waits_for_it_once) {
    const std::string head =
        "POST / HTTP/1.1\r\n" + kHost + "Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n";
    EXPECT_EQ(read_all(head, 1).num_continues, 1U);
    EXPECT_EQ(read_all(head + "body", 1).requests, std::vector<std::string>{"POST / body"});
    EXPECT_EQ(read_all(head + "body").num_continues, 0U) << "the body is there already";
}

TEST(RequestReader, knows_when_the_client_is_done) {
    const std::pair<std::string, bool> cases[] = {
        {"GET / HTTP/1.1\r\n" + kHost + "\r\n", true},
        {"GET / HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };
    for (const auto& [stream, keeps] : cases) {
        RequestReader reader({});
        std::memcpy(reader.space().data(), stream.data(), stream.size());
        reader.commit(stream.size());
        ASSERT_EQ(reader.advance(), Outcome::kRequest);
        EXPECT_EQ(reader.keeps_alive(), keeps) << stream;
    }
}

TEST(RequestReader, survives_every_byte_changed_and_every_cut) {
    const std::string stream = "POST /v1/x?k=%20 HTTP/1.1\r\n" + kHost +
                               "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for (std::size_t place = 0; place < stream.size(); ++place) {
        EXPECT_TRUE(read_all(stream.substr(0, place)).requests.empty());
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = stream;
            changed[place] = static_cast<char>(byte);
            const Seen seen = read_all(changed);
            EXPECT_LE(seen.requests.size(), 1U);
        }
    }
}

}  // namespace
}  // namespace segue
