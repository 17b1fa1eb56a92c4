#include "serve/vertex_json.h"

#include <fmt/core.h>

#include <optional>

#include "base/text.h"
#include "serve/member_reader.h"
#include "serve/query_json.h"

namespace segue::serve {

namespace {

/// The attribute that crowding goes by where a query names none.
constexpr std::string_view kCrowdingAttribute = "crowding_tag";

/// A 64-bit integer is a text in the JSON of protocol buffers; numbers are taken too.
Result<double> read_numeric(const JsonValue& value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
        return read_number(value, "a numeric restrict");
    }
    const std::optional<double> number = parse_double(text);
    if (!number) {
        return invalid_argument("a numeric restrict must be a number");
    }
    return *number;
}

Status read_restrict(const JsonValue& value, AttributeConditions& filter) {
    const Result<JsonObject> object = read_object(value, "a restrict");
    if (!object.ok()) {
        return object.status();
    }
    const auto tokens = [](const JsonValue& list) { return read_keys(list, "a token", kMaxKeys); };
    AttributeCondition allow;
    AttributeCondition deny;
    MemberReader reader(*object, "a restrict");
    reader.require("namespace")
        .take("namespace", allow.attribute,
              [](const JsonValue& name) { return read_key(name, "namespace"); })
        .take("allowList", allow.in, tokens)
        .take("denyList", deny.in, tokens);
    if (Status status = reader.finish(); !status.ok()) {
        return status;
    }
    deny.attribute = allow.attribute;
    if (allow.in && !allow.in->empty()) {
        filter.must.push_back(std::move(allow));
    }
    if (deny.in && !deny.in->empty()) {
        filter.must_not.push_back(std::move(deny));
    }
    return Status();
}

/// Bounds the range as the operator says; NOT_EQUAL becomes a condition that must not hold.
Status add_comparison(std::string_view name, double number, AttributeCondition condition,
                      AttributeConditions& filter) {
    AttributeCondition::Range range;
    if (name == "LESS") {
        range.below = number;
    } else if (name == "LESS_EQUAL") {
        range.at_most = number;
    } else if (name == "GREATER") {
        range.above = number;
    } else if (name == "GREATER_EQUAL") {
        range.at_least = number;
    } else if (name == "EQUAL" || name == "NOT_EQUAL") {
        range.at_least = number;
        range.at_most = number;
    } else {
        return invalid_argument(
            "op must be LESS, LESS_EQUAL, EQUAL, NOT_EQUAL, GREATER_EQUAL or GREATER");
    }
    condition.range = range;
    (name == "NOT_EQUAL" ? filter.must_not : filter.must).push_back(std::move(condition));
    return Status();
}

Status read_numeric_restrict(const JsonValue& value, AttributeConditions& filter) {
    const Result<JsonObject> object = read_object(value, "a numeric restrict");
    if (!object.ok()) {
        return object.status();
    }
    AttributeCondition condition;
    std::optional<double> number;
    std::string op;
    MemberReader reader(*object, "a numeric restrict");
    reader.require("namespace")
        .require("op")
        .take("namespace", condition.attribute,
              [](const JsonValue& name) { return read_key(name, "namespace"); })
        .take("valueInt", number, read_numeric)
        .take("valueFloat", number, read_numeric)
        .take("valueDouble", number, read_numeric)
        .take("op", op, [](const JsonValue& text) { return read_text(text, "op"); });
    if (Status status = reader.finish(); !status.ok()) {
        return status;
    }
    if (!number) {
        return invalid_argument(
            "a numeric restrict needs one of valueInt, valueFloat and valueDouble");
    }
    return add_comparison(op, *number, std::move(condition), filter);
}

template <typename Read>
Status read_each(const JsonValue& value, std::string_view what, const Read& read) {
    const Result<JsonArray> array = read_array(value, what, kMaxConditions);
    if (!array.ok()) {
        return array.status();
    }
    for (const JsonValue element : *array) {
        if (Status status = read(element); !status.ok()) {
            return status;
        }
    }
    return Status();
}

Result<std::string> read_crowding_tag(const JsonValue& value) {
    const Result<JsonObject> object = read_object(value, "crowdingTag");
    if (!object.ok()) {
        return object.status();
    }
    std::string attribute;
    MemberReader reader(*object, "crowdingTag");
    reader.take("crowdingAttribute", attribute,
                [](const JsonValue& name) { return read_key(name, "crowdingAttribute"); });
    Status status = reader.finish();
    return status.ok() ? Result<std::string>(attribute) : Result<std::string>(std::move(status));
}

Status read_datapoint(const JsonValue& value, NeighborQuery& query, std::string& crowding) {
    const Result<JsonObject> object = read_object(value, "datapoint");
    if (!object.ok()) {
        return object.status();
    }
    RefinedQuery& refined = query.refined;
    MemberReader reader(*object, "datapoint");
    reader
        .take("datapointId", query.id,
              [](const JsonValue& id) { return read_key(id, "datapointId"); })
        .take("featureVector", refined.query.vector,
              [](const JsonValue& vector) {
                  return read_vector(vector, "featureVector", kMaxVectorNumbers);
              })
        .member("restricts",
                [&](const JsonValue& list) {
                    return read_each(list, "restricts", [&](const JsonValue& element) {
                        return read_restrict(element, refined.filter);
                    });
                })
        .member("numericRestricts",
                [&](const JsonValue& list) {
                    return read_each(list, "numericRestricts", [&](const JsonValue& element) {
                        return read_numeric_restrict(element, refined.filter);
                    });
                })
        .take("crowdingTag", crowding, read_crowding_tag);
    if (Status status = reader.finish(); !status.ok()) {
        return status;
    }
    // With a vector the id is but a name for the answer.
    if (refined.query.vector.empty() && !query.id.empty()) {
        refined.query.items.push_back({query.id, 1});
    }
    return Status();
}

Result<NeighborQuery> read_neighbor_query(const JsonValue& value) {
    const Result<JsonObject> object = read_object(value, "a query");
    if (!object.ok()) {
        return object.status();
    }
    NeighborQuery query;
    query.refined.offer_popular = false;
    std::string crowding(kCrowdingAttribute);
    std::size_t max_per_crowd = 0;
    std::size_t num_candidates = 0;
    MemberReader reader(*object, "a query");
    reader.require("datapoint")
        .member(
            "datapoint",
            [&](const JsonValue& datapoint) { return read_datapoint(datapoint, query, crowding); })
        .take(
            "neighborCount", query.refined.query.k,
            [](const JsonValue& count) { return read_count(count, "neighborCount", kMaxResults); })
        .take("perCrowdingAttributeNeighborCount", max_per_crowd,
              [](const JsonValue& count) {
                  return read_count(count, "perCrowdingAttributeNeighborCount", kMaxResults);
              })
        .take("approximateNeighborCount", num_candidates,
              [](const JsonValue& count) {
                  return read_count(count, "approximateNeighborCount", kMaxSearchKnob);
              })
        .take("fractionLeafNodesToSearchOverride", query.leaf_fraction,
              [](const JsonValue& fraction) {
                  return read_number(fraction, "fractionLeafNodesToSearchOverride");
              });
    if (Status status = reader.finish(); !status.ok()) {
        return status;
    }
    if (!(query.leaf_fraction >= 0 && query.leaf_fraction <= 1)) {
        return invalid_argument("fractionLeafNodesToSearchOverride must be from 0 to 1");
    }
    query.num_candidates = static_cast<std::uint32_t>(num_candidates);
    if (max_per_crowd > 0) {
        query.refined.cap = RefinedQuery::Cap{crowding, max_per_crowd};
    }
    return query;
}

/// The deployed index is the model: another name in the body than in the path is a mistake.
Status check_deployed_index(const JsonValue& value, const ServedModel& served) {
    const Result<std::string_view> name = read_text(value, "deployedIndexId");
    if (!name.ok()) {
        return name.status();
    }
    return name->empty() || *name == served.name()
               ? Status()
               : invalid_argument(fmt::format("deployedIndexId '{}' is not the model of this path, "
                                              "'{}'",
                                              shortened(*name), served.name()));
}

}  // namespace

Result<NeighborQueries> read_neighbor_queries(const JsonObject& object, const ServedModel& served) {
    NeighborQueries asked;
    MemberReader reader(object, "findNeighbors");
    reader
        .member("deployedIndexId",
                [&](const JsonValue& value) { return check_deployed_index(value, served); })
        .require("queries")
        .member("queries",
                [&](const JsonValue& value) {
                    const Result<JsonArray> array =
                        read_array(value, "queries", kMaxQueriesOfBatch);
                    if (!array.ok()) {
                        return array.status();
                    }
                    for (const JsonValue element : *array) {
                        Result<NeighborQuery> query = read_neighbor_query(element);
                        if (!query.ok()) {
                            return query.status();
                        }
                        asked.queries.push_back(std::move(*query));
                    }
                    return Status();
                })
        .take("returnFullDatapoint", asked.wants_full_datapoints,
              [](const JsonValue& value) { return read_truth(value, "returnFullDatapoint"); });
    Status status = reader.finish();
    return status.ok() ? Result<NeighborQueries>(std::move(asked))
                       : Result<NeighborQueries>(std::move(status));
}

Result<DatapointIds> read_datapoint_ids(const JsonObject& object, const ServedModel& served) {
    DatapointIds asked;
    MemberReader reader(object, "readIndexDatapoints");
    reader
        .member("deployedIndexId",
                [&](const JsonValue& value) { return check_deployed_index(value, served); })
        .require("ids")
        .take("ids", asked.ids,
              [](const JsonValue& value) { return read_keys(value, "ids", kMaxKeys); });
    Status status = reader.finish();
    return status.ok() ? Result<DatapointIds>(std::move(asked))
                       : Result<DatapointIds>(std::move(status));
}

}  // namespace segue::serve
