// The Open Inference Protocol v2 over HTTP, with binary tensors: a column of items or a matrix of
// vectors in, their lists out. Health and the repository are in another file.

#include <string>

#include "base/text.h"
#include "serve/api_context.h"
#include "serve/inference_tensors.h"

namespace segue::serve {

namespace {

/// Where the JSON ends: the header says, or it is all there is. Returns an error if: the header is
/// no number up to the size of the body.
Result<std::size_t> json_bytes(const HttpRequest& request) {
    const std::optional<std::string_view> header =
        request.header("Inference-Header-Content-Length");
    if (!header) {
        return request.body.size();
    }
    const std::optional<std::uint64_t> size = parse_unsigned(*header);
    if (!size || *size > request.body.size()) {
        return invalid_argument(
            "Inference-Header-Content-Length must be a number up to the size of the body");
    }
    return static_cast<std::size_t>(*size);
}

Status write_inference(const Inference& asked, const ServedModel& served, AnswerBody& out) {
    const Result<ColumnAnswer> answer = answer_columns(asked.query, served);
    if (!answer.ok()) {
        return answer.status();
    }
    out.json.begin_object().key("model_name").value(served.name());
    out.json.key("model_version").value(served.version_text());
    if (!asked.id.empty()) {
        out.json.key("id").value(asked.id);
    }
    write_outputs(asked, *answer, served.model(), out.json, out.tail);
    out.json.end_object();
    return Status();
}

void infer(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    const Result<std::size_t> size = json_bytes(call.request);
    if (!size.ok()) {
        set_error(response, size.status(), call.request);
        return;
    }
    HttpRequest json_part = call.request;
    json_part.body = call.request.body.substr(0, *size);
    const std::string_view raw = call.request.body.substr(*size);
    const ApiCall part = {json_part, call.model, call.version, call.key, call.scopes, call.since};
    answer_json(
        context, part, response,
        [raw = std::string(raw)](const JsonObject& object, const ServedModel&) {
            return read_inference(object, raw);
        },
        [](const Inference& asked, const ServedModel& served, const Stopwatch&, AnswerBody& out) {
            return write_inference(asked, served, out);
        },
        raw.size() > kInlineBodyBytes);
}

/// One tensor of a model's metadata; -1 is a size that varies.
void write_tensor(std::string_view name, std::string_view datatype,
                  std::initializer_list<std::int64_t> shape, JsonWriter& json) {
    json.begin_object().key("name").value(name).key("datatype").value(datatype);
    json.key("shape").begin_array();
    for (const std::int64_t size : shape) {
        json.value(size);
    }
    json.end_array().end_object();
}

void model_metadata(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    const ModelSnapshot served = context.acquire(call, response);
    if (!served) {
        return;
    }
    const Model& model = served->model();
    JsonWriter json(std::move(response.body));
    json.begin_object().key("name").value(served->name());
    json.key("versions").begin_array().value(served->version_text()).end_array();
    json.key("platform").value("segue_" + model.info().recipe);
    json.key("inputs").begin_array();
    write_tensor("item", "BYTES", {-1}, json);
    if (model.info().answer_by != AnswerBy::kLists) {
        write_tensor("vector", "FP32", {-1, static_cast<std::int64_t>(model.item_vectors().dim)},
                     json);
    }
    json.end_array().key("outputs").begin_array();
    write_tensor("ids", "BYTES", {-1, -1}, json);
    write_tensor("scores", "FP32", {-1, -1}, json);
    write_tensor("counts", "INT32", {-1}, json);
    response.body = json.end_array().end_object().take();
}

/// A model that has a version to answer with is ready; one that is not answers 404.
void model_ready(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    const ModelSnapshot served = context.acquire(call, response);
    if (served) {
        JsonWriter json(std::move(response.body));
        json.begin_object().key("name").value(served->name()).key("ready").value(true);
        response.body = json.end_object().take();
    }
}

void server_metadata(const ApiContext&, const ApiCall&, HttpResponse& response) {
    response.body =
        R"({"name":"segue","version":"1","extensions":["binary_tensor_data","model_repository"]})";
}

}  // namespace

void add_inference_routes(Router& router, const ApiContext& context) {
    const auto add = [&](HttpMethod method, std::string_view pattern, Scope scope, auto* handler) {
        router.add(method, pattern, scope,
                   [&context, handler](const ApiCall& call, HttpResponse& response) {
                       handler(context, call, response);
                   });
    };
    add(HttpMethod::kPost, "/v2/models/{model}{at}/infer", Scope::kRead, infer);
    add(HttpMethod::kGet, "/v2/models/{model}{at}/ready", Scope::kRead, model_ready);
    add(HttpMethod::kGet, "/v2/models/{model}{at}", Scope::kRead, model_metadata);
    add(HttpMethod::kGet, "/v2", Scope::kRead, server_metadata);
}

}  // namespace segue::serve
