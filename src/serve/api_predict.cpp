// {model}:predict in the shapes of TensorFlow Serving (rows and columns) and of the blueprint's
// index server, and {model}:lookup, the blueprint's embedding lookup.

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "base/text.h"
#include "recommend/mean_vector.h"
#include "serve/answer_json.h"
#include "serve/api_context.h"
#include "serve/columns.h"
#include "serve/member_reader.h"

namespace segue::serve {

namespace {

/// Results of all instances of a request together.
constexpr std::size_t kMaxResultsOfRequest = 20'000;

constexpr std::string_view kNoQueryText = "You need to provide the item Id(s) in the query!";

/// One row of a request.
struct Instance {
    ApiQuery query;
    /// {"query":"id id","show":10}: the answer is a list of ids without scores.
    bool is_blueprint = false;
};

struct Prediction {
    std::vector<Instance> rows;
    std::optional<ColumnQuery> columns;

    bool asks_of_group() const {
        return std::any_of(rows.begin(), rows.end(),
                           [](const Instance& row) { return row.query.asks_of_group(); });
    }
};

/// "show" as the blueprint's server took it: digits count, anything else is 10.
std::size_t lenient_show(const JsonValue& value) {
    constexpr std::size_t kUsual = 10;
    std::uint64_t number = 0;
    std::string_view text;
    if (value.get(number) == simdjson::SUCCESS) {
        return static_cast<std::size_t>(std::min<std::uint64_t>(number, kMaxResults));
    }
    if (value.get(text) != simdjson::SUCCESS) {
        return kUsual;
    }
    const std::optional<std::uint64_t> digits = parse_unsigned(text);
    return digits ? static_cast<std::size_t>(std::min<std::uint64_t>(*digits, kMaxResults))
                  : kUsual;
}

Result<std::size_t> read_show(const JsonValue& value, bool has_habits) {
    if (has_habits) {
        return lenient_show(value);
    }
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
        return read_count(value, "show", kMaxResults);
    }
    const std::optional<std::uint64_t> digits = parse_unsigned(text);
    if (!digits || *digits > kMaxResults) {
        return invalid_argument(
            fmt::format("show must be a whole number from 0 to {}", kMaxResults));
    }
    return static_cast<std::size_t>(*digits);
}

Status read_query_text(std::string_view text, std::vector<Query::Item>& items) {
    for (const std::string_view key : split_on_space(text)) {
        if (key.size() > kMaxTextBytes) {
            return invalid_argument(
                fmt::format("an id may have {} bytes, found {}", kMaxTextBytes, key.size()));
        }
        items.push_back({std::string(key), 1});
    }
    return items.size() <= kMaxKeys
               ? Status()
               : invalid_argument(fmt::format("a query may name {} items", kMaxKeys));
}

/// One mean vector of all ids, repeated ids counting again; the items themselves may be answers.
Result<Instance> read_blueprint_instance(const JsonObject& object, bool has_habits) {
    Instance instance;
    instance.is_blueprint = true;
    Query& query = instance.query.refined.query;
    query.combine = Combine::kMeanOfVectors;
    query.offer_query_items = true;
    instance.query.refined.offer_popular = false;
    MemberReader reader(object, "an instance");
    reader
        .member("query",
                [&](const JsonValue& value) {
                    std::string_view text;
                    if (value.get(text) != simdjson::SUCCESS) {
                        return invalid_argument("query must be a text");
                    }
                    return read_query_text(text, query.items);
                })
        .take("show", query.k, [&](const JsonValue& value) { return read_show(value, has_habits); })
        .member("exclude_query", [&](const JsonValue& value) {
            const Result<bool> excludes = read_truth(value, "exclude_query");
            query.offer_query_items = excludes.ok() && !*excludes;
            return excludes.status();
        });
    Status status = reader.finish();
    return status.ok() ? Result<Instance>(std::move(instance)) : Result<Instance>(status);
}

Result<Instance> read_instance(const JsonValue& value, bool has_habits) {
    Instance instance;
    instance.query.refined.offer_popular = false;
    JsonObject object;
    if (value.get(object) != simdjson::SUCCESS) {
        Result<std::string> key = read_key(value, "an instance");
        if (!key.ok()) {
            return key.status();
        }
        instance.query.refined.query.items.push_back({std::move(*key), 1});
        return instance;
    }
    if (object.at_key("query").error() == simdjson::SUCCESS ||
        object.at_key("show").error() == simdjson::SUCCESS || object.size() == 0) {
        return read_blueprint_instance(object, has_habits);
    }
    Result<ApiQuery> query = read_query(object);
    if (!query.ok()) {
        return query.status();
    }
    instance.query = std::move(*query);
    set_deadline(instance.query, Stopwatch());
    // There is no place to say that an answer is popular items, so one has to ask for them.
    if (object.at_key("fallback").error() != simdjson::SUCCESS) {
        instance.query.refined.offer_popular = false;
    }
    return instance;
}

Status read_rows(const JsonValue& value, bool has_habits, std::vector<Instance>& rows) {
    const Result<JsonArray> array = read_array(value, "instances", kMaxQueriesOfBatch);
    if (!array.ok()) {
        return array.status();
    }
    std::size_t num_results = 0;
    for (const JsonValue element : *array) {
        Result<Instance> row = read_instance(element, has_habits);
        if (!row.ok()) {
            return row.status();
        }
        num_results += row->query.refined.query.k;
        rows.push_back(std::move(*row));
    }
    if (rows.empty()) {
        return invalid_argument("instances must not be empty");
    }
    if (num_results > kMaxResultsOfRequest) {
        return invalid_argument(fmt::format("a request may ask for {} results in all, found {}",
                                            kMaxResultsOfRequest, num_results));
    }
    return Status();
}

Status check_signature(const JsonValue& value) {
    const Result<std::string_view> name = read_text(value, "signature_name");
    if (!name.ok()) {
        return name.status();
    }
    return *name == "serving_default" || name->empty()
               ? Status()
               : invalid_argument("the only signature is 'serving_default'");
}

Result<Prediction> read_prediction(const JsonObject& object, bool has_habits) {
    Prediction prediction;
    MemberReader reader(object, "a prediction");
    reader.member("signature_name", check_signature)
        .member(
            "instances",
            [&](const JsonValue& value) { return read_rows(value, has_habits, prediction.rows); })
        .take("inputs", prediction.columns, read_columns);
    if (Status status = reader.finish(); !status.ok()) {
        return status;
    }
    if (prediction.rows.empty() != prediction.columns.has_value()) {
        return invalid_argument("give either 'instances' (rows) or 'inputs' (columns)");
    }
    return prediction;
}

Status write_row(const Instance& row, const ServedModel& served, JsonWriter& json) {
    const Result<RefinedAnswer> answer = served.answer(row.query.refined);
    if (!answer.ok()) {
        return answer.status();
    }
    if (answer->is_cut_short) {  // which a prediction has no place for
        return Status(StatusCode::kDeadline, "the search did not end in the time given");
    }
    const Model& model = served.model();
    json.begin_array();
    for (const ScoredRow& result : answer->results) {
        if (row.is_blueprint) {
            json.value(model.item_keys()[result.item_row]);
            continue;
        }
        json.begin_object().key("id").value(model.item_keys()[result.item_row]);
        json.key("score").value(result.score);
        if (!row.query.fields.empty()) {
            json.key("fields");
            write_fields(row.query.fields, model, result.item_row, json);
        }
        json.end_object();
    }
    json.end_array();
    return Status();
}

Status write_prediction(const Prediction& prediction, const ServedModel& served, JsonWriter& json) {
    json.begin_object();
    if (prediction.columns) {
        const Result<ColumnAnswer> answer = answer_columns(*prediction.columns, served);
        if (!answer.ok()) {
            return answer.status();
        }
        json.key("outputs");
        write_columns(*answer, served.model(), json);
        json.end_object();
        return Status();
    }
    json.key("predictions");
    // The blueprint's clients send one instance and get its list of ids, not a list of lists.
    const bool is_flat = prediction.rows.size() == 1 && prediction.rows[0].is_blueprint;
    if (!is_flat) {
        json.begin_array();
    }
    for (const Instance& row : prediction.rows) {
        if (Status status = check_fields(row.query.fields, served.model()); !status.ok()) {
            return status;
        }
        if (Status status = write_row(row, served, json); !status.ok()) {
            return status;
        }
    }
    if (!is_flat) {
        json.end_array();
    }
    json.end_object();
    return Status();
}

void predict(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    answer_json(
        context, call, response,
        [](const JsonObject& object, const ServedModel&) { return read_prediction(object, false); },
        [](const Prediction& prediction, const ServedModel& served, const Stopwatch&,
           AnswerBody& out) { return write_prediction(prediction, served, out.json); });
}

/// What the blueprint's server answers to its one instance, failures included.
std::string habitual_answer(const ServedModel& served, std::string_view body, JsonInput& input) {
    JsonWriter json;
    Status status;
    const Result<JsonObject> object = input.parse_object(body);
    Result<Prediction> prediction =
        object.ok() ? read_prediction(*object, true) : Result<Prediction>(object.status());
    if (!prediction.ok()) {
        status = prediction.status();
    } else if (!prediction->columns && prediction->rows[0].query.refined.query.items.empty() &&
               prediction->rows[0].is_blueprint) {
        return json.begin_object().key("predictions").value(kNoQueryText).end_object().take();
    } else {
        if (prediction->rows.size() > 1 && prediction->rows[0].is_blueprint) {
            prediction->rows.resize(1);
        }
        status = write_prediction(*prediction, served, json);
    }
    if (status.ok()) {
        return json.take();
    }
    return JsonWriter()
        .begin_object()
        .key("error")
        .value("Unexpected error: " + status.message())
        .end_object()
        .take();
}

void predict_by_habit(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    const ModelSnapshot served = context.acquire(call, response);
    if (served) {
        response.body = habitual_answer(*served, call.request.body, context.workspace(call).input);
    }
}

/// Texts whose keys' vectors are asked for.
struct Lookup {
    std::vector<std::string> texts;

    bool asks_of_group() const { return false; }
};

Result<Lookup> read_lookup(const JsonObject& object) {
    Lookup lookup;
    MemberReader reader(object, "a lookup");
    reader.member("signature_name", check_signature)
        .require("instances")
        .member("instances", [&](const JsonValue& value) {
            const Result<JsonArray> array = read_array(value, "instances", kMaxQueriesOfBatch);
            if (!array.ok()) {
                return array.status();
            }
            for (const JsonValue element : *array) {
                std::string_view text;
                if (element.get(text) != simdjson::SUCCESS) {
                    return invalid_argument("an instance must be a text");
                }
                lookup.texts.emplace_back(text);
            }
            return Status();
        });
    Status status = reader.finish();
    return status.ok() ? Result<Lookup>(std::move(lookup)) : Result<Lookup>(std::move(status));
}

Status write_lookup(const Lookup& lookup, const ServedModel& served, JsonWriter& json) {
    const Model& model = served.model();
    if (model.item_vectors().num_rows == 0) {
        return invalid_argument(fmt::format("a {} model has no vectors", model.info().recipe));
    }
    json.begin_object().key("predictions").begin_array();
    for (const std::string& text : lookup.texts) {
        json.begin_array();
        for (const float number : mean_vector(model, text).vector) {
            json.value(number);
        }
        json.end_array();
    }
    json.end_array().end_object();
    return Status();
}

void lookup_vectors(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    answer_json(
        context, call, response,
        [](const JsonObject& object, const ServedModel&) { return read_lookup(object); },
        [](const Lookup& lookup, const ServedModel& served, const Stopwatch&, AnswerBody& out) {
            return write_lookup(lookup, served, out.json);
        });
}

}  // namespace

void add_predict_routes(Router& router, const ApiContext& context) {
    const auto handle_predict = context.has_blueprint_habits() ? predict_by_habit : predict;
    router.add(HttpMethod::kPost, "/v1/models/{model}{at}:predict", Scope::kRead,
               [&context, handle_predict](const ApiCall& call, HttpResponse& response) {
                   handle_predict(context, call, response);
               });
    router.add(HttpMethod::kPost, "/v1/models/{model}{at}:lookup", Scope::kRead,
               [&context](const ApiCall& call, HttpResponse& response) {
                   lookup_vectors(context, call, response);
               });
}

}  // namespace segue::serve
