#include "serve/query_api.h"

#include "serve/api_context.h"

namespace segue::serve {

QueryApi::QueryApi(const ModelRegistry& registry, const QueryApiOptions& options)
    : context_(std::make_unique<ApiContext>(registry, options)) {}

QueryApi::~QueryApi() = default;

void QueryApi::add_routes(Router& router) const {
    add_native_routes(router, *context_);
}

}  // namespace segue::serve
