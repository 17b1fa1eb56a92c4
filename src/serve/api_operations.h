#pragma once

// What operators and balancers ask: health, metrics, which versions there are, loading, labels,
// rollback. In the shapes of TensorFlow Serving and of the Open Inference Protocol.

#include <functional>

#include "serve/metrics.h"
#include "serve/model_loader.h"
#include "serve/model_registry.h"
#include "serve/router.h"

namespace segue::serve {

/// What the routes look at and change; all of it outlives the router's use.
struct Operations {
    ModelRegistry& registry;
    ModelLoader& loader;
    std::function<bool()> is_draining;
    /// Adds everything there is to the text of /metrics.
    std::function<void(MetricsText&)> write_metrics;
};

/// /livez, /readyz, /healthz, /metrics and their Open Inference Protocol twins.
void add_health_routes(Router& router, const Operations& operations);
/// /v1/models and below; /v2/repository.
void add_model_routes(Router& router, const Operations& operations);

/// Whether a path asks after health: answered also when the server is full.
bool is_health_path(std::string_view path);

}  // namespace segue::serve
