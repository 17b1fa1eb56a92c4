#pragma once

// The whole service: models, routes, tokens, sockets.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "http/server.h"
#include "serve/model_loader.h"

namespace segue::serve {

struct ServiceOptions {
    std::string source;  // a bundle, or a folder with NAME/VERSION.segue
    ModelLoaderOptions models;
    HttpServerOptions http;
    std::string tokens_file;        // empty for none
    bool is_private = true;         // the public listener is reached from this machine only
    bool blueprint_habits = false;  // see QueryApiOptions
};

/// Thread-safe but for the destructor.
class Service {
public:
    /// Loads the models, then listens. `log` is told of loads and unloads. Returns an error if: the
    /// source or the tokens cannot be read, one bundle that is the source cannot be loaded, or an
    /// address is taken.
    static Result<std::unique_ptr<Service>> start(const ServiceOptions& options,
                                                  LoaderLog log = {});
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Of the listeners, in the order of the options.
    std::vector<std::uint16_t> ports() const;
    const ModelRegistry& registry() const;

    /// Reads tokens and certificate again and looks at the models. Returns an error if: one of the
    /// files is not good; it is used as it was then.
    Status reload();
    /// /readyz fails at once; see HttpServer::drain.
    bool drain(std::chrono::milliseconds delay, std::chrono::milliseconds deadline);

private:
    struct State;
    explicit Service(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace segue::serve
