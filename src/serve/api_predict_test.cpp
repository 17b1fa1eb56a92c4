#include <gtest/gtest.h>

#include "serve/api_fixture.h"

namespace segue::serve {
namespace {

using testing::Api;

constexpr std::string_view kPredict = "/v1/models/vectors:predict";
constexpr std::string_view kLookup = "/v1/models/vectors:lookup";

TEST(PredictApi, answers_the_blueprints_clients_with_a_list_of_ids) {
    const Api api;
    const auto body = [&](std::string_view text) { return api.post(kPredict, text).body; };
    // The item itself comes first, as nobody left it out.
    EXPECT_EQ(body(R"({"instances":[{"query":"i0","show":3}]})"),
              R"({"predictions":["i0","i2","i4"]})");
    EXPECT_EQ(body(R"({"instances":[{"query":"i0 i2","show":"3"}]})"),
              R"({"predictions":["i0","i2","i4"]})");
    EXPECT_EQ(body(R"({"instances":[{"query":"i0 unknown","show":2,"exclude_query":true}]})"),
              R"({"predictions":["i2","i4"]})");
    EXPECT_EQ(body(R"({"instances":[{"query":"i0","show":1},{"query":"i1","show":1}]})"),
              R"({"predictions":[["i0"],["i1"]]})");
    EXPECT_EQ(body(R"({"instances":[{"query":"i0"}]})"),
              R"({"predictions":["i0","i2","i4","i6","i1","i3","i5","i7"]})");
}

TEST(PredictApi, weighs_an_item_named_twice_twice_and_long_vectors_more) {
    const Api api;
    // Of the checkerboard's two directions, the one with more length in the mean wins.
    const auto is_even = [&](std::string_view query) {
        const std::string text =
            R"({"instances":[{"query":")" + std::string(query) + R"(","show":1}]})";
        const std::string body = api.post(kPredict, text).body;
        constexpr std::string_view kBegin = "{\"predictions\":[\"i";
        EXPECT_TRUE(body.starts_with(kBegin)) << body;
        return body[kBegin.size()] % 2 == 0;
    };
    EXPECT_FALSE(is_even("i0 i1"));
    EXPECT_TRUE(is_even("i0 i1 i0"));
    EXPECT_TRUE(is_even("i1 i1 i0 i0 i0"));
    EXPECT_FALSE(is_even("i1 i1 i0 i0"));
}

TEST(PredictApi, says_what_is_wrong_with_a_status_and_never_answers_with_neighbours_of_nothing) {
    const Api api;
    const auto status = [&](std::string_view text) { return api.post(kPredict, text).status; };
    EXPECT_EQ(status(R"({"instances":[{"query":"x y"}]})"), 404);
    EXPECT_EQ(status(R"({"instances":[{"query":""}]})"), 422);
    EXPECT_EQ(status(R"({"instances":[{"show":3}]})"), 422);
    EXPECT_EQ(status(R"({"instances":[{}]})"), 422);
    EXPECT_EQ(status(R"({"instances":[{"query":"i0","show":"many"}]})"), 400);
    EXPECT_EQ(status(R"({"instances":[{"query":"i0","show":1001}]})"), 400);
    EXPECT_EQ(status(R"({"instances":[{"query":7}]})"), 400);
    EXPECT_EQ(status(R"({"instances":[{"query":"i0","limit":1}]})"), 400);
    EXPECT_EQ(status(R"({"instances":[]})"), 400);
    EXPECT_EQ(status(R"({})"), 400);
    EXPECT_EQ(status(R"({"instances":["i0"],"inputs":["i0"]})"), 400);
    EXPECT_EQ(status(R"({"instances":["i0"],"signature_name":"other"})"), 400);
    EXPECT_EQ(status(R"({"instances":[{"query":")" + std::string(513, 'x') + "\"}]}"), 400);
    EXPECT_EQ(status(R"({"instances":)"), 400);
    std::string many = R"({"instances":[{"item":"i0","k":1000})";
    for (int row = 1; row < 21; ++row) {
        many += R"(,{"item":"i0","k":1000})";
    }
    EXPECT_EQ(status(many + "]}"), 400);
}

TEST(PredictApi, has_the_blueprints_habits_only_where_asked_for) {
    const Api api(true);
    const auto answer = [&](std::string_view text) {
        const HttpResponse response = api.post(kPredict, text);
        EXPECT_EQ(response.status, 200);
        return response.body;
    };
    const std::string no_query =
        R"({"predictions":"You need to provide the item Id(s) in the query!"})";
    EXPECT_EQ(answer(R"({"instances":[{"show":3}]})"), no_query);
    EXPECT_EQ(answer(R"({"instances":[{}]})"), no_query);
    EXPECT_EQ(answer(R"({"instances":[{"query":"x"}]})"),
              R"({"error":"Unexpected error: no item of the query is in the model: 'x'"})");
    EXPECT_TRUE(answer("{").starts_with(R"({"error":"Unexpected error: the body is no JSON)"));
    EXPECT_EQ(answer(R"({"instances":[{"query":"i0","show":"many"}]})"),
              R"({"predictions":["i0","i2","i4","i6","i1","i3","i5","i7"]})");
    EXPECT_EQ(answer(R"({"instances":[{"query":"i0","show":1},{"query":"i1","show":1}]})"),
              R"({"predictions":["i0"]})");
    EXPECT_EQ(api.post("/v1/models/none:predict", "{}").status, 404);
}

TEST(PredictApi, takes_rows_of_native_queries_and_of_items) {
    const Api api;
    EXPECT_EQ(
        api.post(kPredict, R"({"signature_name":"serving_default","instances":[)"
                           R"({"item":"i0","k":2,"fields":["color"]},"i1",{"user":"g0","k":0}]})")
            .body,
        R"({"predictions":[[{"id":"i2","score":1,"fields":{"color":"blue"}},)"
        R"({"id":"i4","score":1,"fields":{"color":"red"}}],[{"id":"i3","score":1},)"
        R"({"id":"i5","score":1},{"id":"i7","score":1},{"id":"i0","score":0},)"
        R"({"id":"i2","score":0},{"id":"i4","score":0},{"id":"i6","score":0}],[]]})");
    EXPECT_EQ(api.post(kPredict, R"({"instances":["i0","x"]})").status, 404);
    EXPECT_EQ(api.post(kPredict, R"({"instances":[{"item":"x","k":1,"fallback":"popular"}]})").body,
              R"({"predictions":[[{"id":"i0","score":3}]]})");
    EXPECT_EQ(api.post(kPredict, R"({"instances":[{"item":"i0","fields":["x"]}]})").status, 422);
    const HttpResponse refused =
        api.ask(HttpMethod::kPost, kPredict, R"({"instances":["i0",{"user":"g0"}]})", {}, {},
                {true, ScopeSet().with(Scope::kRead)});
    EXPECT_EQ(refused.status, 403);
}

TEST(PredictApi, takes_columns_and_answers_with_columns) {
    const Api api;
    const auto body = [&](std::string_view text) { return api.post(kPredict, text).body; };
    EXPECT_EQ(body(R"({"inputs":{"item":["i0","i1"],"k":2}})"),
              R"({"outputs":{"ids":[["i2","i4"],["i3","i5"]],"scores":[[1,1],[1,1]]}})");
    EXPECT_EQ(body(R"({"inputs":{"vector":[[2,0],[0,1]],"k":1}})"),
              R"({"outputs":{"ids":[["i0"],["i1"]],"scores":[[1],[1]]}})");
    EXPECT_TRUE(body(R"({"inputs":["i0"]})").starts_with(R"({"outputs":{"ids":[["i2","i4","i6",)"));
    for (const char* const text :
         {R"({"inputs":{}})", R"({"inputs":[]})", R"({"inputs":{"item":["i0"],"vector":[[1,2]]}})",
          R"({"inputs":{"item":"i0"}})", R"({"inputs":{"vector":[1,2]}})", R"({"inputs":7})"}) {
        EXPECT_EQ(api.post(kPredict, text).status, 400) << text;
    }
    EXPECT_EQ(api.post(kPredict, R"({"inputs":{"vector":[[1]]}})").status, 422);
    EXPECT_EQ(api.post(kPredict, R"({"inputs":["i0","x"]})").status, 404);
}

TEST(LookupApi, gives_the_vector_the_mean_and_zeros) {
    const Api api;
    EXPECT_EQ(
        api.post(kLookup, R"({"instances":["i0","i0 i1","zzz","i0 i0 i1","","i2 zzz"]})").body,
        R"({"predictions":[[1,0],[0.5,0.5625],[0,0],[0.6666667,0.375],[0,0],[0.625,0]]})");
    EXPECT_EQ(api.post(kLookup, R"({"instances":[]})").body, R"({"predictions":[]})");
    EXPECT_EQ(api.post(kLookup, R"({"instances":[1]})").status, 400);
    EXPECT_EQ(api.post(kLookup, R"({"instance":["i0"]})").status, 400);
    EXPECT_EQ(api.post("/v1/models/lists:lookup", R"({"instances":["i0"]})").status, 422);
}

TEST(PredictApi, survives_bodies_cut_anywhere) {
    const Api api;
    for (
        const std::string_view body :
        {R"({"signature_name":"serving_default","instances":[{"query":"i0 i1","show":"3"},{"item":"i0"}]})",
         R"({"inputs":{"item":["i0","i1"],"k":2}})"}) {
        for (std::size_t size = 0; size < body.size(); ++size) {
            EXPECT_EQ(api.post(kPredict, body.substr(0, size)).status, 400);
            EXPECT_EQ(api.post(kLookup, body.substr(0, size)).status, 400);
        }
    }
}

}  // namespace
}  // namespace segue::serve
