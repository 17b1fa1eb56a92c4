#pragma once

// From a method and a path to the function that answers, with the names in the path taken out.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/stopwatch.h"
#include "http/message.h"
#include "serve/model_registry.h"

namespace segue::serve {

/// What a route needs a token to allow. kOpen needs no token.
enum class Scope : std::uint8_t { kOpen, kRead, kUser, kWrite, kAdmin, kMetrics };

/// "open", "read", "user", ...
std::string_view name_of(Scope scope);

/// Scopes somebody has. A value.
class ScopeSet {
public:
    /// Of somebody without a token.
    ScopeSet() = default;
    static ScopeSet all() { return ScopeSet(0xFF); }
    ScopeSet with(Scope scope) const {
        return ScopeSet(static_cast<std::uint8_t>(bits_ | (1U << static_cast<unsigned>(scope))));
    }
    bool has(Scope scope) const { return (bits_ >> static_cast<unsigned>(scope) & 1U) != 0; }

private:
    explicit ScopeSet(std::uint8_t bits) : bits_(bits) {}
    std::uint8_t bits_ = 1;
};

/// Who asks: `is_known` is false without a token and with a wrong one.
struct Caller {
    bool is_known = false;
    ScopeSet scopes;
};

/// A request with what its path named; empty where the route names none. Valid like HttpRequest.
struct ApiCall {
    const HttpRequest& request;
    std::string_view model;  // {model}, percent-decoded
    VersionChoice version;   // {at}
    std::string_view key;    // {key}, percent-decoded: an item, a label
    ScopeSet scopes;         // of the caller; kUser is needed for what is stored of a group
    Stopwatch since = {};    // it was taken up
};

using ApiHandler = std::function<void(const ApiCall&, HttpResponse&)>;

/// The routes of a listener. Filled before the server starts, then immutable, thread-safe.
class Router {
public:
    Router();
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    /// `pattern` is a path whose segments are literal, {model} or {key}; "{at}" directly after a
    /// segment is nothing, /versions/N or /labels/L. A last segment may end in ":verb".
    ///
    ///     /v1/models/{model}{at}:similar      /v1/models/{model}/items/{key}/similar
    ///
    /// Requires: `pattern` outlives the program (a literal): it is also the route's name in
    /// metrics. GET also answers HEAD.
    void add(HttpMethod method, std::string_view pattern, Scope scope, ApiHandler handler);

    /// Calls the handler of the route. Answers itself: 404 when there is none, 405 with Allow when
    /// the path has other methods, 400 for a path that cannot be decoded, 401 for an unknown caller
    /// and 403 for one without the scope.
    void handle(const HttpRequest& request, const Caller& caller, HttpResponse& response) const;

private:
    struct Route;
    struct State;
    std::unique_ptr<State> state_;
};

/// Turns a failure into its HTTP status and an error body; the only place where that is decided.
void set_error(HttpResponse& response, const Status& status, const HttpRequest& request);

}  // namespace segue::serve
