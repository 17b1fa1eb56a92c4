#include "serve/service.h"

#include <atomic>

#include "serve/api_operations.h"
#include "serve/metrics.h"
#include "serve/query_api.h"
#include "serve/router.h"
#include "serve/search_monitor.h"
#include "serve/tokens.h"

namespace segue::serve {

struct Service::State {
    explicit State(const ServiceOptions& given)
        : options(given),
          registry(given.http.num_loops),
          queries(registry, {.num_workers = given.http.num_loops,
                             .blueprint_habits = given.blueprint_habits}),
          requests(given.http.num_loops),
          access(given.is_private) {}

    Status read_tokens();
    void handle(const HttpRequest& request, HttpResponse& response) const;
    void write_metrics(MetricsText& text);

    ServiceOptions options;
    ModelRegistry registry;
    SearchMonitor searches;  // after the registry, as it may hold a version
    QueryApi queries;
    RequestMetrics requests;
    AccessControl access;
    Router router;
    std::atomic<bool> is_draining = false;
    std::unique_ptr<ModelLoader> loader;
    std::unique_ptr<Operations> operations;
    std::atomic<const HttpServer*> running = nullptr;  // requests come before start() returns
    std::unique_ptr<HttpServer> server;                // last: it ends before what its handlers use
};

Status Service::State::read_tokens() {
    if (options.tokens_file.empty()) {
        return {};
    }
    Result<std::unique_ptr<Tokens>> tokens = Tokens::read(options.tokens_file);
    if (!tokens.ok()) {
        return tokens.status();
    }
    access.use(std::move(*tokens));
    return {};
}

void Service::State::handle(const HttpRequest& request, HttpResponse& response) const {
    if (request.is_over_limit && !is_health_path(request.path)) {
        response.route = "shed";
        response.add_header("Retry-After", "1");
        segue::set_error(response, 503, "UNAVAILABLE", "the server has too many connections",
                         request.request_id);
        return;
    }
    Caller caller;
    if (access.admit(request, caller, response)) {
        router.handle(request, caller, response);
    }
}

void Service::State::write_metrics(MetricsText& text) {
    requests.write(text);
    searches.write(registry, text);
    if (const HttpServer* const server_now = running) {
        write_server_metrics(server_now->counts(), text);
    }
    write_model_metrics(registry, text);
    loader->write_metrics(text);
    write_process_metrics(text);
}

Service::Service(std::unique_ptr<State> state) : state_(std::move(state)) {}

Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::start(const ServiceOptions& options, LoaderLog log) {
    auto state = std::make_unique<State>(options);
    State& held = *state;
    if (Status status = held.read_tokens(); !status.ok()) {
        return status;
    }
    Result<ModelFolder> folder = ModelFolder::open(options.source);
    if (!folder.ok()) {
        return folder.status();
    }
    const bool is_one_file = folder->is_one_file();
    ModelLoaderOptions loading = options.models;
    loading.monitor = &held.searches;
    Result<std::unique_ptr<ModelLoader>> loader =
        ModelLoader::start(std::move(*folder), loading, held.registry, std::move(log));
    if (!loader.ok()) {
        return loader.status();
    }
    held.loader = std::move(*loader);
    if (is_one_file && !held.registry.has_models()) {
        return held.registry.reports().front().failure;
    }
    held.operations = std::make_unique<Operations>(
        Operations{held.registry, *held.loader, [&held] { return held.is_draining.load(); },
                   [&held](MetricsText& text) { held.write_metrics(text); }});
    add_health_routes(held.router, *held.operations);
    held.queries.add_routes(held.router);
    add_model_routes(held.router, *held.operations);
    Result<std::unique_ptr<HttpServer>> server = HttpServer::start(
        options.http,
        [&held](const HttpRequest& request, HttpResponse& response) {
            held.handle(request, response);
        },
        [&held](const HttpResponse& response, double seconds, unsigned worker) {
            held.requests.count(response.route, response.status, seconds, worker);
        });
    if (!server.ok()) {
        return server.status();
    }
    held.server = std::move(*server);
    held.running = held.server.get();
    return std::unique_ptr<Service>(new Service(std::move(state)));
}

std::vector<std::uint16_t> Service::ports() const {
    return state_->server->ports();
}

const ModelRegistry& Service::registry() const {
    return state_->registry;
}

Status Service::reload() {
    state_->loader->rescan();
    Status tokens = state_->read_tokens();
    Status certificate = state_->server->reload_tls();
    return tokens.ok() ? certificate : tokens;
}

bool Service::drain(std::chrono::milliseconds delay, std::chrono::milliseconds deadline) {
    state_->is_draining = true;
    return state_->server->drain(delay, deadline);
}

}  // namespace segue::serve
