#include "serve/api_context.h"

namespace segue::serve {

ApiContext::ApiContext(const ModelRegistry& registry, const QueryApiOptions& options)
    : registry_(registry), blueprint_habits_(options.blueprint_habits) {
    for (unsigned worker = 0; worker < options.num_workers; ++worker) {
        workspaces_.push_back(std::make_unique<QueryWorkspace>());
    }
}

ModelSnapshot ApiContext::acquire(const ApiCall& call, HttpResponse& response) const {
    Result<ModelSnapshot> found = registry_.acquire(call.model, call.version, call.request.worker);
    if (!found.ok()) {
        set_error(response, found.status(), call.request);
        return nullptr;
    }
    response.add_header_lines((*found)->version_line());
    return std::move(*found);
}

QueryWorkspace& ApiContext::workspace(const ApiCall& call) const {
    return *workspaces_[call.request.worker];
}

void set_answer_error(HttpResponse& response, const Status& status, const HttpRequest& request) {
    if (status.code() == StatusCode::kInvalidArgument) {
        segue::set_error(response, 422, "INVALID_ARGUMENT", status.message(), request.request_id);
    } else {
        set_error(response, status, request);
    }
}

void set_body(HttpResponse& response, AnswerBody body) {
    response.body = body.json.take();
    if (!body.tail.empty()) {
        response.content_type = "application/octet-stream";
        response.add_header("Inference-Header-Content-Length",
                            std::to_string(response.body.size()));
        response.body += body.tail;
    }
}

void refuse_group(HttpResponse& response, const HttpRequest& request) {
    segue::set_error(response, 403, "PERMISSION_DENIED",
                     "asking for a stored user needs a token with the scope user",
                     request.request_id);
}

}  // namespace segue::serve
