#include "serve/query_api.h"

#include "serve/api_context.h"
#include "serve/openapi.h"

namespace segue::serve {

QueryApi::QueryApi(const ModelRegistry& registry, const QueryApiOptions& options)
    : context_(std::make_unique<ApiContext>(registry, options)) {}

QueryApi::~QueryApi() = default;

void QueryApi::add_routes(Router& router) const {
    add_native_routes(router, *context_);
    add_predict_routes(router, *context_);
    add_vertex_routes(router, *context_);
    add_inference_routes(router, *context_);
    router.add(HttpMethod::kGet, "/openapi.json", Scope::kOpen,
               [](const ApiCall&, HttpResponse& response) { response.body = openapi_json(); });
}

}  // namespace segue::serve
