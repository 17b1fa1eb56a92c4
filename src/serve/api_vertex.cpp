// findNeighbors and readIndexDatapoints in the shape of Vertex AI Vector Search. The distance is
// the score: as with its DOT_PRODUCT_DISTANCE, greater is nearer.

#include <cmath>
#include <string>

#include "serve/api_context.h"
#include "serve/vertex_json.h"

namespace segue::serve {

namespace {

void write_vector_and_restricts(const Model& model, std::uint32_t item_row, JsonWriter& json) {
    if (model.item_vectors().num_rows > 0) {
        json.key("featureVector").begin_array();
        for (const float number : model.item_vectors().row(item_row)) {
            json.value(number);
        }
        json.end_array();
    }
    json.key("restricts").begin_array();
    const std::vector<std::string>& names = model.attribute_names();
    for (std::size_t place = 0; place < names.size(); ++place) {
        const std::string_view text = model.attribute(place)[item_row];
        if (!text.empty()) {
            json.begin_object().key("namespace").value(names[place]);
            json.key("allowList").begin_array().value(text).end_array().end_object();
        }
    }
    json.end_array();
}

/// Knobs mean nothing to a model without a tree; Vertex's brute-force indexes ignore them too.
SearchChoice search_choice(const NeighborQuery& query, const Model& model) {
    SearchChoice choice;
    if (model.index() != nullptr && model.index()->tables().has_codes()) {
        const auto num_leaves = static_cast<double>(model.index()->tables().num_leaves());
        choice.knobs.num_leaves_to_search =
            static_cast<std::uint32_t>(std::ceil(query.leaf_fraction * num_leaves));
        choice.knobs.reordering_num_neighbors = query.num_candidates;
    }
    return choice;
}

Status write_neighbors(const NeighborQuery& query, const ServedModel& served, bool is_full,
                       JsonWriter& json) {
    const Model& model = served.model();
    RefinedQuery refined = query.refined;
    refined.query.search = search_choice(query, model);
    const Result<RefinedAnswer> answer = served.answer(refined);
    if (!answer.ok()) {
        return answer.status();
    }
    json.begin_object().key("id").value(query.id).key("neighbors").begin_array();
    for (const ScoredRow& row : answer->results) {
        json.begin_object().key("datapoint").begin_object();
        json.key("datapointId").value(model.item_keys()[row.item_row]);
        if (is_full) {
            write_vector_and_restricts(model, row.item_row, json);
        }
        if (refined.cap) {
            const Result<StringTableView> tags = find_attribute(model, refined.cap->attribute);
            json.key("crowdingTag").begin_object().key("crowdingAttribute");
            json.value(tags.ok() ? (*tags)[row.item_row] : std::string_view()).end_object();
        }
        json.end_object().key("distance").value(row.score).end_object();
    }
    json.end_array().end_object();
    return Status();
}

void find_neighbors(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    answer_json(context, call, response, read_neighbor_queries,
                [](const NeighborQueries& asked, const ServedModel& served, const Stopwatch&,
                   AnswerBody& out) {
                    out.json.begin_object().key("nearestNeighbors").begin_array();
                    for (const NeighborQuery& query : asked.queries) {
                        const Status status =
                            write_neighbors(query, served, asked.wants_full_datapoints, out.json);
                        if (!status.ok()) {
                            return status;
                        }
                    }
                    out.json.end_array().end_object();
                    return Status();
                });
}

/// Ids the model does not know are left out, as Vertex leaves them out.
void read_datapoints(const ApiContext& context, const ApiCall& call, HttpResponse& response) {
    answer_json(context, call, response, read_datapoint_ids,
                [](const DatapointIds& asked, const ServedModel& served, const Stopwatch&,
                   AnswerBody& out) {
                    const Model& model = served.model();
                    out.json.begin_object().key("datapoints").begin_array();
                    for (const std::string& id : asked.ids) {
                        if (const std::optional<std::uint32_t> row = model.find_item(id)) {
                            out.json.begin_object().key("datapointId").value(id);
                            write_vector_and_restricts(model, *row, out.json);
                            out.json.end_object();
                        }
                    }
                    out.json.end_array().end_object();
                    return Status();
                });
}

}  // namespace

void add_vertex_routes(Router& router, const ApiContext& context) {
    const auto add = [&](std::string_view pattern, auto* handler) {
        router.add(HttpMethod::kPost, pattern, Scope::kRead,
                   [&context, handler](const ApiCall& call, HttpResponse& response) {
                       handler(context, call, response);
                   });
    };
    add("/v1/models/{model}{at}:findNeighbors", find_neighbors);
    add("/v1/models/{model}{at}:readIndexDatapoints", read_datapoints);
    add("/v1/projects/{key}/locations/{key}/indexEndpoints/{model}:findNeighbors", find_neighbors);
    add("/v1/projects/{key}/locations/{key}/indexEndpoints/{model}:readIndexDatapoints",
        read_datapoints);
}

}  // namespace segue::serve
