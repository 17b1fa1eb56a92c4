#include <gtest/gtest.h>

#include "serve/api_fixture.h"

namespace segue::serve {
namespace {

using testing::Api;

constexpr std::string_view kFind = "/v1/models/vectors:findNeighbors";
constexpr std::string_view kRead = "/v1/models/vectors:readIndexDatapoints";

class VertexApi : public ::testing::Test {
protected:
    /// Ids of the neighbours that the restricts of one query leave.
    std::string restricted(std::string_view restricts) const {
        const std::string body =
            api_.post(kFind, R"({"queries":[{"datapoint":{"featureVector":[1,0],)" +
                                 std::string(restricts) + "},\"neighborCount\":8}]}")
                .body;
        std::string ids;
        constexpr std::string_view kId = "\"datapointId\":\"";
        for (std::size_t at = body.find(kId); at != std::string::npos;
             at = body.find(kId, at + 1)) {
            ids += body.substr(at + kId.size(), 2);
        }
        return ids;
    }

    Api api_;
};

TEST_F(VertexApi, finds_neighbours_of_vectors_and_of_datapoints) {
    EXPECT_EQ(api_.post(kFind, R"({"deployedIndexId":"vectors","queries":[)"
                               R"({"datapoint":{"datapointId":"q","featureVector":[1,0]},)"
                               R"("neighborCount":2},)"
                               R"({"datapoint":{"datapointId":"i0"},"neighborCount":1}]})")
                  .body,
              R"({"nearestNeighbors":[{"id":"q","neighbors":[)"
              R"({"datapoint":{"datapointId":"i0"},"distance":1},)"
              R"({"datapoint":{"datapointId":"i2"},"distance":1}]},)"
              R"({"id":"i0","neighbors":[{"datapoint":{"datapointId":"i2"},"distance":1}]}]})");
    const HttpResponse by_name =
        api_.post("/v1/projects/p/locations/l/indexEndpoints/vectors:findNeighbors",
                  R"({"queries":[{"datapoint":{"datapointId":"i1"},"neighborCount":1}]})");
    EXPECT_EQ(by_name.body, R"({"nearestNeighbors":[{"id":"i1","neighbors":[)"
                            R"({"datapoint":{"datapointId":"i3"},"distance":1}]}]})");
    EXPECT_EQ(api_.post("/v1/projects/p/locations/l/indexEndpoints/vectors:readIndexDatapoints",
                        R"({"ids":["none"]})")
                  .body,
              R"({"datapoints":[]})");
}

TEST_F(VertexApi, finds_a_datapoint_by_what_reading_it_gave) {
    const HttpResponse read =
        api_.post(kRead, R"({"deployedIndexId":"vectors","ids":["i6","none","i1"]})");
    EXPECT_EQ(read.body,
              R"({"datapoints":[{"datapointId":"i6","featureVector":[1.75,0],"restricts":[)"
              R"({"namespace":"title","allowList":["Title 6"]},)"
              R"({"namespace":"price","allowList":["60"]}]},)"
              R"({"datapointId":"i1","featureVector":[0,1.125],"restricts":[)"
              R"({"namespace":"title","allowList":["Title 1"]},)"
              R"({"namespace":"color","allowList":["red"]},)"
              R"({"namespace":"price","allowList":["10"]}]}]})");
    EXPECT_EQ(api_.post(kFind, R"({"queries":[{"datapoint":{"featureVector":[1.75,0],"restricts":[)"
                               R"({"namespace":"title","allowList":["Title 6"]}]},)"
                               R"("neighborCount":1}],"returnFullDatapoint":true})")
                  .body,
              R"({"nearestNeighbors":[{"id":"","neighbors":[{"datapoint":{"datapointId":"i6",)"
              R"("featureVector":[1.75,0],"restricts":[)"
              R"({"namespace":"title","allowList":["Title 6"]},)"
              R"({"namespace":"price","allowList":["60"]}]},"distance":1}]}]})");
}

TEST_F(VertexApi, restricts_as_the_truth_table_says) {
    EXPECT_EQ(restricted(R"("restricts":[])"), "i0i2i4i6i1i3i5i7");
    EXPECT_EQ(restricted(R"("restricts":[{"namespace":"color","allowList":["red","blue"],)"
                         R"("denyList":["purple"]}])"),
              "i0i2i4i1i7");
    EXPECT_EQ(restricted(R"("restricts":[{"namespace":"color","denyList":["purple"]}])"),
              "i0i2i4i6i1i3i7");
    EXPECT_EQ(restricted(R"("restricts":[{"namespace":"color","allowList":["red"]},)"
                         R"({"namespace":"price","allowList":["40","50"]}])"),
              "i4");
    const auto compared = [&](std::string_view op, std::string_view value) {
        return restricted(R"("numericRestricts":[{"namespace":"price","op":")" + std::string(op) +
                          "\"," + std::string(value) + "}]");
    };
    EXPECT_EQ(compared("LESS", R"("valueInt":"20")"), "i0i1");
    EXPECT_EQ(compared("LESS_EQUAL", R"("valueInt":20)"), "i0i2i1");
    EXPECT_EQ(compared("EQUAL", R"("valueFloat":20.0)"), "i2");
    EXPECT_EQ(compared("NOT_EQUAL", R"("valueDouble":20)"), "i0i4i6i1i3i5i7");
    EXPECT_EQ(compared("GREATER_EQUAL", R"("valueInt":"60")"), "i6i7");
    EXPECT_EQ(compared("GREATER", R"("valueInt":"60")"), "i7");
}

TEST_F(VertexApi, limits_crowds) {
    EXPECT_EQ(api_.post(kFind, R"({"queries":[{"datapoint":{"featureVector":[1,0],)"
                               R"("crowdingTag":{"crowdingAttribute":"color"}},"neighborCount":3,)"
                               R"("perCrowdingAttributeNeighborCount":1}]})")
                  .body,
              R"({"nearestNeighbors":[{"id":"","neighbors":[)"
              R"({"datapoint":{"datapointId":"i0","crowdingTag":{"crowdingAttribute":"red"}},)"
              R"("distance":1},)"
              R"({"datapoint":{"datapointId":"i2","crowdingTag":{"crowdingAttribute":"blue"}},)"
              R"("distance":1},)"
              R"({"datapoint":{"datapointId":"i6","crowdingTag":{"crowdingAttribute":""}},)"
              R"("distance":1}]}]})");
}

TEST_F(VertexApi, refuses_what_it_does_not_understand) {
    for (
        const char* const body :
        {"", "{}", R"({"queries":[{}]})", R"({"queries":{}})",
         R"({"deployedIndexId":"other","queries":[]})",
         R"({"queries":[{"datapoint":{"datapointId":"i0"},"neighborCount":-1}]})",
         R"({"queries":[{"datapoint":{"datapointId":"i0"},"neighborCount":1001}]})",
         R"({"queries":[{"datapoint":{"featureVector":[null]}}]})",
         R"({"queries":[{"datapoint":{"restricts":[{"allowList":["x"]}]}}]})",
         R"({"queries":[{"datapoint":{"numericRestricts":[{"namespace":"price","op":"LIKE","valueInt":1}]}}]})",
         R"({"queries":[{"datapoint":{"numericRestricts":[{"namespace":"price","op":"LESS"}]}}]})",
         R"({"queries":[{"datapoint":{"datapointId":"i0"},"fractionLeafNodesToSearchOverride":2}]})"}) {
        EXPECT_EQ(api_.post(kFind, body).status, 400) << body;
    }
    for (
        const char* const body :
        {R"({"queries":[{"datapoint":{}}]})",
         R"({"queries":[{"datapoint":{"featureVector":[1]}}]})",
         R"({"queries":[{"datapoint":{"datapointId":"i0","restricts":[{"namespace":"x","denyList":["y"]}]}}]})",
         R"({"queries":[{"datapoint":{"datapointId":"i0"},"perCrowdingAttributeNeighborCount":1}]})"}) {
        EXPECT_EQ(api_.post(kFind, body).status, 422) << body;
    }
    EXPECT_EQ(api_.post(kFind, R"({"queries":[{"datapoint":{"datapointId":"x"}}]})").status, 404);
    EXPECT_EQ(api_.post(kFind, R"({"queries":[]})").body, R"({"nearestNeighbors":[]})");
    EXPECT_EQ(api_.post(kRead, R"({"ids":"i0"})").status, 400);
    EXPECT_EQ(api_.post(kRead, "{}").status, 400);
}

TEST_F(VertexApi, ignores_the_knobs_of_a_tree_where_there_is_none) {
    EXPECT_EQ(
        api_.post(kFind, R"({"queries":[{"datapoint":{"featureVector":[1,0]},"neighborCount":1,)"
                         R"("approximateNeighborCount":100,)"
                         R"("fractionLeafNodesToSearchOverride":0.05}]})")
            .status,
        200);
}

TEST_F(VertexApi, survives_bodies_cut_anywhere) {
    const std::string_view body =
        R"({"queries":[{"datapoint":{"datapointId":"0","featureVector":[1,2e0],"restricts":[)"
        R"({"namespace":"color","allowList":["red"],"denyList":[]}],"numericRestricts":[)"
        R"({"namespace":"price","valueInt":"20","op":"LESS"}]},"neighborCount":10}]})";
    for (std::size_t size = 0; size < body.size(); ++size) {
        EXPECT_EQ(api_.post(kFind, body.substr(0, size)).status, 400);
    }
}

}  // namespace
}  // namespace segue::serve
