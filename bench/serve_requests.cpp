#include "serve_requests.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <span>

namespace segue::bench {
namespace {

constexpr std::size_t kResults = 10;
constexpr std::size_t kSeveral = 3;

constexpr std::array kKinds = {
    RequestKind{"null", "GET /livez"},
    RequestKind{"table", "GET the neighbours of an item: the stored table"},
    RequestKind{"table-post", "the same as POST :similar"},
    RequestKind{"index", "an item, searched for in the index"},
    RequestKind{"items", "three items, searched for in the index"},
    RequestKind{"filter", "three items, of one color in ten"},
    RequestKind{"vector", "a vector in JSON, searched for in the index"},
    RequestKind{"vector-binary", "a vector as a binary tensor (Open Inference Protocol)"},
    RequestKind{"blueprint-null", "GET its health path"},
    RequestKind{"blueprint-item", "POST :predict, an item"},
    RequestKind{"blueprint-items", "POST :predict, three items"},
    RequestKind{"chroma-null", "GET its heartbeat"},
    RequestKind{"chroma-vector", "POST query, a vector"},
    RequestKind{"chroma-filter", "POST query, a vector, of one color in ten"},
};

std::string get(std::string_view path) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: bench\r\n\r\n", path);
}

std::string post(std::string_view path, std::string_view body,
                 std::string_view headers = "Content-Type: application/json\r\n") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: bench\r\n{}Content-Length: {}\r\n\r\n{}", path,
                       headers, body.size(), body);
}

/// Draws what is asked about. Copies share nothing: the same draws again.
struct Draw {
    const RequestSource& source;
    PopularNumbers numbers;

    std::string item() { return item_key(numbers.next()); }
    std::string items(std::string_view between) {
        std::string text;
        for (std::size_t place = 0; place < kSeveral; ++place) {
            text += fmt::format("{}{}", place == 0 ? "" : between, item());
        }
        return text;
    }
    std::string color() { return fmt::format("c{}", numbers.next() % kNumColors); }
    /// Of an item, a little off.
    std::array<float, kServeDim> vector() {
        std::array<float, kServeDim> values{};
        const std::size_t row = numbers.next();
        for (std::size_t place = 0; place < kServeDim; ++place) {
            values[place] = source.vectors[row * kServeDim + place];
        }
        values[row % kServeDim] += 0.01F;
        return values;
    }
    std::string vector_json() {
        std::string text = "[";
        for (const float value : vector()) {
            text += fmt::format("{}{}", text.size() == 1 ? "" : ",", value);
        }
        return text + "]";
    }
};

std::string binary_inference(Draw& draw) {
    const std::array<float, kServeDim> values = draw.vector();
    const std::string json = fmt::format(
        R"({{"parameters":{{"k":{},"binary_data_output":true}},"inputs":[{{"name":"vector",)"
        R"("shape":[1,{}],"datatype":"FP32","parameters":{{"binary_data_size":{}}}}}]}})",
        kResults, kServeDim, sizeof(values));
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()), sizeof(values));
    return post("/v2/models/items/infer", json + std::string(bytes),
                fmt::format("Inference-Header-Content-Length: {}\r\n", json.size()));
}

std::string native_request(std::string_view kind, Draw& draw) {
    if (kind == "null") {
        return get("/livez");
    }
    if (kind == "table") {
        return get(fmt::format("/v1/models/items/items/{}/similar?k={}", draw.item(), kResults));
    }
    if (kind == "vector-binary") {
        return binary_inference(draw);
    }
    std::string body;
    if (kind == "table-post") {
        body = fmt::format(R"({{"item":"{}","k":{}}})", draw.item(), kResults);
    } else if (kind == "index") {
        body = fmt::format(R"({{"item":"{}","k":{},"params":{{"leaves":{},"candidates":{}}}}})",
                           draw.item(), kResults, draw.source.leaves, draw.source.candidates);
    } else if (kind == "vector") {
        body = fmt::format(R"({{"vector":{},"k":{}}})", draw.vector_json(), kResults);
    } else {
        const std::string items = draw.items(R"(",")");
        const std::string filter =
            kind == "items" ? ""
                            : fmt::format(R"(,"filter":{{"must":[{{"key":"color","in":["{}"]}}]}})",
                                          draw.color());
        body = fmt::format(R"({{"items":["{}"],"k":{}{}}})", items, kResults, filter);
    }
    return post("/v1/models/items:similar", body);
}

std::string blueprint_request(std::string_view kind, Draw& draw) {
    constexpr std::string_view kPath = "/v1/models/items/versions/1";
    if (kind == "blueprint-null") {
        return get(kPath);
    }
    const std::string items = kind == "blueprint-item" ? draw.item() : draw.items(" ");
    return post(fmt::format("{}:predict", kPath),
                fmt::format(R"({{"instances":[{{"query":"{}","show":{}}}]}})", items, kResults));
}

std::string chroma_request(std::string_view kind, Draw& draw) {
    if (kind == "chroma-null") {
        return get("/api/v2/heartbeat");
    }
    const std::string vector = draw.vector_json();
    const std::string filter =
        kind == "chroma-vector" ? "" : fmt::format(R"(,"where":{{"color":"{}"}})", draw.color());
    return post(
        draw.source.path,
        fmt::format(R"({{"query_embeddings":[{}],"n_results":{},"include":["distances"]{}}})",
                    vector, kResults, filter));
}

}  // namespace

std::size_t PopularNumbers::next() {
    const double place = std::pow(static_cast<double>(bound_), random_.uniform()) - 1;
    // Popular items are anywhere in the table, as the next ones are anywhere.
    constexpr std::uint64_t kPrime = 2'654'435'761;
    return static_cast<std::size_t>(static_cast<std::uint64_t>(place) * kPrime % bound_);
}

std::span<const RequestKind> request_kinds() {
    return kKinds;
}

Result<NextRequest> requests_of(std::string_view kind, const RequestSource& source,
                                std::uint64_t seed) {
    const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                    [&](const RequestKind& one) { return one.name == kind; });
    if (found == kKinds.end()) {
        return invalid_argument(fmt::format("there is no kind of request '{}'", kind));
    }
    const auto draw = std::make_shared<Draw>(Draw{source, {source.num_items, seed}});
    return NextRequest([draw, name = found->name](std::string& request) {
        request = name.starts_with("blueprint-") ? blueprint_request(name, *draw)
                  : name.starts_with("chroma-")  ? chroma_request(name, *draw)
                                                 : native_request(name, *draw);
        return std::uint64_t{0};
    });
}

std::optional<std::function<RefinedQuery()>> queries_of(std::string_view kind,
                                                        const RequestSource& source,
                                                        std::uint64_t seed) {
    constexpr std::array<std::string_view, 6> kSearching = {"table", "table-post", "index",
                                                            "items", "filter",     "vector"};
    if (std::find(kSearching.begin(), kSearching.end(), kind) == kSearching.end()) {
        return std::nullopt;
    }
    const auto draw = std::make_shared<Draw>(Draw{source, {source.num_items, seed}});
    return [draw, name = std::string(kind)] {
        RefinedQuery query;
        const bool is_several = name == "items" || name == "filter";
        if (name == "vector") {
            const std::array<float, kServeDim> vector = draw->vector();
            query.query.vector.assign(vector.begin(), vector.end());
        } else {
            for (std::size_t place = 0; place < (is_several ? kSeveral : 1); ++place) {
                query.query.items.push_back({draw->item(), 1});
            }
        }
        if (name == "index") {
            query.query.search.knobs = {draw->source.leaves, draw->source.candidates};
        }
        if (name == "filter") {
            AttributeCondition condition;
            condition.attribute = "color";
            condition.in = {draw->color()};
            query.filter.must.push_back(std::move(condition));
        }
        return query;
    };
}

}  // namespace segue::bench
