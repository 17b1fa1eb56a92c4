#include <gtest/gtest.h>

#include "base/json_reader.h"
#include "serve/api_fixture.h"
#include "serve/json_input.h"
#include "serve/query_json.h"

namespace segue::serve {
namespace {

using testing::Api;

std::string ids_of(std::string_view body) {
    std::string ids;
    constexpr std::string_view kId = "{\"id\":\"";
    for (std::size_t at = body.find(kId); at != std::string_view::npos;
         at = body.find(kId, at + 1)) {
        const std::size_t begin = at + kId.size();
        ids += ids.empty() ? "" : " ";
        ids += body.substr(begin, body.find('"', begin) - begin);
    }
    return ids;
}

class NativeApi : public ::testing::Test {
protected:
    std::string similar(std::string_view body, std::string_view model = "vectors") const {
        const HttpResponse response =
            api_.post("/v1/models/" + std::string(model) + ":similar", body);
        EXPECT_EQ(response.status, 200) << response.body;
        return response.body;
    }
    /// The status and the message of a refused query.
    std::string refusal(std::string_view body, std::string_view model = "vectors") const {
        const HttpResponse response =
            api_.post("/v1/models/" + std::string(model) + ":similar", body);
        return std::to_string(response.status) + " " + response.body;
    }

    Api api_;
};

TEST_F(NativeApi, answers_with_everything_a_client_may_want_to_know) {
    EXPECT_EQ(Api::timeless(similar(
                  R"({"item":"i0","k":2,"fields":["title","color"],"evidence":true})", "songs")),
              R"({"model":"songs","version":"2","results":[)"
              R"({"id":"i6","score":1.521523,"fields":{"title":"Title 6"},)"
              R"("evidence":{"item":"i0","together":2,"frequency_query":3,"frequency":3,)"
              R"("pmi":2.415037499278844}},)"
              R"({"id":"i4","score":1.355403,"fields":{"title":"Title 4","color":"red"},)"
              R"("evidence":{"item":"i0","together":2,"frequency_query":3,"frequency":3,)"
              R"("pmi":2.415037499278844}}],"unknown":[],"source":"exact","degraded":false,)"
              R"("took_us":0})");
}

TEST_F(NativeApi, names_the_version_that_answered) {
    const HttpResponse first = api_.post("/v1/models/songs/versions/1:similar", R"({"item":"i0"})");
    EXPECT_NE(first.body.find(R"("version":"1")"), std::string::npos);
    EXPECT_EQ(first.header_lines(), "X-Model-Version: 1\r\n");
    EXPECT_EQ(api_.post("/v1/models/songs/versions/3:similar", R"({"item":"i0"})").status, 404);
    EXPECT_EQ(api_.post("/v1/models/none:similar", R"({"item":"i0"})").status, 404);
}

TEST_F(NativeApi, takes_every_kind_of_question) {
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","k":3})")), "i2 i4 i6");
    EXPECT_EQ(ids_of(similar(R"({"items":["i0",{"id":"i1","weight":0.5}],"k":3})")), "i2 i4 i6");
    EXPECT_EQ(ids_of(similar(R"({"items":["i0"],"negative":["i1"],"k":6})")), "i2 i4 i6 i3 i5 i7");
    EXPECT_EQ(ids_of(similar(R"({"user":"g0","k":2})")), "i0 i1");
    EXPECT_EQ(ids_of(similar(R"({"history":["i1","i3"],"k":2})")), "i5 i7");
    EXPECT_EQ(ids_of(similar(R"({"vector":[0,1],"k":2})")), "i1 i3");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","k":0})")), "");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","exclude_query":false,"k":2})")), "i0 i2");
}

TEST_F(NativeApi, takes_examples_each_for_itself) {
    EXPECT_EQ(ids_of(similar(R"({"items":["i0","i1"],"strategy":"best_score","k":4})")),
              "i2 i3 i4 i5");
    EXPECT_EQ(
        ids_of(similar(R"({"items":["i0"],"negative":["i1"],"strategy":"best_score","k":6})")),
        "i2 i4 i6 i3 i5 i7");
    EXPECT_EQ(ids_of(similar(R"({"items":["i0","i1"],"strategy":"best_score","k":2,)"
                             R"("filter":{"must":[{"key":"color","in":["blue"]}]}})")),
              "i2 i7");
    EXPECT_EQ(ids_of(similar(R"({"items":["i0"],"strategy":"average","k":2})")), "i2 i4");
    EXPECT_EQ(refusal(R"({"items":["i0"],"strategy":"best_score"})", "lists").substr(0, 4), "422 ");
    EXPECT_EQ(refusal(R"({"user":"g1","strategy":"best_score"})").substr(0, 4), "422 ");
    EXPECT_EQ(refusal(R"({"items":["i0"],"strategy":"worst"})").substr(0, 4), "400 ");
}

TEST_F(NativeApi, answers_in_the_time_given_or_says_that_it_was_over) {
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","k":2,"timeout_ms":600000})")), "i2 i4");
    const std::string late = refusal(R"({"item":"i0","k":2,"timeout_ms":0})");
    EXPECT_EQ(late.substr(0, 4), "504 ");
    EXPECT_NE(late.find("DEADLINE_EXCEEDED"), std::string::npos);
    EXPECT_EQ(refusal(R"({"item":"i0","timeout_ms":-1})").substr(0, 4), "400 ");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","k":2})")), "i2 i4") << "the next has time again";
}

TEST_F(NativeApi, narrows_and_spreads_the_answer) {
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","exclude":["i2","gone"],"k":2})")), "i4 i6");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","within":["i5","i6","gone"],"k":5})")), "i6 i5");
    EXPECT_EQ(
        ids_of(similar(R"({"item":"i0","filter":{"must":[{"key":"color","in":["red","blue"]}],)"
                       R"("must_not":[{"key":"price","range":{"gte":20,"lt":30}}]}})")),
        "i4 i1 i7");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","filter":{"must":[{"key":"color","prefix":"b"}]}})")),
              "i2 i7");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","diversity":{"key":"color"}})")), "i2 i4 i6 i3 i5");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","mmr":1,"k":3})")), "i2 i1 i4");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","min_score":0.5})")), "i2 i4 i6");
    EXPECT_EQ(ids_of(similar(R"({"item":"i0","popularity_exponent":0,"k":2})")), "i6 i4");
}

TEST_F(NativeApi, ignores_the_unknown_or_refuses_it_as_asked) {
    EXPECT_NE(similar(R"({"items":["i0","x",7]})").find(R"("unknown":["x","7"],"source":"exact")"),
              std::string::npos);
    EXPECT_NE(similar(R"({"item":"x","k":1})").find(R"("unknown":["x"],"source":"popular")"),
              std::string::npos);
    EXPECT_NE(similar(R"({"user":"nobody","k":1})")
                  .find(R"("unknown":[],"unknown_user":"nobody","source":"popular")"),
              std::string::npos);
    EXPECT_EQ(refusal(R"({"items":["i0","x"],"unknown":"error"})").substr(0, 4), "404 ");
    EXPECT_EQ(refusal(R"({"item":"x","fallback":"error"})").substr(0, 4), "404 ");
    EXPECT_EQ(refusal(R"({"user":"nobody","fallback":"error"})").substr(0, 4), "404 ");
}

TEST_F(NativeApi, refuses_malformed_queries_with_400_and_senseless_ones_with_422) {
    for (const char* const body :
         {"",
          "{",
          "[]",
          "7",
          "null",
          R"({"item":"i0"} x)",
          R"({"item":null})",
          R"({"item":[]})",
          R"({"item":""})",
          R"({"item":1.5})",
          R"({"item":"i0","item":"i1"})",
          R"({"item":"i0","colour":1})",
          R"({"items":[]})",
          R"({"items":"i0"})",
          R"({"items":[{"weight":1}]})",
          R"({"items":[{"id":"i0","weight":1e60}]})",
          R"({"item":"i0","k":-1})",
          R"({"item":"i0","k":1001})",
          R"({"item":"i0","k":"5"})",
          R"({"item":"i0","k":1.5})",
          R"({"vector":[]})",
          R"({"vector":[1,"2"]})",
          R"({"vector":[1,NaN]})",
          R"({"vector":[1,1e400]})",
          R"({"vector":[1,1e39]})",
          R"({"item":"\ud800"})",
          R"({"item":"i0","filter":[]})",
          R"({"item":"i0","filter":{"must":[{"in":["x"]}]}})",
          R"({"item":"i0","filter":{"must":[{"key":"color","like":"x"}]}})",
          R"({"item":"i0","filter":{"must":[{"key":"price","range":{"gt":"1"}}]}})",
          R"({"item":"i0","unknown":"maybe"})",
          R"({"item":"i0","exclude_query":1})",
          R"({"item":"i0","diversity":{}})",
          R"({"item":"i0","fields":"title"})",
          "{\"item\":\"\xFF\"}"}) {
        const std::string refused = refusal(body);
        EXPECT_EQ(refused.substr(0, 4), "400 ") << body << " -> " << refused;
        EXPECT_NE(refused.find(R"("code":"INVALID_ARGUMENT","request_id":"r1")"),
                  std::string::npos);
    }
    for (const char* const body :
         {"{}", R"({"k":3})", R"({"vector":[1]})", R"({"vector":[1,2,3]})",
          R"({"item":"i0","mmr":2})", R"({"item":"i0","popularity_exponent":9})",
          R"({"item":"i0","filter":{"must":[{"key":"brand","in":["x"]}]}})",
          R"({"item":"i0","filter":{"must":[{"key":"color"}]}})",
          R"({"item":"i0","diversity":{"key":"brand"}})",
          R"({"item":"i0","diversity":{"key":"color","max_per_value":0}})",
          R"({"items":[{"id":"i0","weight":1e20}]})", R"({"item":"i0","fields":["brand"]})"}) {
        const std::string refused = refusal(body);
        EXPECT_EQ(refused.substr(0, 4), "422 ") << body << " -> " << refused;
    }
    EXPECT_EQ(refusal(R"({"vector":[1,2]})", "lists").substr(0, 4), "422 ");
    EXPECT_EQ(refusal(R"({"item":"i0","mmr":0.5})", "lists").substr(0, 4), "422 ");
}

TEST_F(NativeApi, holds_its_limits) {
    const auto repeated = [](std::string_view member, std::size_t count) {
        std::string body = R"({"item":"i0",")" + std::string(member) + "\":[";
        for (std::size_t place = 0; place < count; ++place) {
            body += place == 0 ? "\"i1\"" : ",\"i1\"";
        }
        return body + "]}";
    };
    EXPECT_EQ(refusal(repeated("exclude", 10'000)).substr(0, 4), "200 ");
    EXPECT_EQ(refusal(repeated("exclude", 10'001)).substr(0, 4), "400 ");
    EXPECT_EQ(refusal(repeated("items", 999)).substr(0, 4), "200 ");
    EXPECT_EQ(refusal(repeated("items", 1000)).substr(0, 4), "400 ");
    EXPECT_EQ(refusal(repeated("within", 1001)).substr(0, 4), "400 ");
    EXPECT_EQ(refusal(R"({"item":")" + std::string(512, 'x') + "\"}").substr(0, 4), "200 ");
    EXPECT_EQ(refusal(R"({"item":")" + std::string(513, 'x') + "\"}").substr(0, 4), "400 ");
    const auto nested = [](std::size_t depth) {
        return R"({"item":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
    };
    EXPECT_NE(refusal(nested(kMaxJsonDepth)).find("nested deeper than 16"), std::string::npos);
    EXPECT_NE(refusal(nested(1000)).find("nested deeper than 16"), std::string::npos);
    EXPECT_NE(refusal(nested(kMaxJsonDepth - 2)).find("item must be"), std::string::npos);
}

TEST_F(NativeApi, survives_a_query_cut_anywhere) {
    const std::string body =
        R"({"items":["i0",{"id":"i1","weight":0.5}],"history":["i3"],"user":"g1","vector":[1,-2.5e0],)"
        R"("exclude":["i2"],"filter":{"must":[{"key":"price","range":{"gt":1}}]},"k":3,)"
        R"("diversity":{"key":"color","max_per_value":2},"mmr":0.25,"fields":["title"],)"
        R"("unknown":"ignore","fallback":"popular","title\u00e9":null})";
    for (std::size_t size = 0; size <= body.size(); ++size) {
        const std::string refused = refusal(body.substr(0, size));
        EXPECT_EQ(refused.substr(0, 4), "400 ") << body.substr(0, size);
    }
}

TEST_F(NativeApi, survives_a_query_with_any_byte_replaced) {
    const std::string body =
        R"({"items":["i0",{"id":"i1","weight":0.5}],"k":3,"fields":["title"]})";
    for (std::size_t place = 0; place < body.size(); ++place) {
        for (const char byte : {'\0', '"', '{', ']', '9', '\xFF', '\\', ',', '-'}) {
            std::string damaged = body;
            damaged[place] = byte;
            const std::string answer = refusal(damaged);
            EXPECT_TRUE(answer.starts_with("200") || answer.starts_with("400") ||
                        answer.starts_with("422"))
                << damaged << " -> " << answer;
        }
    }
}

TEST_F(NativeApi, asks_for_a_scope_before_it_tells_of_a_stored_user) {
    const Caller reader = {true, ScopeSet().with(Scope::kRead)};
    const auto ask = [&](std::string_view body) {
        return api_.ask(HttpMethod::kPost, "/v1/models/vectors:similar", body, {}, {}, reader);
    };
    EXPECT_EQ(ask(R"({"item":"i0"})").status, 200);
    EXPECT_EQ(ask(R"({"history":["i0"]})").status, 200);
    EXPECT_EQ(ask(R"({"user":"g0"})").status, 403);
    EXPECT_EQ(ask(R"({"user":"nobody"})").status, 403);
}

TEST_F(NativeApi, answers_batches_in_order_with_an_error_for_each_that_fails) {
    const HttpResponse response =
        api_.post("/v1/models/vectors:batchSimilar",
                  R"({"queries":[{"item":"i0","k":1},{"k":2},7,{"item":"x","fallback":"error"},)"
                  R"({"item":"i1","k":1}]})");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(
        Api::timeless(response.body),
        R"({"model":"vectors","version":"1","results":[)"
        R"({"results":[{"id":"i2","score":1}],"unknown":[],"source":"exact",)"
        R"("degraded":false,"took_us":0},)"
        R"({"error":"nothing was asked: give an item, a group, a history or a vector",)"
        R"("code":"INVALID_ARGUMENT","request_id":"r1"},)"
        R"({"error":"a query must be an object","code":"INVALID_ARGUMENT","request_id":"r1"},)"
        R"({"error":"no item of the query is in the model: 'x'","code":"NOT_FOUND",)"
        R"("request_id":"r1"},)"
        R"({"results":[{"id":"i3","score":1}],"unknown":[],"source":"exact",)"
        R"("degraded":false,"took_us":0}]})");
    std::string many = R"({"queries":[{"item":"i0"})";
    for (std::size_t query = 1; query < kMaxQueriesOfBatch; ++query) {
        many += R"(,{"item":"i0"})";
    }
    EXPECT_EQ(api_.post("/v1/models/vectors:batchSimilar", many + "]}").status, 200);
    EXPECT_EQ(api_.post("/v1/models/vectors:batchSimilar", many + ",{}]}").status, 400);
    EXPECT_EQ(api_.post("/v1/models/vectors:batchSimilar", "{}").status, 400);
    EXPECT_EQ(api_.post("/v1/models/vectors:batchSimilar", R"({"queries":[)").status, 400);
}

TEST_F(NativeApi, gives_items_as_resources_that_can_be_cached) {
    const HttpResponse response =
        api_.get("/v1/models/vectors/items/i0/similar",
                 {{"k", "2"}, {"exclude", "i2,gone"}, {"fields", "title"}});
    EXPECT_EQ(Api::timeless(response.body),
              R"({"model":"vectors","version":"1","results":[)"
              R"({"id":"i4","score":1,"fields":{"title":"Title 4"}},)"
              R"({"id":"i6","score":1,"fields":{"title":"Title 6"}}],"unknown":["gone"],)"
              R"("source":"exact","degraded":false,"took_us":0})");
    const std::string& headers = response.header_lines();
    const std::size_t begin = headers.find("ETag: ") + 6;
    const std::string tag = headers.substr(begin, headers.find("\r\n", begin) - begin);
    EXPECT_TRUE(tag.starts_with("W/\"1-")) << tag;
    const auto with_tag = [&](std::string_view known) {
        return api_.ask(HttpMethod::kGet, "/v1/models/vectors/items/i0/similar", "", {},
                        {{"if-none-match", known}});
    };
    EXPECT_EQ(with_tag(tag).status, 304);
    EXPECT_EQ(with_tag(tag).body, "");
    EXPECT_EQ(with_tag("\"x\", " + tag).status, 304);
    EXPECT_EQ(with_tag("*").status, 304);
    EXPECT_EQ(with_tag("\"1-0\"").status, 200);
    EXPECT_EQ(api_.get("/v1/models/vectors/items/x/similar").status, 404);
    EXPECT_EQ(api_.get("/v1/models/vectors/items/i0/similar", {{"k", "x"}}).status, 400);
    EXPECT_EQ(api_.get("/v1/models/vectors/items/i0/similar", {{"k", "1001"}}).status, 400);
    EXPECT_EQ(api_.get("/v1/models/vectors/items/i0/similar", {{"limit", "1"}}).status, 400);
    EXPECT_EQ(api_.get("/v1/models/vectors/items/i0/similar", {{"fields", "brand"}}).status, 422);
}

TEST_F(NativeApi, tells_what_is_stored_of_an_item) {
    EXPECT_EQ(api_.get("/v1/models/vectors/items/i2").body,
              R"({"id":"i2","fields":{"title":"Title 2","color":"blue","price":"20"},)"
              R"("frequency":3})");
    EXPECT_EQ(api_.get("/v1/models/vectors/items/i6", {{"vector", "true"}}).body,
              R"({"id":"i6","fields":{"title":"Title 6","price":"60"},"frequency":3,)"
              R"("vector":[1.75,0]})");
    EXPECT_EQ(api_.get("/v1/models/vectors/items/none").status, 404);
}

TEST_F(NativeApi, carries_its_own_description) {
    const HttpResponse response = api_.get("/openapi.json");
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(check_json_object(response.body).ok());
    EXPECT_NE(response.body.find("/v1/models/{model}:similar"), std::string::npos);
}

}  // namespace
}  // namespace segue::serve
