#pragma once

// Every dialect in which questions are asked: Segue's own, the blueprint's and TensorFlow
// Serving's, Vertex Vector Search's, the Open Inference Protocol's. Each turns a request into one
// RefinedQuery and its answer into the shape its clients know. docs/http_api.md describes them.

#include <memory>

#include "serve/model_registry.h"
#include "serve/router.h"

namespace segue::serve {

class ApiContext;

struct QueryApiOptions {
    /// Loops that run handlers: HttpRequest::worker is below this.
    unsigned num_workers = 1;
    /// :predict fails as the blueprint's server does: with 200 and a text.
    bool blueprint_habits = false;
};

/// The handlers of all dialects. Immutable, thread-safe as long as each worker runs on one thread.
class QueryApi {
public:
    /// The registry must outlive it.
    QueryApi(const ModelRegistry& registry, const QueryApiOptions& options);
    ~QueryApi();
    QueryApi(const QueryApi&) = delete;
    QueryApi& operator=(const QueryApi&) = delete;

    /// Adds the routes of every dialect. The API must outlive the router's use.
    void add_routes(Router& router) const;

private:
    std::unique_ptr<ApiContext> context_;
};

}  // namespace segue::serve
