#pragma once

// What the handlers of every dialect share: the snapshot of a model, a parser for each loop, one
// way to read, answer and fail.

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "base/stopwatch.h"
#include "http/message.h"
#include "serve/json_input.h"
#include "serve/model_registry.h"
#include "serve/query_api.h"
#include "serve/query_json.h"
#include "serve/router.h"

namespace segue::serve {

/// Shared by all handlers. Thread-safe as long as each worker runs on one thread.
class ApiContext {
public:
    ApiContext(const ModelRegistry& registry, const QueryApiOptions& options);

    /// The version a call asks for, named in the response's headers; null after an error was set.
    ModelSnapshot acquire(const ApiCall& call, HttpResponse& response) const;
    /// The parser of the loop that runs the call.
    JsonInput& json(const ApiCall& call) const;
    /// Whether :predict fails as the blueprint's server does: with 200 and a text.
    bool has_blueprint_habits() const { return blueprint_habits_; }

private:
    const ModelRegistry& registry_;
    std::vector<std::unique_ptr<JsonInput>> inputs_;
    bool blueprint_habits_ = false;
};

/// A failure of a question that could be read: 422 where the question is at fault.
void set_answer_error(HttpResponse& response, const Status& status, const HttpRequest& request);

/// Answers a call whose body is a JSON object: read(object, served) gives a Result with the
/// question, write(question, served, watch, json) a Status.
template <typename Read, typename Write>
void answer_json(const ApiContext& context, const ApiCall& call, HttpResponse& response,
                 const Read& read, const Write& write) {
    const Stopwatch watch;
    const ModelSnapshot served = context.acquire(call, response);
    if (!served) {
        return;
    }
    const Result<JsonObject> object = context.json(call).parse_object(call.request.body);
    if (!object.ok()) {
        set_error(response, object.status(), call.request);
        return;
    }
    const auto question = read(*object, *served);
    if (!question.ok()) {
        set_error(response, question.status(), call.request);
        return;
    }
    JsonWriter json(std::move(response.body));
    const Status status = write(*question, *served, watch, json);
    response.body = json.take();
    if (!status.ok()) {
        set_answer_error(response, status, call.request);
    }
}

/// For a caller who asks for what is stored of a group without the scope.
void refuse_group(HttpResponse& response, const HttpRequest& request);

/// Each adds the routes of one dialect. The context must outlive the router.
void add_native_routes(Router& router, const ApiContext& context);

}  // namespace segue::serve
