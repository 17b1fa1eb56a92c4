#pragma once

// What the handlers of every dialect share: the snapshot of a model, a parser for each loop, one
// way to read, answer and fail.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "base/stopwatch.h"
#include "http/message.h"
#include "serve/answer_json.h"
#include "serve/json_input.h"
#include "serve/model_registry.h"
#include "serve/query_api.h"
#include "serve/query_json.h"
#include "serve/router.h"

namespace segue::serve {

/// What answering one query after the other needs: after some that are alike, none allocates.
struct QueryWorkspace {
    JsonInput input;
    ApiQuery query;
    AnswerMemory answer;
};

/// Shared by all handlers. Thread-safe as long as each worker runs on one thread.
class ApiContext {
public:
    ApiContext(const ModelRegistry& registry, const QueryApiOptions& options);

    /// The version a call asks for, named in the response's headers; null after an error was set.
    ModelSnapshot acquire(const ApiCall& call, HttpResponse& response) const;
    /// The memory of the loop that runs the call.
    QueryWorkspace& workspace(const ApiCall& call) const;
    /// Whether :predict fails as the blueprint's server does: with 200 and a text.
    bool has_blueprint_habits() const { return blueprint_habits_; }

private:
    const ModelRegistry& registry_;
    std::vector<std::unique_ptr<QueryWorkspace>> workspaces_;
    bool blueprint_habits_ = false;
};

/// A failure of a question that could be read: 422 where the question is at fault.
void set_answer_error(HttpResponse& response, const Status& status, const HttpRequest& request);

/// For a caller who asks for what is stored of a group without the scope.
void refuse_group(HttpResponse& response, const HttpRequest& request);

/// Larger bodies are answered by the thread for slow work: what they ask may take a loop's
/// milliseconds.
inline constexpr std::size_t kInlineBodyBytes = 4096;

/// What an answer is written into.
struct AnswerBody {
    JsonWriter json;
    /// Bytes behind the JSON; the header Inference-Header-Content-Length then says where it ends.
    std::string tail;
};

/// Joins the parts into the response.
void set_body(HttpResponse& response, AnswerBody body);

/// Reads a question from a JSON object and writes its answer: read(object, served) gives a Result
/// with the question, which says whether it asks_of_group(); write(question, served, watch, out) a
/// Status.
template <typename Read, typename Write>
void answer_body(std::string_view body, JsonInput& input, const ServedModel& served,
                 const ApiCall& call, HttpResponse& response, const Read& read,
                 const Write& write) {
    const Stopwatch& watch = call.since;
    const Result<JsonObject> object = input.parse_object(body);
    if (!object.ok()) {
        set_error(response, object.status(), call.request);
        return;
    }
    const auto question = read(*object, served);
    if (!question.ok()) {
        set_error(response, question.status(), call.request);
        return;
    }
    if (question->asks_of_group() && !call.scopes.has(Scope::kUser)) {
        refuse_group(response, call.request);
        return;
    }
    AnswerBody out = {JsonWriter(std::move(response.body)), {}};
    if (const Status status = write(*question, served, watch, out); !status.ok()) {
        set_answer_error(response, status, call.request);
        return;
    }
    set_body(response, std::move(out));
}

/// Calls work(body, workspace, served, call, response), at once or, where the call asks for much or
/// its body is large, later. `work` must own what it uses.
template <typename Work>
void answer_call(const ApiContext& context, const ApiCall& call, HttpResponse& response, Work work,
                 bool asks_for_much = false) {
    ModelSnapshot served = context.acquire(call, response);
    if (!served) {
        return;
    }
    if (!asks_for_much && call.request.body.size() <= kInlineBodyBytes) {
        work(call.request.body, context.workspace(call), *served, call, response);
        return;
    }
    response.later = [served = std::move(served), body = std::string(call.request.body),
                      request_id = std::string(call.request.request_id), scopes = call.scopes,
                      since = call.since, work = std::move(work)](HttpResponse& late) {
        HttpRequest request;
        request.request_id = request_id;
        QueryWorkspace workspace;
        work(body, workspace, *served, {request, served->name(), {}, {}, scopes, since}, late);
    };
}

/// Answers a call by answer_body and answer_call. `read` and `write` must own what they use.
template <typename Read, typename Write>
void answer_json(const ApiContext& context, const ApiCall& call, HttpResponse& response, Read read,
                 Write write, bool asks_for_much = false) {
    answer_call(
        context, call, response,
        [read = std::move(read), write = std::move(write)](
            std::string_view body, QueryWorkspace& workspace, const ServedModel& served,
            const ApiCall& asked, HttpResponse& out) {
            answer_body(body, workspace.input, served, asked, out, read, write);
        },
        asks_for_much);
}

/// Each adds the routes of one dialect. The context must outlive the router.
void add_native_routes(Router& router, const ApiContext& context);
void add_predict_routes(Router& router, const ApiContext& context);
void add_vertex_routes(Router& router, const ApiContext& context);
void add_inference_routes(Router& router, const ApiContext& context);

}  // namespace segue::serve
