#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "serve/api_fixture.h"

namespace segue::serve {
namespace {

using testing::Api;

constexpr std::string_view kInfer = "/v2/models/vectors/infer";

template <typename Number>
std::string raw_of(std::initializer_list<Number> numbers) {
    std::string raw;
    for (const Number number : numbers) {
        char bytes[sizeof number];
        std::memcpy(bytes, &number, sizeof number);
        raw.append(bytes, sizeof number);
    }
    return raw;
}

std::string raw_text(std::string_view text) {
    return raw_of({static_cast<std::uint32_t>(text.size())}) + std::string(text);
}

class InferenceApi : public ::testing::Test {
protected:
    HttpResponse infer(const std::string& json, const std::string& raw) const {
        const std::string size = std::to_string(json.size());
        return api_.ask(HttpMethod::kPost, kInfer, json + raw, {},
                        {{"Inference-Header-Content-Length", size}});
    }

    Api api_;
};

TEST_F(InferenceApi, answers_items_with_tensors_and_echoes_the_id) {
    EXPECT_EQ(api_.post("/v2/models/songs/versions/1/infer",
                        R"({"id":"42","parameters":{"k":1},"inputs":[{"name":"item",)"
                        R"("shape":[2],"datatype":"BYTES","data":["i0","i1"]}]})")
                  .body,
              R"({"model_name":"songs","model_version":"1","id":"42","outputs":[)"
              R"({"name":"ids","datatype":"BYTES","shape":[2,1],"data":["i6","i7"]},)"
              R"({"name":"scores","datatype":"FP32","shape":[2,1],"data":[1.521523,1.6023263]},)"
              R"({"name":"counts","datatype":"INT32","shape":[2],"data":[1,1]}]})");
}

TEST_F(InferenceApi, fills_short_lists_up_and_says_so) {
    EXPECT_EQ(api_.post("/v2/models/lists/infer",
                        R"({"parameters":{"k":5},"inputs":[{"name":"item","shape":[1,1],)"
                        R"("datatype":"BYTES","data":[["i0"]]}],"outputs":[{"name":"counts"},)"
                        R"({"name":"ids"}]})")
                  .body,
              R"({"model_name":"lists","model_version":"1","outputs":[)"
              R"({"name":"counts","datatype":"INT32","shape":[1],"data":[3]},)"
              R"({"name":"ids","datatype":"BYTES","shape":[1,3],"data":["i2","i4","i6"]}]})");
}

TEST_F(InferenceApi, takes_and_gives_raw_tensors) {
    const HttpResponse response =
        infer(R"({"parameters":{"k":2,"binary_data_output":true},"inputs":[{"name":"vector",)"
              R"("shape":[2,2],"datatype":"FP32","parameters":{"binary_data_size":16}}],)"
              R"("outputs":[{"name":"ids"},{"name":"scores"},)"
              R"({"name":"counts","parameters":{"binary_data":false}}]})",
              raw_of<float>({1, 0, 0, 1}));
    const std::string json =
        R"({"model_name":"vectors","model_version":"1","outputs":[)"
        R"({"name":"ids","datatype":"BYTES","shape":[2,2],"parameters":{"binary_data_size":24}},)"
        R"({"name":"scores","datatype":"FP32","shape":[2,2],)"
        R"("parameters":{"binary_data_size":16}},)"
        R"({"name":"counts","datatype":"INT32","shape":[2],"data":[2,2]}]})";
    EXPECT_EQ(response.body, json + raw_text("i0") + raw_text("i2") + raw_text("i1") +
                                 raw_text("i3") + raw_of<float>({1, 1, 1, 1}));
    EXPECT_EQ(response.content_type, "application/octet-stream");
    EXPECT_EQ(response.header_lines(), "X-Model-Version: 1\r\nInference-Header-Content-Length: " +
                                           std::to_string(json.size()) + "\r\n");

    EXPECT_EQ(infer(R"({"parameters":{"k":1},"inputs":[{"name":"item","shape":[2],)"
                    R"("datatype":"BYTES","parameters":{"binary_data_size":12}}],)"
                    R"("outputs":[{"name":"ids"}]})",
                    raw_text("i0") + raw_text("i1"))
                  .body,
              R"({"model_name":"vectors","model_version":"1","outputs":[)"
              R"({"name":"ids","datatype":"BYTES","shape":[2,1],"data":["i2","i3"]}]})");
    EXPECT_EQ(infer(R"({"inputs":[{"name":"vector","shape":[1,2],"datatype":"FP64",)"
                    R"("parameters":{"binary_data_size":16}}],"outputs":[{"name":"counts"}]})",
                    raw_of<double>({1, 0}))
                  .status,
              200);
}

TEST_F(InferenceApi, answers_large_bodies_on_the_thread_for_slow_work_all_the_same) {
    std::string raw;
    for (int row = 0; row < 256; ++row) {
        raw += raw_text("i" + std::to_string(row % 8));
    }
    const HttpResponse binary =
        infer(R"({"parameters":{"k":3},"inputs":[{"name":"item","shape":[256],"datatype":"BYTES",)"
              R"("parameters":{"binary_data_size":1536}}],"outputs":[{"name":"counts"}]})",
              raw);
    EXPECT_EQ(binary.status, 200);
    const std::string large = R"({"id":")" + std::string(400, 'x') +
                              R"(","inputs":[{"name":"vector",)" + std::string(5000, ' ') +
                              R"("shape":[1,2],"datatype":"FP32","data":[1,0]}]})";
    const HttpResponse json = api_.post(kInfer, large);
    EXPECT_EQ(json.status, 200);
    EXPECT_NE(json.body.find(R"("id":"xxx)"), std::string::npos);
}

TEST_F(InferenceApi, refuses_tensors_that_are_not_what_they_say) {
    const auto input = [](std::string_view members) {
        return R"({"inputs":[{)" + std::string(members) + "}]}";
    };
    for (
        const std::string& body : {
            std::string("{"),
            std::string("{}"),
            std::string(R"({"inputs":[]})"),
            input(R"("name":"item","shape":[1],"datatype":"BYTES")"),
            input(R"("name":"item","shape":[2],"datatype":"BYTES","data":["i0"])"),
            input(R"("name":"item","shape":[1],"datatype":"BYTES","data":["i0","i1"])"),
            input(R"("name":"item","shape":[1],"datatype":"FP32","data":["i0"])"),
            input(R"("name":"item","shape":[0],"datatype":"BYTES","data":[])"),
            input(R"("name":"item","shape":[-1],"datatype":"BYTES","data":["i0"])"),
            input(R"("name":"item","shape":[1,2],"datatype":"BYTES","data":["i0","i1"])"),
            input(R"("name":"item","shape":[257],"datatype":"BYTES","data":["i0"])"),
            input(
                R"("name":"item","shape":[4611686018427387905,4],"datatype":"BYTES","data":["i0"])"),
            input(R"("name":"item","shape":[1,1,1],"datatype":"BYTES","data":["i0"])"),
            input(R"("name":"item","shape":[1],"datatype":"BYTES","data":[{"a":1}])"),
            input(R"("name":"items","shape":[1],"datatype":"BYTES","data":["i0"])"),
            input(R"("name":"vector","shape":[1,2],"datatype":"FP32","data":[1])"),
            input(R"("name":"vector","shape":[1,2],"datatype":"FP32","data":[[1,2],[3]])"),
            input(R"("name":"vector","shape":[1,2],"datatype":"INT8","data":[1,2])"),
            input(R"("name":"vector","shape":[2],"datatype":"FP32","data":[1,2])"),
            input(R"("name":"vector","shape":[1,2],"datatype":"FP32","data":[1,1e39])"),
            input(
                R"("name":"item","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6})"),
            std::string(
                R"({"inputs":[{"name":"item","shape":[1],"datatype":"BYTES","data":["i0"]}],"outputs":[{"name":"x"}]})"),
            std::string(
                R"({"parameters":{"k":1001},"inputs":[{"name":"item","shape":[1],"datatype":"BYTES","data":["i0"]}]})"),
        }) {
        EXPECT_EQ(api_.post(kInfer, body).status, 400) << body;
    }
    const auto vectors = [&](std::string_view size, const std::string& raw) {
        return infer(R"({"inputs":[{"name":"vector","shape":[1,2],"datatype":"FP32",)"
                     R"("parameters":{"binary_data_size":)" +
                         std::string(size) + "}}]}",
                     raw)
            .status;
    };
    EXPECT_EQ(vectors("8", raw_of<float>({1, 0})), 200);
    EXPECT_EQ(vectors("8", raw_of<float>({1})), 400);
    EXPECT_EQ(vectors("4", raw_of<float>({1})), 400);
    EXPECT_EQ(vectors("7", raw_of<float>({1, 0}).substr(1)), 400);
    EXPECT_EQ(vectors("8", raw_of<float>({1, 0, 0})), 400);
    EXPECT_EQ(vectors("8", raw_of<float>({1, std::numeric_limits<float>::quiet_NaN()})), 400);
    EXPECT_EQ(vectors("18446744073709551615", raw_of<float>({1, 0})), 400);
    for (const std::string& raw :
         {raw_text("i0").substr(0, 3), raw_text("i0").substr(0, 5), raw_of<std::uint32_t>({~0U}),
          raw_text(""), raw_text("i0") + raw_text("i1")}) {
        EXPECT_EQ(infer(R"({"inputs":[{"name":"item","shape":[1],"datatype":"BYTES",)"
                        R"("parameters":{"binary_data_size":)" +
                            std::to_string(raw.size()) + "}}]}",
                        raw)
                      .status,
                  400);
    }
}

TEST_F(InferenceApi, holds_the_length_of_the_header_against_the_body) {
    for (const char* const length : {"-1", "x", "", "1000", "99999999999999999999", "3"}) {
        EXPECT_EQ(api_.ask(HttpMethod::kPost, kInfer, R"({"inputs":[]})", {},
                           {{"inference-header-content-length", length}})
                      .status,
                  400)
            << length;
    }
}

TEST_F(InferenceApi, passes_on_what_the_model_has_to_say) {
    EXPECT_EQ(api_.post(kInfer, R"({"inputs":[{"name":"item","shape":[1],"datatype":"BYTES",)"
                                R"("data":["none"]}]})")
                  .status,
              404);
    EXPECT_EQ(api_.post(kInfer, R"({"inputs":[{"name":"vector","shape":[1,3],"datatype":"FP32",)"
                                R"("data":[1,2,3]}]})")
                  .status,
              422);
    EXPECT_EQ(api_.post("/v2/models/none/infer", "{}").status, 404);
}

TEST_F(InferenceApi, describes_itself) {
    EXPECT_EQ(api_.get("/v2/models/vectors").body,
              R"({"name":"vectors","versions":["1"],"platform":"segue_blueprint","inputs":[)"
              R"({"name":"item","datatype":"BYTES","shape":[-1]},)"
              R"({"name":"vector","datatype":"FP32","shape":[-1,2]}],"outputs":[)"
              R"({"name":"ids","datatype":"BYTES","shape":[-1,-1]},)"
              R"({"name":"scores","datatype":"FP32","shape":[-1,-1]},)"
              R"({"name":"counts","datatype":"INT32","shape":[-1]}]})");
    EXPECT_EQ(api_.get("/v2/models/songs/versions/1/ready").body,
              R"({"name":"songs","ready":true})");
    EXPECT_EQ(api_.get("/v2/models/none/ready").status, 404);
    EXPECT_EQ(api_.get("/v2").status, 200);
}

TEST_F(InferenceApi, survives_requests_cut_anywhere) {
    const std::string json =
        R"({"id":"1","parameters":{"k":2},"inputs":[{"name":"vector","shape":[1,2],)"
        R"("datatype":"FP32","parameters":{"binary_data_size":8}}]})";
    const std::string raw = raw_of<float>({1, 0});
    for (std::size_t size = 0; size < json.size(); ++size) {
        EXPECT_EQ(infer(json.substr(0, size), raw).status, 400);
    }
    for (std::size_t size = 0; size < raw.size(); ++size) {
        EXPECT_EQ(infer(json, raw.substr(0, size)).status, 400);
    }
}

}  // namespace
}  // namespace segue::serve
