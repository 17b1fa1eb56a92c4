#pragma once

// For tests of dialects: a registry with small models, and calls without a socket.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recommend/recommend_fixture.h"
#include "serve/answer_record.h"
#include "serve/query_api.h"

namespace segue::serve::testing {

/// Serves "songs" (versions 1 and 2, fold-in), "lists" and "vectors": checkerboards of 8 items with
/// the attributes title, color and price.
class Api {
public:
    explicit Api(bool blueprint_habits = false)
        : registry_(2), api_(registry_, {.num_workers = 2, .blueprint_habits = blueprint_habits}) {
        add("songs", 1, AnswerBy::kFoldIn);
        add("songs", 2, AnswerBy::kFoldIn);
        add("lists", 1, AnswerBy::kLists);
        add("vectors", 1, AnswerBy::kVectors);
        api_.add_routes(router_);
    }

    /// Runs the handler, the part for later too, as a caller with these scopes (all by default).
    HttpResponse ask(HttpMethod method, std::string_view path, std::string_view body,
                     std::vector<HttpField> parameters = {}, std::vector<HttpField> headers = {},
                     const Caller& caller = {true, ScopeSet::all()}) const {
        HttpRequest request;
        request.method = method;
        request.path = path;
        request.parameters = parameters;
        request.headers = headers;
        request.body = body;
        request.request_id = "r1";
        request.worker = 1;
        HttpResponse response;
        router_.handle(request, caller, response);
        if (response.later) {
            const auto later = std::move(response.later);
            response.later = nullptr;
            later(response);
        }
        record(request, response);
        return response;
    }
    HttpResponse post(std::string_view path, std::string_view body) const {
        return ask(HttpMethod::kPost, path, body);
    }
    HttpResponse get(std::string_view path, std::vector<HttpField> parameters = {}) const {
        return ask(HttpMethod::kGet, path, "", std::move(parameters));
    }

    /// The number after "took_us" becomes 0: the only part of an answer that differs each time.
    static std::string timeless(std::string body) {
        constexpr std::string_view kTook = "\"took_us\":";
        for (std::size_t at = body.find(kTook); at != std::string::npos;
             at = body.find(kTook, at + 1)) {
            const std::size_t begin = at + kTook.size();
            body.replace(begin, body.find_first_not_of("0123456789", begin) - begin, "0");
        }
        return body;
    }

private:
    static void record(const HttpRequest& request, const HttpResponse& response) {
        record_answer({response.route, name_of(request.method), response.status,
                       response.content_type, request.body, response.body});
    }

    void add(const std::string& name, std::uint64_t version, AnswerBy answer_by) {
        ModelParts parts = segue::testing::checkerboard(answer_by);
        parts.attributes.names = {"title", "color", "price"};
        parts.attributes.columns.resize(3);
        for (const char* const color :
             {"red", "red", "blue", "green", "red", "purple", "", "blue"}) {
            parts.attributes.columns[1].append(color);
        }
        for (int item = 0; item < 8; ++item) {
            parts.attributes.columns[2].append(std::to_string(item * 10));
        }
        registry_.add({name, version}, Model::from_parts(std::move(parts)));
    }

    ModelRegistry registry_;
    QueryApi api_;
    Router router_;
};

}  // namespace segue::serve::testing
