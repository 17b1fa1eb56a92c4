#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_reader.h"
#include "serve/api_fixture.h"
#include "targets.h"

namespace segue::fuzz {
namespace {

using Outcome = RequestReader::Outcome;

/// One request, copied out of its reader.
struct Seen {
    HttpMethod method = HttpMethod::kOther;
    std::string path;
    std::vector<std::pair<std::string, std::string>> parameters;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool keeps_alive = false;

    bool operator==(const Seen&) const = default;
};

std::vector<std::pair<std::string, std::string>> copies_of(std::span<const HttpField> fields) {
    std::vector<std::pair<std::string, std::string>> copies;
    for (const HttpField& field : fields) {
        copies.emplace_back(field.name, field.value);
    }
    return copies;
}

/// The requests before the first that is refused, or after which the connection ends.
std::vector<Seen> read_all(std::string_view stream, std::size_t step) {
    RequestReader reader({.header_bytes = 1024,
                          .body_bytes = 2048,
                          .num_headers = 20,
                          .num_parameters = 10,
                          .num_chunks = 50});
    std::vector<Seen> seen;
    while (true) {
        switch (reader.advance()) {
            case Outcome::kRequest: {
                const HttpRequest& request = reader.request();
                seen.push_back({request.method, std::string(request.path),
                                copies_of(request.parameters), copies_of(request.headers),
                                std::string(request.body), reader.keeps_alive()});
                if (!reader.keeps_alive()) {
                    return seen;
                }
                reader.next();
                continue;
            }
            case Outcome::kRefused:
                require(reader.refusal().status >= 400, "a refusal is a failure");
                return seen;
            case Outcome::kExpectsContinue:
            case Outcome::kNeedsMore:
                break;
        }
        if (stream.empty()) {
            return seen;
        }
        const std::span<char> space = reader.space();
        const std::size_t size = std::min({space.size(), stream.size(), step});
        require(size > 0, "a reader has space");
        std::memcpy(space.data(), stream.data(), size);
        reader.commit(size);
        stream.remove_prefix(size);
    }
}

std::vector<HttpField> views_of(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::vector<HttpField> views;
    for (const auto& [name, value] : fields) {
        views.push_back({name, value});
    }
    return views;
}

void answer(const Seen& request) {
    static const serve::testing::Api api;
    static const serve::testing::Api strict_api(true);
    for (const serve::testing::Api* const each : {&api, &strict_api}) {
        const HttpResponse response =
            each->ask(request.method, request.path, request.body, views_of(request.parameters),
                      views_of(request.headers));
        require(response.status >= 200 && response.status < 500,
                "a request is no failure of the server");
        require(response.header_lines().find("\r\n\r\n") == std::string::npos,
                "headers are one block");
        if (response.content_type == "application/json" && !response.body.empty()) {
            simdjson::dom::parser parser;
            require(parser.parse(response.body).error() == simdjson::SUCCESS, "an answer is JSON");
        }
    }
}

}  // namespace

void http_request(std::span<const std::uint8_t> input) {
    if (input.empty()) {
        return;
    }
    const std::size_t step = 1 + input[0] % 64;
    const std::string_view stream(reinterpret_cast<const char*>(input.data()) + 1,
                                  input.size() - 1);
    const std::vector<Seen> whole = read_all(stream, stream.size());
    // Not so refusals: of two mistakes the one found first may be either, and at the end of the
    // stream one may be known that the other would only see with more bytes.
    require(whole == read_all(stream, step), "requests do not depend on the pieces they come in");
    for (const Seen& request : whole) {
        answer(request);
    }
}

}  // namespace segue::fuzz
