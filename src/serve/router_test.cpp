#include "serve/router.h"

#include <gtest/gtest.h>

namespace segue::serve {
namespace {

class RouterTest : public ::testing::Test {
protected:
    void route(HttpMethod method, std::string_view pattern, Scope scope = Scope::kOpen) {
        router_.add(method, pattern, scope, [pattern](const ApiCall& call, HttpResponse& response) {
            response.body = std::string(pattern) + "|" + std::string(call.model) + "|" +
                            (call.version.number ? std::to_string(*call.version.number) : "") +
                            "|" + std::string(call.version.label) + "|" + std::string(call.key);
        });
    }
    HttpResponse ask(HttpMethod method, std::string_view path, const Caller& caller = {}) {
        HttpRequest request;
        request.method = method;
        request.path = path;
        request.request_id = "r1";
        HttpResponse response;
        router_.handle(request, caller, response);
        return response;
    }
    std::string get(std::string_view path) { return ask(HttpMethod::kGet, path).body; }

    Router router_;
};

TEST_F(RouterTest, takes_the_names_out_of_a_path) {
    route(HttpMethod::kGet, "/v1/models/{model}{at}:similar");
    route(HttpMethod::kGet, "/v1/models/{model}{at}");
    route(HttpMethod::kGet, "/v1/models/{model}{at}/metadata");
    route(HttpMethod::kGet, "/v1/models/{model}{at}/items/{key}/similar");
    route(HttpMethod::kGet, "/v1/models");
    EXPECT_EQ(get("/v1/models/m:similar"), "/v1/models/{model}{at}:similar|m|||");
    EXPECT_EQ(get("/v1/models/m/versions/42:similar"), "/v1/models/{model}{at}:similar|m|42||");
    EXPECT_EQ(get("/v1/models/m/labels/live:similar"), "/v1/models/{model}{at}:similar|m||live|");
    EXPECT_EQ(get("/v1/models/m/versions/42"), "/v1/models/{model}{at}|m|42||");
    EXPECT_EQ(get("/v1/models/m/versions/42/metadata"), "/v1/models/{model}{at}/metadata|m|42||");
    EXPECT_EQ(get("/v1/models/m/items/a%2Fb%20c:d/similar"),
              "/v1/models/{model}{at}/items/{key}/similar|m|||a/b c:d");
    EXPECT_EQ(get("/v1/models"), "/v1/models||||");
}

TEST_F(RouterTest, knows_no_other_path) {
    route(HttpMethod::kGet, "/v1/models/{model}{at}:similar");
    route(HttpMethod::kGet, "/livez");
    for (const char* const path :
         {"/", "//", "/v1", "/v1/models/", "/v1/models/:similar", "/v1/models/m:similar/",
          "/v1/models/m/versions/:similar", "/v1/models/m/versions:similar", "/livez/", "/live",
          "livez", "/v1/models/m/versions/1/labels/x:similar", "/V1/models/m:similar"}) {
        EXPECT_EQ(ask(HttpMethod::kGet, path).status, 404) << path;
    }
    EXPECT_EQ(ask(HttpMethod::kGet, "/v1/models/m%2:similar").status, 400);
    EXPECT_EQ(ask(HttpMethod::kGet, "/v1/models/m/versions/x:similar").status, 400);
    EXPECT_EQ(ask(HttpMethod::kGet, "/v1/models/m/versions/-1:similar").status, 400);
    EXPECT_EQ(ask(HttpMethod::kGet, "/v1/models/m/versions/99999999999999999999:similar").status,
              400);
}

TEST_F(RouterTest, says_which_methods_a_path_takes) {
    route(HttpMethod::kGet, "/x/{key}");
    route(HttpMethod::kPut, "/x/{key}");
    EXPECT_EQ(ask(HttpMethod::kHead, "/x/1").status, 200);
    const HttpResponse refused = ask(HttpMethod::kDelete, "/x/1");
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.header_lines(), "Allow: GET, HEAD, PUT\r\n");
    EXPECT_EQ(refused.body,
              R"({"error":"this path takes GET, HEAD, PUT","code":"METHOD_NOT_ALLOWED",)"
              R"("request_id":"r1"})");
}

TEST_F(RouterTest, lets_in_whoever_has_the_scope) {
    route(HttpMethod::kGet, "/open");
    route(HttpMethod::kGet, "/read", Scope::kRead);
    route(HttpMethod::kGet, "/admin", Scope::kAdmin);
    const Caller nobody;
    const Caller reader = {true, ScopeSet().with(Scope::kRead)};
    const Caller everything = {true, ScopeSet::all()};
    EXPECT_EQ(ask(HttpMethod::kGet, "/open", nobody).status, 200);
    const HttpResponse unknown = ask(HttpMethod::kGet, "/read", nobody);
    EXPECT_EQ(unknown.status, 401);
    EXPECT_EQ(unknown.header_lines(), "WWW-Authenticate: Bearer\r\n");
    EXPECT_EQ(ask(HttpMethod::kGet, "/read", reader).status, 200);
    EXPECT_EQ(ask(HttpMethod::kGet, "/admin", reader).status, 403);
    EXPECT_EQ(ask(HttpMethod::kGet, "/admin", everything).status, 200);
}

}  // namespace
}  // namespace segue::serve
