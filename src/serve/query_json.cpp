#include "serve/query_json.h"

#include <fmt/core.h>

#include <cmath>

#include "serve/member_reader.h"

namespace segue::serve {

namespace {

/// The value, or why it could not be read.
template <typename Value>
Result<Value> value_or(Status status, Value& value) {
    return status.ok() ? Result<Value>(std::move(value)) : Result<Value>(std::move(status));
}

/// Adds "B001", 7, or {"id":"B001","weight":2}; the weight is multiplied by `sign`.
Status read_item(const JsonValue& value, std::string_view what, float sign, ApiQuery& query) {
    Query::Item& item = query.add_item();
    item.weight = sign;
    JsonObject object;
    if (value.get(object) != simdjson::SUCCESS) {
        return read_key(value, what, item.key);
    }
    float weight = 1;
    MemberReader reader(object, what);
    reader.require("id")
        .member("id", [&](const JsonValue& key) { return read_key(key, "id", item.key); })
        .take("weight", weight,
              [](const JsonValue& number) { return read_float(number, "weight"); });
    item.weight = sign * weight;
    return reader.finish();
}

Status read_items(const JsonValue& value, std::string_view what, float sign, ApiQuery& query) {
    const Result<JsonArray> array = read_array(value, what, kMaxKeys);
    if (!array.ok()) {
        return array.status();
    }
    if (array->size() == 0) {
        return invalid_argument(fmt::format("{} must not be empty", what));
    }
    for (const JsonValue element : *array) {
        if (Status status = read_item(element, what, sign, query); !status.ok()) {
            return status;
        }
    }
    return Status();
}

Result<AttributeCondition::Range> read_range(const JsonValue& value) {
    const Result<JsonObject> object = read_object(value, "range");
    if (!object.ok()) {
        return object.status();
    }
    const auto bound = [](const JsonValue& number) {
        return read_number(number, "a bound of a range");
    };
    AttributeCondition::Range range;
    MemberReader reader(*object, "range");
    reader.take("gt", range.above, bound)
        .take("gte", range.at_least, bound)
        .take("lt", range.below, bound)
        .take("lte", range.at_most, bound);
    return value_or(reader.finish(), range);
}

Result<AttributeCondition> read_condition(const JsonValue& value) {
    const Result<JsonObject> object = read_object(value, "a condition");
    if (!object.ok()) {
        return object.status();
    }
    AttributeCondition condition;
    MemberReader reader(*object, "a condition");
    reader.require("key")
        .take("key", condition.attribute,
              [](const JsonValue& name) { return read_key(name, "key"); })
        .take("in", condition.in,
              [](const JsonValue& values) { return read_keys(values, "in", kMaxKeys); })
        .take("range", condition.range, read_range)
        .take("prefix", condition.prefix,
              [](const JsonValue& text) { return read_text(text, "prefix"); });
    return value_or(reader.finish(), condition);
}

Result<std::vector<AttributeCondition>> read_conditions(const JsonValue& value) {
    const Result<JsonArray> array = read_array(value, "a list of conditions", kMaxConditions);
    if (!array.ok()) {
        return array.status();
    }
    std::vector<AttributeCondition> conditions;
    for (const JsonValue element : *array) {
        Result<AttributeCondition> condition = read_condition(element);
        if (!condition.ok()) {
            return condition.status();
        }
        conditions.push_back(std::move(*condition));
    }
    return conditions;
}

Result<AttributeConditions> read_filter(const JsonValue& value) {
    const Result<JsonObject> object = read_object(value, "filter");
    if (!object.ok()) {
        return object.status();
    }
    AttributeConditions filter;
    MemberReader reader(*object, "filter");
    reader.take("must", filter.must, read_conditions)
        .take("must_not", filter.must_not, read_conditions);
    return value_or(reader.finish(), filter);
}

Result<RefinedQuery::Cap> read_cap(const JsonValue& value) {
    const Result<JsonObject> object = read_object(value, "diversity");
    if (!object.ok()) {
        return object.status();
    }
    RefinedQuery::Cap cap;
    MemberReader reader(*object, "diversity");
    reader.require("key")
        .take("key", cap.attribute, [](const JsonValue& name) { return read_key(name, "key"); })
        .take("max_per_value", cap.max_per_value, [](const JsonValue& count) {
            return read_count(count, "max_per_value", kMaxResults);
        });
    return value_or(reader.finish(), cap);
}

/// How to search, instead of what the index was calibrated to.
Result<SearchChoice> read_search(const JsonValue& value) {
    const Result<JsonObject> object = read_object(value, "params");
    if (!object.ok()) {
        return object.status();
    }
    SearchChoice choice;
    const auto knob = [](std::string_view name, std::uint32_t& place) {
        return [name, &place](const JsonValue& number) {
            const Result<std::size_t> count = read_count(number, name, kMaxSearchKnob);
            place = count.ok() ? static_cast<std::uint32_t>(*count) : 0;
            return count.status();
        };
    };
    MemberReader reader(*object, "params");
    reader
        .member("exact",
                [&](const JsonValue& truth) {
                    const Result<bool> exact = read_truth(truth, "exact");
                    choice.path = exact.ok() && *exact ? SearchPath::kExact : SearchPath::kAuto;
                    return exact.status();
                })
        .member("leaves", knob("leaves", choice.knobs.num_leaves_to_search))
        .member("candidates", knob("candidates", choice.knobs.reordering_num_neighbors));
    return value_or(reader.finish(), choice);
}

/// One of two words as a truth: the second is true.
Result<bool> read_choice(const JsonValue& value, std::string_view what, std::string_view no,
                         std::string_view yes) {
    const Result<std::string_view> word = read_text(value, what);
    if (!word.ok() || (*word != no && *word != yes)) {
        return invalid_argument(fmt::format("{} must be '{}' or '{}'", what, no, yes));
    }
    return *word == yes;
}

/// What is asked about.
void read_subject(MemberReader& reader, ApiQuery& asked) {
    Query& query = asked.refined.query;
    reader
        .member("item", [&](const JsonValue& value) { return read_item(value, "item", 1, asked); })
        .member("items",
                [&](const JsonValue& value) { return read_items(value, "items", 1, asked); })
        .member("negative",
                [&](const JsonValue& value) { return read_items(value, "negative", -1, asked); })
        .take("user", query.group_key,
              [](const JsonValue& value) { return read_key(value, "user"); })
        .take("history", query.history,
              [](const JsonValue& value) { return read_keys(value, "history", kMaxKeys); })
        .member("vector", [&](const JsonValue& value) {
            return read_vector(value, "vector", kMaxVectorNumbers, query.vector);
        });
}

/// What its answer must be like.
void read_conditions_of_answer(MemberReader& reader, RefinedQuery& refined) {
    Query& query = refined.query;
    reader
        .take("k", query.k,
              [](const JsonValue& value) { return read_count(value, "k", kMaxResults); })
        .take("exclude", query.exclude,
              [](const JsonValue& value) { return read_keys(value, "exclude", kMaxExclusions); })
        .member("exclude_query",
                [&](const JsonValue& value) {
                    const Result<bool> excludes = read_truth(value, "exclude_query");
                    query.offer_query_items = excludes.ok() && !*excludes;
                    return excludes.status();
                })
        .take("popularity_exponent", query.popularity_exponent,
              [](const JsonValue& value) { return read_number(value, "popularity_exponent"); })
        .take("min_score", query.min_score,
              [](const JsonValue& value) { return read_float(value, "min_score"); })
        .take("params", query.search, read_search)
        .take("within", refined.within,
              [](const JsonValue& value) { return read_keys(value, "within", kMaxKeys); })
        .take("filter", refined.filter, read_filter)
        .take("diversity", refined.cap, read_cap)
        .take("mmr", refined.mmr, [](const JsonValue& value) { return read_number(value, "mmr"); })
        .take(
            "unknown", refined.refuse_unknown,
            [](const JsonValue& value) { return read_choice(value, "unknown", "ignore", "error"); })
        .take("strategy", refined.best_of_examples,
              [](const JsonValue& value) {
                  return read_choice(value, "strategy", "average", "best_score");
              })
        .take("fallback", refined.offer_popular, [](const JsonValue& value) {
            return read_choice(value, "fallback", "error", "popular");
        });
}

}  // namespace

void ApiQuery::clear() {
    Query& query = refined.query;
    // Texts longer than those a string holds itself are worth keeping, but not all of a long list.
    constexpr std::size_t kSpareItems = 64;
    for (Query::Item& item : query.items) {
        if (spare_items_.size() < kSpareItems) {
            spare_items_.push_back(std::move(item));
        }
    }
    query.items.clear();
    static const RefinedQuery kFresh;
    refined = kFresh;  // a copy: of lists, memory stays
    fields.clear();
    evidence = false;
    timeout.reset();
}

Query::Item& ApiQuery::add_item() {
    std::vector<Query::Item>& items = refined.query.items;
    if (spare_items_.empty()) {
        return items.emplace_back();
    }
    items.push_back(std::move(spare_items_.back()));
    spare_items_.pop_back();
    items.back().weight = 1;
    return items.back();
}

Status read_query(const JsonObject& object, ApiQuery& query) {
    query.clear();
    MemberReader reader(object, "a query");
    read_subject(reader, query);
    read_conditions_of_answer(reader, query.refined);
    reader
        .take("fields", query.fields,
              [](const JsonValue& value) { return read_keys(value, "fields", kMaxFields); })
        .take("evidence", query.evidence,
              [](const JsonValue& value) { return read_truth(value, "evidence"); })
        .member("timeout_ms", [&](const JsonValue& value) {
            const Result<std::size_t> count = read_count(value, "timeout_ms", kMaxTimeoutMs);
            query.timeout = std::chrono::milliseconds(count.ok() ? *count : 0);
            return count.status();
        });
    if (Status status = reader.finish(); !status.ok()) {
        return status;
    }
    const Query& asked = query.refined.query;
    if (asked.items.size() + asked.history.size() > kMaxKeys) {
        return invalid_argument(fmt::format("a query may name {} items", kMaxKeys));
    }
    if (query.evidence && asked.items.size() + asked.history.size() > kMaxEvidenceItems) {
        return invalid_argument(
            fmt::format("evidence is for queries of up to {} items", kMaxEvidenceItems));
    }
    return Status();
}

Result<ApiQuery> read_query(const JsonObject& object) {
    ApiQuery query;
    return value_or(read_query(object, query), query);
}

}  // namespace segue::serve
