#include "http/message.h"

#include <gtest/gtest.h>

#include <array>

namespace segue {
namespace {

TEST(HttpMessage, finds_headers_whatever_their_case_and_parameters_by_theirs) {
    const std::array headers = {HttpField{"X-One", "1"}, HttpField{"x-one", "2"}};
    const std::array parameters = {HttpField{"k", "5"}, HttpField{"K", "6"}};
    HttpRequest request;
    request.headers = headers;
    request.parameters = parameters;
    EXPECT_EQ(request.header("x-ONE"), "1");
    EXPECT_EQ(request.header("x-on"), std::nullopt);
    EXPECT_EQ(request.parameter("K"), "6");
    EXPECT_EQ(request.parameter("q"), std::nullopt);
}

TEST(HttpMessage, adds_no_header_that_holds_a_line_end) {
    HttpResponse response;
    response.add_header("X-Good", "yes");
    response.add_header("X-Bad", "no\r\nX-Injected: 1");
    response.add_header("X\nY", "no");
    EXPECT_EQ(response.header_lines(), "X-Good: yes\r\n");
    response.clear();
    EXPECT_EQ(response.header_lines(), "");
}

TEST(HttpMessage, decodes_percents_and_refuses_halves) {
    EXPECT_EQ(percent_decoded("a%2fb%2Fc%00"), std::string("a/b/c\0", 6));
    EXPECT_EQ(percent_decoded("plain"), "plain");
    for (const char* const text : {"%", "a%1", "%G1", "%1G", "%%41"}) {
        EXPECT_EQ(percent_decoded(text), std::nullopt) << text;
    }
}

TEST(HttpMessage, writes_errors_as_json) {
    HttpResponse response;
    response.body = "half an answer";
    set_error(response, 404, "NOT_FOUND", "no \"x\"", "id-1");
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.body, R"({"error":"no \"x\"","code":"NOT_FOUND","request_id":"id-1"})");
}

}  // namespace
}  // namespace segue
