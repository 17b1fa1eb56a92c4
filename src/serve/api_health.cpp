#include <algorithm>
#include <array>

#include "base/json_writer.h"
#include "serve/api_operations.h"

namespace segue::serve {
namespace {

constexpr std::array<std::string_view, 5> kHealthPaths = {"/livez", "/readyz", "/healthz",
                                                          "/v2/health/live", "/v2/health/ready"};

/// Why nobody should be sent here now; empty when somebody may.
std::string_view reason_against(const Operations& operations) {
    if (operations.is_draining()) {
        return "the server is shutting down";
    }
    return operations.registry.has_models() ? "" : "no model is served yet";
}

void live(HttpResponse& response) {
    response.body = R"({"live":true})";
}

void ready(const Operations& operations, HttpResponse& response) {
    const std::string_view reason = reason_against(operations);
    JsonWriter json(std::move(response.body));
    json.begin_object().key("ready").value(reason.empty());
    if (!reason.empty()) {
        response.status = 503;
        json.key("reason").value(reason);
    }
    response.body = json.end_object().take();
}

}  // namespace

void add_health_routes(Router& router, const Operations& operations) {
    for (const std::string_view path : {"/livez", "/v2/health/live"}) {
        router.add(HttpMethod::kGet, path, Scope::kOpen,
                   [](const ApiCall&, HttpResponse& response) { live(response); });
    }
    for (const std::string_view path : {"/readyz", "/healthz", "/v2/health/ready"}) {
        router.add(
            HttpMethod::kGet, path, Scope::kOpen,
            [&operations](const ApiCall&, HttpResponse& response) { ready(operations, response); });
    }
    router.add(HttpMethod::kGet, "/metrics", Scope::kMetrics,
               [&operations](const ApiCall&, HttpResponse& response) {
                   MetricsText text;
                   operations.write_metrics(text);
                   response.body = text.take();
                   response.content_type = "text/plain; version=0.0.4; charset=utf-8";
               });
}

bool is_health_path(std::string_view path) {
    return std::find(kHealthPaths.begin(), kHealthPaths.end(), path) != kHealthPaths.end();
}

}  // namespace segue::serve
