// Segue's own dialect: POST {model}:similar and :batchSimilar, and items as resources that caches
// understand.

#include <fmt/core.h>

#include <string>

#include "base/text.h"
#include "serve/answer_json.h"
#include "serve/api_context.h"
#include "serve/member_reader.h"

namespace segue::serve {

namespace {

/// A query of a loop, read and written in memory that the loop keeps.
struct KeptQuery {
    QueryWorkspace* workspace;

    bool asks_of_group() const { return workspace->query.asks_of_group(); }
};

void similar(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    const auto answer = [](std::string_view body, QueryWorkspace& workspace,
                           const ServedModel& served, const ApiCall& asked, HttpResponse& out) {
        answer_body(
            body, workspace.input, served, asked, out,
            [&](const JsonObject& object, const ServedModel&) {
                Status status = read_query(object, workspace.query);
                set_deadline(workspace.query, asked.since);
                return status.ok() ? Result<KeptQuery>(KeptQuery{&workspace})
                                   : Result<KeptQuery>(std::move(status));
            },
            [](const KeptQuery& kept, const ServedModel& model, const Stopwatch& watch,
               AnswerBody& body_out) {
                body_out.json.raw(model.answer_beginning());
                Status status = write_answer(kept.workspace->query, model, watch,
                                             kept.workspace->answer, body_out.json);
                body_out.json.end_object();
                return status;
            });
    };
    answer_call(context, call, response, answer);
}

/// Queries of a batch, each read when its turn comes: one that is malformed spoils no other.
struct Batch {
    JsonArray queries;

    bool asks_of_group() const { return false; }
};

Result<Batch> read_batch(const JsonObject& object) {
    Batch batch;
    MemberReader reader(object, "a batch");
    reader.require("queries").take("queries", batch.queries, [](const JsonValue& value) {
        return read_array(value, "queries", kMaxQueriesOfBatch);
    });
    Status status = reader.finish();
    return status.ok() ? Result<Batch>(batch) : Result<Batch>(std::move(status));
}

/// The answer to one query of a batch, or its error, as one JSON object.
void write_one(const JsonValue& element, const ServedModel& served, ScopeSet scopes,
               const HttpRequest& request, const Stopwatch& since, AnswerMemory& memory,
               JsonWriter& json) {
    const Stopwatch watch;
    HttpResponse failed;
    const Result<JsonObject> object = read_object(element, "a query");
    Result<ApiQuery> query = object.ok() ? read_query(*object) : Result<ApiQuery>(object.status());
    if (query.ok()) {
        set_deadline(*query, since);
    }
    if (!query.ok()) {
        set_error(failed, query.status(), request);
    } else if (query->asks_of_group() && !scopes.has(Scope::kUser)) {
        refuse_group(failed, request);
    } else {
        JsonWriter answer;
        answer.begin_object();
        const Status status = write_answer(*query, served, watch, memory, answer);
        if (status.ok()) {
            json.raw(answer.end_object().text());
            return;
        }
        set_answer_error(failed, status, request);
    }
    json.raw(failed.body);
}

void batch_similar(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    answer_json(
        context, call, response,
        [](const JsonObject& object, const ServedModel&) { return read_batch(object); },
        [scopes = call.scopes, request_id = std::string(call.request.request_id)](
            const Batch& batch, const ServedModel& served, const Stopwatch& since,
            AnswerBody& out) {
            HttpRequest request;
            request.request_id = request_id;
            out.json.raw(served.answer_beginning());
            out.json.key("results").begin_array();
            AnswerMemory memory;
            for (const JsonValue element : batch.queries) {
                write_one(element, served, scopes, request, since, memory, out.json);
            }
            out.json.end_array().end_object();
            return Status();
        });
}

/// Adds the tag; whether the client has the answer already, in which case the response says so.
bool is_unchanged(const ApiCall& call, const ServedModel& served, HttpResponse& response) {
    const std::string_view tag = served.entity_tag();
    response.add_header_lines(served.entity_tag_line());
    const std::string_view known = call.request.header("If-None-Match").value_or("");
    if (known != "*" && known.find(tag.substr(2)) == std::string_view::npos) {
        return false;
    }
    response.status = 304;
    response.body.clear();
    return true;
}

/// Non-empty pieces between commas.
void add_pieces(std::string_view text, std::vector<std::string>& pieces) {
    for (const std::string_view piece : split(text, ',')) {
        if (!piece.empty()) {
            pieces.emplace_back(piece);
        }
    }
}

Status read_parameters(const ApiCall& call, ApiQuery& query) {
    query.clear();
    query.add_item().key = call.key;
    query.refined.refuse_unknown = true;
    for (const HttpField& parameter : call.request.parameters) {
        if (parameter.name == "k") {
            const std::optional<std::uint64_t> k = parse_unsigned(parameter.value);
            if (!k || *k > kMaxResults) {
                return invalid_argument(
                    fmt::format("k must be a whole number from 0 to {}", kMaxResults));
            }
            query.refined.query.k = static_cast<std::size_t>(*k);
        } else if (parameter.name == "exclude") {
            add_pieces(parameter.value, query.refined.query.exclude);
        } else if (parameter.name == "fields") {
            add_pieces(parameter.value, query.fields);
        } else {
            return invalid_argument(
                fmt::format("there is no parameter '{}'; there are k, exclude "
                            "and fields",
                            shortened(parameter.name)));
        }
    }
    if (query.refined.query.exclude.size() > kMaxExclusions || query.fields.size() > kMaxFields) {
        return invalid_argument(fmt::format(
            "up to {} items can be excluded and {} fields asked for", kMaxExclusions, kMaxFields));
    }
    return Status();
}

void similar_to_item(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    const ModelSnapshot served = context.acquire(call, response);
    if (!served) {
        return;
    }
    QueryWorkspace& workspace = context.workspace(call);
    if (const Status status = read_parameters(call, workspace.query); !status.ok()) {
        set_error(response, status, call.request);
        return;
    }
    if (is_unchanged(call, *served, response)) {
        return;
    }
    JsonWriter json(std::move(response.body));
    json.raw(served->answer_beginning());
    const Status status =
        write_answer(workspace.query, *served, call.since, workspace.answer, json);
    response.body = json.end_object().take();
    if (!status.ok()) {
        set_answer_error(response, status, call.request);
    }
}

void item(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    const ModelSnapshot served = context.acquire(call, response);
    if (!served) {
        return;
    }
    const Model& model = served->model();
    const std::optional<std::uint32_t> row = model.find_item(call.key);
    if (!row) {
        set_error(response,
                  not_found(fmt::format("item '{}' is not in the model", shortened(call.key))),
                  call.request);
        return;
    }
    if (is_unchanged(call, *served, response)) {
        return;
    }
    JsonWriter json(std::move(response.body));
    json.begin_object().key("id").value(call.key).key("fields");
    write_fields(model.attribute_names(), model, *row, json);
    if (!model.item_frequencies().empty()) {
        json.key("frequency").value(model.item_frequencies()[*row]);
    }
    if (call.request.parameter("vector") == "true" && model.item_vectors().num_rows > 0) {
        json.key("vector").begin_array();
        for (const float number : model.item_vectors().row(*row)) {
            json.value(number);
        }
        json.end_array();
    }
    response.body = json.end_object().take();
}

}  // namespace

void add_native_routes(Router& router, const ApiContext& context) {
    const auto add = [&](HttpMethod method, std::string_view pattern, auto* handler) {
        router.add(method, pattern, Scope::kRead,
                   [&context, handler](const ApiCall& call, HttpResponse& response) {
                       handler(context, call, response);
                   });
    };
    add(HttpMethod::kPost, "/v1/models/{model}{at}:similar", similar);
    add(HttpMethod::kPost, "/v1/models/{model}{at}:batchSimilar", batch_similar);
    add(HttpMethod::kGet, "/v1/models/{model}{at}/items/{key}/similar", similar_to_item);
    add(HttpMethod::kGet, "/v1/models/{model}{at}/items/{key}", item);
}

}  // namespace segue::serve
