#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "serve/api_operations.h"
#include "serve/json_input.h"

namespace segue::serve {
namespace {

/// TensorFlow Serving's names.
std::string_view error_code_of(const Status& status) {
    switch (status.code()) {
        case StatusCode::kOk:
            return "OK";
        case StatusCode::kInvalidArgument:
            return "FAILED_PRECONDITION";
        case StatusCode::kNotFound:
            return "NOT_FOUND";
        case StatusCode::kCorrupt:
            return "DATA_LOSS";
        case StatusCode::kUnsupportedVersion:
            return "UNIMPLEMENTED";
        case StatusCode::kIo:
            return "UNAVAILABLE";
        case StatusCode::kResourceLimit:
            return "RESOURCE_EXHAUSTED";
        case StatusCode::kDeadline:
            return "DEADLINE_EXCEEDED";
        case StatusCode::kInternal:
            break;
    }
    return "INTERNAL";
}

/// What went wrong, in full only for administrators: messages name files.
std::string_view message_of(const Status& status, ScopeSet scopes) {
    return scopes.has(Scope::kAdmin) || status.ok() ? std::string_view(status.message())
                                                    : name_of(status.code());
}

void write_version(const VersionReport& report, ScopeSet scopes, JsonWriter& json) {
    json.begin_object().key("version").value(std::to_string(report.number));
    json.key("state").value(name_of(report.state));
    json.key("status").begin_object();
    json.key("error_code").value(error_code_of(report.failure));
    json.key("error_message").value(message_of(report.failure, scopes)).end_object();
    json.key("default").value(report.is_default);
    json.key("labels").begin_array();
    for (const std::string& label : report.labels) {
        json.value(label);
    }
    json.end_array().end_object();
}

void list_models(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    JsonWriter json(std::move(response.body));
    json.begin_object().key("models").begin_array();
    const std::vector<VersionReport> reports = operations.registry.reports();
    for (auto report = reports.begin(); report != reports.end();) {
        const std::string& name = report->name;
        json.begin_object().key("name").value(name).key("versions").begin_array();
        for (; report != reports.end() && report->name == name; ++report) {
            write_version(*report, call.scopes, json);
        }
        json.end_array().end_object();
    }
    response.body = json.end_array().end_object().take();
}

void model_status(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    std::vector<VersionReport> reports = operations.registry.reports(call.model);
    std::erase_if(reports, [&](const VersionReport& report) {
        return (call.version.number && report.number != *call.version.number) ||
               (!call.version.label.empty() &&
                std::find(report.labels.begin(), report.labels.end(), call.version.label) ==
                    report.labels.end());
    });
    if (reports.empty()) {
        set_error(response,
                  not_found(fmt::format("no such version of model \"{}\" is known",
                                        shortened(call.model))),
                  call.request);
        return;
    }
    JsonWriter json(std::move(response.body));
    json.begin_object().key("model_version_status").begin_array();
    for (const VersionReport& report : reports) {
        write_version(report, call.scopes, json);
    }
    response.body = json.end_array().end_object().take();
}

/// What a version is made of.
void metadata(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    const Result<ModelSnapshot> served =
        operations.registry.acquire(call.model, call.version, call.request.worker);
    if (!served.ok()) {
        set_error(response, served.status(), call.request);
        return;
    }
    const Model& model = (*served)->model();
    response.add_header_lines((*served)->version_line());
    JsonWriter json(std::move(response.body));
    json.begin_object().key("model").value((*served)->name());
    json.key("version").value((*served)->version_text());
    json.key("recipe").value(model.info().recipe);
    json.key("answer_by").value(name_of(model.info().answer_by));
    json.key("num_items").value(static_cast<std::uint64_t>(model.num_items()));
    json.key("num_groups").value(model.info().num_groups);
    json.key("dim").value(static_cast<std::uint64_t>(model.item_vectors().dim));
    json.key("attributes").begin_array();
    for (const std::string& name : model.attribute_names()) {
        json.value(name);
    }
    json.end_array().key("input_hash").value(model.info().input_hash);
    json.key("parameters").raw(model.info().parameters_json);
    json.key("index");
    if (model.index() == nullptr) {
        json.null();
    } else {
        json.begin_object().key("blessed").value(model.index_facts().blessed);
        json.key("report").raw(model.index_facts().report_json).end_object();
    }
    response.body = json.end_object().take();
}

/// A version as {"version":"43"} or {"version":43} names it.
Result<std::uint64_t> read_version(const JsonValue& value) {
    const Result<std::string> text = read_key(value, "version");
    if (!text.ok()) {
        return text.status();
    }
    const std::optional<std::uint64_t> number = parse_unsigned(*text);
    return number ? Result<std::uint64_t>(*number)
                  : invalid_argument("version must be a whole number");
}

Result<std::uint64_t> read_label_body(std::string_view body) {
    JsonInput input;
    const Result<JsonObject> object = input.parse_object(body);
    if (!object.ok()) {
        return object.status();
    }
    JsonValue value;
    if (object->size() != 1 || object->at_key("version").get(value) != simdjson::SUCCESS) {
        return invalid_argument(R"(expected {"version":"43"})");
    }
    return read_version(value);
}

void put_label(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    const Result<std::uint64_t> number = read_label_body(call.request.body);
    const Status status = number.ok() ? operations.registry.set_label(call.model, call.key, *number)
                                      : number.status();
    if (!status.ok()) {
        set_error(response, status, call.request);
        return;
    }
    JsonWriter json(std::move(response.body));
    json.begin_object().key("model").value(call.model).key("label").value(call.key);
    response.body = json.key("version").value(std::to_string(*number)).end_object().take();
}

void delete_label(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    const Status status = operations.registry.remove_label(call.model, call.key);
    if (!status.ok()) {
        set_error(response, status, call.request);
        return;
    }
    response.status = 204;
}

void roll_back(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    const Result<std::uint64_t> now = operations.registry.roll_back(call.model);
    if (!now.ok()) {
        set_error(response, now.status(), call.request);
        return;
    }
    JsonWriter json(std::move(response.body));
    json.begin_object().key("model").value(call.model);
    response.body = json.key("version").value(std::to_string(*now)).end_object().take();
}

/// The Open Inference Protocol's list of what could be served.
void repository_index(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    bool only_ready = false;
    if (!call.request.body.empty()) {
        JsonInput input;
        const Result<JsonObject> object = input.parse_object(call.request.body);
        JsonValue value;
        if (object.ok() && object->at_key("ready").get(value) == simdjson::SUCCESS) {
            const Result<bool> truth = read_truth(value, "ready");
            if (!truth.ok()) {
                set_error(response, truth.status(), call.request);
                return;
            }
            only_ready = *truth;
        } else if (!object.ok()) {
            set_error(response, object.status(), call.request);
            return;
        }
    }
    JsonWriter json(std::move(response.body));
    json.begin_array();
    for (const VersionReport& report : operations.registry.reports()) {
        const bool is_ready = report.state == VersionState::kAvailable;
        if (only_ready && !is_ready) {
            continue;
        }
        json.begin_object().key("name").value(report.name);
        json.key("version").value(std::to_string(report.number));
        json.key("state").value(is_ready                                 ? "READY"
                                : report.state == VersionState::kLoading ? "LOADING"
                                                                         : "UNAVAILABLE");
        const bool was_unloaded = !is_ready && report.failure.ok();
        json.key("reason").value(was_unloaded && report.state == VersionState::kEnd
                                     ? "unloaded"
                                     : message_of(report.failure, call.scopes));
        json.end_object();
    }
    response.body = json.end_array().take();
}

/// The version in {"parameters":{"version":"43"}}; nothing where it is left out. Other parameters
/// are for other servers.
Result<std::optional<std::uint64_t>> read_load_body(std::string_view body) {
    std::optional<std::uint64_t> number;
    if (body.empty()) {
        return number;
    }
    JsonInput input;
    const Result<JsonObject> object = input.parse_object(body);
    if (!object.ok()) {
        return object.status();
    }
    JsonValue value;
    if (object->at_key("parameters").get(value) != simdjson::SUCCESS) {
        return number;
    }
    const Result<JsonObject> parameters = read_object(value, "parameters");
    if (!parameters.ok()) {
        return parameters.status();
    }
    if (parameters->at_key("version").get(value) == simdjson::SUCCESS) {
        const Result<std::uint64_t> version = read_version(value);
        if (!version.ok()) {
            return version.status();
        }
        number = *version;
    }
    return number;
}

/// ?async=1: the answer does not wait for the end of the work.
Result<bool> read_async(const HttpRequest& request) {
    const std::string_view text = request.parameter("async").value_or("0");
    if (text != "0" && text != "1") {
        return invalid_argument("async must be 0 or 1");
    }
    return text == "1";
}

/// Loads beside the loops: opening a bundle takes as long as reading it.
void load(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    const Result<std::optional<std::uint64_t>> number = read_load_body(call.request.body);
    const Result<bool> is_async = read_async(call.request);
    if (!number.ok() || !is_async.ok()) {
        set_error(response, number.ok() ? is_async.status() : number.status(), call.request);
        return;
    }
    response.later = [&operations, name = std::string(call.model), number = *number,
                      is_async = *is_async,
                      request_id = std::string(call.request.request_id)](HttpResponse& answer) {
        const Status status = is_async ? operations.loader.load_later(name, number)
                                       : operations.loader.load(name, number);
        if (!status.ok()) {
            HttpRequest request;
            request.request_id = request_id;
            set_error(answer, status, request);
            return;
        }
        answer.status = is_async ? 202 : 200;
        answer.body = "{}";
    };
}

/// Lets go beside the loops, as a load may be under way.
void unload(const Operations& operations, const ApiCall& call, HttpResponse& response) {
    const Result<std::optional<std::uint64_t>> number = read_load_body(call.request.body);
    if (!number.ok()) {
        set_error(response, number.status(), call.request);
        return;
    }
    response.later = [&operations, name = std::string(call.model), number = *number,
                      request_id = std::string(call.request.request_id)](HttpResponse& answer) {
        const Status status = operations.loader.unload(name, number);
        if (!status.ok()) {
            HttpRequest request;
            request.request_id = request_id;
            set_error(answer, status, request);
            return;
        }
        answer.body = "{}";
    };
}

}  // namespace

void add_model_routes(Router& router, const Operations& operations) {
    const auto add = [&](HttpMethod method, std::string_view pattern, Scope scope, auto* handler) {
        router.add(method, pattern, scope,
                   [&operations, handler](const ApiCall& call, HttpResponse& response) {
                       handler(operations, call, response);
                   });
    };
    add(HttpMethod::kGet, "/v1/models", Scope::kRead, list_models);
    add(HttpMethod::kGet, "/v1/models/{model}{at}", Scope::kRead, model_status);
    add(HttpMethod::kGet, "/v1/models/{model}{at}/metadata", Scope::kRead, metadata);
    add(HttpMethod::kPut, "/v1/models/{model}/labels/{key}", Scope::kAdmin, put_label);
    add(HttpMethod::kDelete, "/v1/models/{model}/labels/{key}", Scope::kAdmin, delete_label);
    add(HttpMethod::kPost, "/v1/models/{model}:rollback", Scope::kAdmin, roll_back);
    add(HttpMethod::kPost, "/v2/repository/index", Scope::kRead, repository_index);
    add(HttpMethod::kPost, "/v2/repository/models/{model}/load", Scope::kAdmin, load);
    add(HttpMethod::kPost, "/v2/repository/models/{model}/unload", Scope::kAdmin, unload);
}

}  // namespace segue::serve
