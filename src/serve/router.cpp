#include "serve/router.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"

namespace segue::serve {
namespace {

constexpr std::string_view kAt = "{at}";

/// One segment of a pattern: literal text, or a name with perhaps a ":verb" behind it.
struct Segment {
    std::string_view literal;  // of a literal segment; else the ending, ":similar" or nothing
    bool is_model = false;
    bool is_key = false;
    bool has_at = false;  // /versions/N or /labels/L may follow, before the ending
};

Segment segment_of(std::string_view text) {
    Segment segment;
    for (const auto& [name, flag] : {std::pair{std::string_view("{model}"), &segment.is_model},
                                     std::pair{std::string_view("{key}"), &segment.is_key}}) {
        if (text.starts_with(name)) {
            *flag = true;
            text.remove_prefix(name.size());
        }
    }
    if (text.starts_with(kAt)) {
        segment.has_at = true;
        text.remove_prefix(kAt.size());
    }
    segment.literal = text;
    return segment;
}

/// Reads a path segment after segment.
class PathReader {
public:
    explicit PathReader(std::string_view path) : rest_(path) {}

    /// The next segment, without its slash; nothing at the end.
    std::optional<std::string_view> next() {
        if (rest_.empty() || rest_.front() != '/') {
            return std::nullopt;
        }
        const std::size_t end = std::min(rest_.find('/', 1), rest_.size());
        const std::string_view segment = rest_.substr(1, end - 1);
        rest_.remove_prefix(end);
        return segment;
    }
    std::optional<std::string_view> peek() const { return PathReader(*this).next(); }
    bool at_end() const { return rest_.empty(); }

private:
    std::string_view rest_;
};

/// What a path named, still percent-encoded.
struct Captures {
    std::string_view model;
    std::string_view key;
    std::string_view number;
    std::string_view label;
};

/// Takes `ending` off the end of `text`; false where it does not end so.
bool take_ending(std::string_view& text, std::string_view ending) {
    if (!text.ends_with(ending)) {
        return false;
    }
    text.remove_suffix(ending.size());
    return true;
}

/// A name, then /versions/N or /labels/L if the segment allows that, then the ending.
bool match_name(const Segment& segment, PathReader& path, Captures& captures) {
    std::optional<std::string_view> text = path.next();
    if (!text) {
        return false;
    }
    std::string_view& name = segment.is_model ? captures.model : captures.key;
    const std::optional<std::string_view> kind = path.peek();
    if (segment.has_at && kind && (*kind == "versions" || *kind == "labels")) {
        name = *text;
        path.next();
        text = path.next();
        std::string_view& version = *kind == "versions" ? captures.number : captures.label;
        if (!text || !take_ending(*text, segment.literal)) {
            return false;
        }
        version = *text;
        return !name.empty() && !version.empty();
    }
    name = *text;
    return take_ending(name, segment.literal) && !name.empty();
}

bool match(const std::vector<Segment>& pattern, std::string_view text, Captures& captures) {
    PathReader path(text);
    for (const Segment& segment : pattern) {
        if (segment.is_model || segment.is_key) {
            if (!match_name(segment, path, captures)) {
                return false;
            }
        } else if (path.next() != segment.literal) {
            return false;
        }
    }
    return path.at_end();
}

/// Decoded where that changes anything; `storage` then holds it.
bool decode(std::string_view& text, std::string& storage) {
    if (text.find('%') == std::string_view::npos) {
        return true;
    }
    std::optional<std::string> decoded = percent_decoded(text);
    if (!decoded) {
        return false;
    }
    storage = std::move(*decoded);
    text = storage;
    return true;
}

}  // namespace

struct Router::Route {
    std::string_view pattern;
    // Literal text at both ends of the pattern: few routes have those of a path.
    std::string_view beginning;
    std::string_view ending;
    std::size_t beginning_of_segments = 0;
    std::vector<Segment> segments;  // behind those that the beginning has whole
    Scope scope = Scope::kOpen;
    ApiHandler handler;

    bool matches(std::string_view path, Captures& captures) const {
        return path.ends_with(ending) && path.starts_with(beginning) &&
               match(segments, path.substr(beginning_of_segments), captures);
    }
    void run(const HttpRequest& request, Captures captures, const Caller& caller,
             HttpResponse& response) const;
};

/// What most routes are told apart by, side by side.
struct RouteKey {
    HttpMethod method = HttpMethod::kGet;
    char last = 0;  // letter of the path; 0 for any

    bool takes(HttpMethod asked) const {
        return asked == method || (asked == HttpMethod::kHead && method == HttpMethod::kGet);
    }
    bool may_match(char last_of_path) const { return last == 0 || last == last_of_path; }
};

struct Router::State {
    std::vector<Route> routes;
    std::vector<RouteKey> keys;  // of the routes
};

Router::Router() : state_(std::make_unique<State>()) {}

Router::~Router() = default;

void Router::add(HttpMethod method, std::string_view pattern, Scope scope, ApiHandler handler) {
    Route& route = state_->routes.emplace_back();
    route.pattern = pattern;
    route.beginning = pattern.substr(0, pattern.find('{'));
    route.ending = pattern.substr(pattern.rfind('}') + 1);  // all of it where there is none
    state_->keys.push_back({method, route.ending.empty() ? '\0' : route.ending.back()});
    route.scope = scope;
    route.handler = std::move(handler);
    // Up to the last slash of it, which is the first of what follows.
    route.beginning_of_segments = route.beginning.rfind('/');
    PathReader path(pattern.substr(route.beginning_of_segments));
    while (const std::optional<std::string_view> segment = path.next()) {
        route.segments.push_back(segment_of(*segment));
    }
    SEGUE_ASSERT(path.at_end());
}

void Router::Route::run(const HttpRequest& request, Captures captures, const Caller& caller,
                        HttpResponse& response) const {
    response.route = pattern;
    if (scope != Scope::kOpen && !caller.scopes.has(scope)) {
        if (caller.is_known) {
            std::string text = "this token does not have the scope ";
            text += name_of(scope);
            segue::set_error(response, 403, "PERMISSION_DENIED", text, request.request_id);
        } else {
            response.add_header("WWW-Authenticate", "Bearer");
            segue::set_error(response, 401, "UNAUTHENTICATED", "a valid bearer token is needed",
                             request.request_id);
        }
        return;
    }
    std::string model;
    std::string key;
    std::string label;
    if (!decode(captures.model, model) || !decode(captures.key, key) ||
        !decode(captures.label, label)) {
        segue::set_error(response, 400, "INVALID_ARGUMENT",
                         "in the path, % is not followed by two hexadecimal digits",
                         request.request_id);
        return;
    }
    VersionChoice version = {.number = std::nullopt, .label = captures.label};
    if (!captures.number.empty()) {
        version.number = parse_unsigned(captures.number);
        if (!version.number) {
            segue::set_error(response, 400, "INVALID_ARGUMENT",
                             "in the path, the version is not a whole number", request.request_id);
            return;
        }
    }
    handler({request, captures.model, version, captures.key, caller.scopes}, response);
}

void Router::handle(const HttpRequest& request, const Caller& caller,
                    HttpResponse& response) const {
    const State& state = *state_;
    const char last = request.path.back();
    for (std::size_t place = 0; place < state.keys.size(); ++place) {
        const RouteKey key = state.keys[place];
        Captures captures;
        if (key.takes(request.method) && key.may_match(last) &&
            state.routes[place].matches(request.path, captures)) {
            return state.routes[place].run(request, captures, caller, response);
        }
    }
    std::string allowed;
    for (std::size_t place = 0; place < state.keys.size(); ++place) {
        Captures captures;
        if (state.routes[place].matches(request.path, captures)) {
            const HttpMethod method = state.keys[place].method;
            allowed += allowed.empty() ? "" : ", ";
            allowed += method == HttpMethod::kGet ? "GET, HEAD" : name_of(method);
        }
    }
    if (allowed.empty()) {
        segue::set_error(response, 404, "NOT_FOUND", "there is no such path", request.request_id);
        return;
    }
    response.add_header("Allow", allowed);
    segue::set_error(response, 405, "METHOD_NOT_ALLOWED", "this path takes " + allowed,
                     request.request_id);
}

std::string_view name_of(Scope scope) {
    switch (scope) {
        case Scope::kOpen:
            return "open";
        case Scope::kRead:
            return "read";
        case Scope::kUser:
            return "user";
        case Scope::kWrite:
            return "write";
        case Scope::kAdmin:
            return "admin";
        case Scope::kMetrics:
            return "metrics";
    }
    return "unknown";
}

void set_error(HttpResponse& response, const Status& status, const HttpRequest& request) {
    int code = 500;
    std::string_view name = "INTERNAL";
    switch (status.code()) {
        case StatusCode::kOk:
        case StatusCode::kInternal:
            break;
        case StatusCode::kInvalidArgument:
            code = 400;
            name = "INVALID_ARGUMENT";
            break;
        case StatusCode::kNotFound:
            code = 404;
            name = "NOT_FOUND";
            break;
        case StatusCode::kCorrupt:
            name = "DATA_LOSS";
            break;
        case StatusCode::kUnsupportedVersion:
            name = "FAILED_PRECONDITION";
            break;
        case StatusCode::kIo:
            name = "UNAVAILABLE";
            break;
        case StatusCode::kResourceLimit:
            code = 507;
            name = "INSUFFICIENT_STORAGE";
            break;
        case StatusCode::kDeadline:
            code = 504;
            name = "DEADLINE_EXCEEDED";
            break;
    }
    segue::set_error(response, code, name, status.message(), request.request_id);
}

}  // namespace segue::serve
