// Questions over a socket, through everything that a request goes through: after some of a kind,
// none of them makes its loop allocate.

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.h"
#include "http/test_client.h"
#include "index/allocation_counter.h"
#include "index/exact_index.h"
#include "index_build/build_index.h"
#include "recommend/recommend_fixture.h"
#include "serve/metrics.h"
#include "serve/query_api.h"
#include "serve/tokens.h"

namespace segue::serve {
namespace {

using segue::testing::TestClient;

/// Longer than a string holds itself.
std::string long_key(std::size_t item) {
    return segue::testing::item_key(item) + "-with-a-long-name-behind-it";
}

ModelParts parts_with_long_keys(AnswerBy answer_by) {
    ModelParts parts = segue::testing::random_parts(answer_by, 300, 200, 8, 1);
    ThreadPool pool(1);
    if (answer_by == AnswerBy::kLists) {
        parts.neighbours = segue::testing::counted_lists(parts, 50);
    } else {
        const double exponent = parts.info.popularity_exponent;
        parts.neighbours =
            build_neighbour_table(parts.item_vectors.view(), 50, exponent, pool).value();
        parts.index = build_index(parts.item_vectors.view(),
                                  {.popularity_exponent = exponent, .num_leaves = 12}, pool)
                          .value();
    }
    parts.items = {};
    for (std::size_t item = 0; item < 300; ++item) {
        parts.items.insert(long_key(item));
    }
    return parts;
}

class QueryAllocation : public ::testing::Test {
protected:
    QueryAllocation() {
        registry_.add({"lists", 1}, Model::from_parts(parts_with_long_keys(AnswerBy::kLists)));
        registry_.add({"vectors", 1}, Model::from_parts(parts_with_long_keys(AnswerBy::kVectors)));
        api_.add_routes(router_);
        HttpServerOptions options;
        options.listeners = {{}};
        server_ = HttpServer::start(
                      options,
                      [this](const HttpRequest& request, HttpResponse& response) {
                          counts_.push_back(num_allocations());
                          Caller caller;
                          if (access_.admit(request, caller, response)) {
                              router_.handle(request, caller, response);
                          }
                      },
                      [this](const HttpResponse& response, double seconds, unsigned worker) {
                          metrics_.count(response.route, response.status, seconds, worker);
                      })
                      .value();
        counts_.reserve(1000);
    }

    /// Allocations of the loop from one request to the next, over some of the kind, when as many
    /// have been answered before: the least of three such series.
    std::size_t count(const std::vector<std::string>& requests) {
        constexpr std::size_t kRounds = 6;
        constexpr std::size_t kParts = 4;  // the first warms up
        TestClient client(server_->ports()[0]);
        counts_.clear();
        for (std::size_t round = 0; round < kParts * kRounds + 1; ++round) {
            for (const std::string& request : requests) {
                const TestClient::Answer answer = client.ask(request);
                EXPECT_EQ(answer.status, 200) << answer.body;
            }
        }
        // What is due to a query is in every part; the loop's own now and then is not.
        const std::size_t per_part = kRounds * requests.size();
        std::size_t least = std::numeric_limits<std::size_t>::max();
        for (std::size_t part = 1; part < kParts; ++part) {
            least = std::min(least, counts_[(part + 1) * per_part] - counts_[part * per_part]);
        }
        return least;
    }

    static std::string get(const std::string& path) {
        return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }
    static std::string similar(std::string_view model, const std::string& body) {
        return "POST /v1/models/" + std::string(model) + ":similar HTTP/1.1\r\nHost: x\r\n" +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    ModelRegistry registry_{1};
    QueryApi api_{registry_, {.num_workers = 1, .blueprint_habits = false}};
    Router router_;
    AccessControl access_{true};
    RequestMetrics metrics_{1};
    std::vector<std::size_t> counts_;  // at the beginning of each request
    std::unique_ptr<HttpServer> server_;
};

TEST_F(QueryAllocation, is_none_for_stored_lists) {
    for (const std::string_view model : {"lists", "vectors"}) {
        EXPECT_EQ(count({get("/v1/models/" + std::string(model) + "/items/" + long_key(3) +
                             "/similar?k=7"),
                         get("/v1/models/" + std::string(model) + "/items/" + long_key(4) +
                             "/similar?k=10")}),
                  0U)
            << model;
        EXPECT_EQ(count({similar(model, R"({"item":")" + long_key(5) + R"(","k":10})"),
                         similar(model, R"({"item":")" + long_key(6) + R"(","k":5})")}),
                  0U)
            << model;
    }
}

TEST_F(QueryAllocation, is_none_for_several_items) {
    for (const std::string_view model : {"lists", "vectors"}) {
        EXPECT_EQ(count({similar(model, R"({"items":[")" + long_key(5) + R"(",")" + long_key(7) +
                                            R"("],"negative":[")" + long_key(1) + R"("]})"),
                         similar(model, R"({"items":[")" + long_key(8) + R"("],"k":3})")}),
                  0U)
            << model;
    }
}

TEST_F(QueryAllocation, is_none_for_vectors_and_the_index) {
    EXPECT_EQ(count({similar("vectors", R"({"vector":[1,0,-1,0.5,0,0,2,0]})"),
                     similar("vectors", R"({"vector":[0,1,0,0.5,0,3,2,1],"k":20})"),
                     similar("vectors", R"({"item":")" + long_key(2) +
                                            R"(","params":{"leaves":4,"candidates":40}})")}),
              0U);
}

}  // namespace
}  // namespace segue::serve
