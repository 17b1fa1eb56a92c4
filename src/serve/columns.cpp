#include "serve/columns.h"

#include <fmt/core.h>

#include <algorithm>

#include "serve/member_reader.h"
#include "serve/query_json.h"

namespace segue::serve {

namespace {

Result<std::vector<std::string>> read_items(const JsonValue& value) {
    return read_keys(value, "item", kMaxQueriesOfBatch);
}

Result<std::vector<std::vector<float>>> read_vectors(const JsonValue& value) {
    const Result<JsonArray> array = read_array(value, "vector", kMaxQueriesOfBatch);
    if (!array.ok()) {
        return array.status();
    }
    std::vector<std::vector<float>> vectors;
    for (const JsonValue element : *array) {
        Result<std::vector<float>> vector = read_vector(element, "vector", kMaxVectorNumbers);
        if (!vector.ok()) {
            return vector.status();
        }
        vectors.push_back(std::move(*vector));
    }
    return vectors;
}

}  // namespace

std::size_t ColumnAnswer::width() const {
    std::size_t longest = 0;
    for (const std::vector<ScoredRow>& list : lists) {
        longest = std::max(longest, list.size());
    }
    return longest;
}

Result<ColumnQuery> read_columns(const JsonValue& value) {
    ColumnQuery query;
    JsonObject object;
    if (value.get(object) != simdjson::SUCCESS) {
        Result<std::vector<std::string>> items = read_items(value);
        if (!items.ok()) {
            return items.status();
        }
        query.items = std::move(*items);
    } else {
        MemberReader reader(object, "inputs");
        reader.take("item", query.items, read_items)
            .take("vector", query.vectors, read_vectors)
            .take("k", query.k,
                  [](const JsonValue& count) { return read_count(count, "k", kMaxResults); });
        if (Status status = reader.finish(); !status.ok()) {
            return status;
        }
    }
    if (query.items.empty() == query.vectors.empty()) {
        return invalid_argument("inputs must hold either items or vectors");
    }
    return query;
}

Result<ColumnAnswer> answer_columns(const ColumnQuery& query, const ServedModel& served) {
    constexpr std::size_t kMaxResultsOfRequest = 20'000;
    if (query.size() > kMaxQueriesOfBatch || query.k > kMaxResults ||
        query.size() * query.k > kMaxResultsOfRequest) {
        return invalid_argument(
            fmt::format("up to {} questions with {} results each, {} in all, can be asked at once",
                        kMaxQueriesOfBatch, kMaxResults, kMaxResultsOfRequest));
    }
    ColumnAnswer answer;
    for (std::size_t place = 0; place < query.size(); ++place) {
        RefinedQuery one;
        one.offer_popular = false;
        one.query.k = query.k;
        if (query.items.empty()) {
            one.query.vector = query.vectors[place];
        } else {
            one.query.items.push_back({query.items[place], 1});
        }
        Result<RefinedAnswer> found = served.answer(one);
        if (!found.ok()) {
            return found.status().with_context(fmt::format("question {}", place + 1));
        }
        answer.lists.push_back(std::move(found->results));
    }
    return answer;
}

void write_columns(const ColumnAnswer& answer, const Model& model, JsonWriter& json) {
    json.begin_object().key("ids").begin_array();
    for (const std::vector<ScoredRow>& list : answer.lists) {
        json.begin_array();
        for (const ScoredRow& row : list) {
            json.value(model.item_keys()[row.item_row]);
        }
        json.end_array();
    }
    json.end_array().key("scores").begin_array();
    for (const std::vector<ScoredRow>& list : answer.lists) {
        json.begin_array();
        for (const ScoredRow& row : list) {
            json.value(row.score);
        }
        json.end_array();
    }
    json.end_array().end_object();
}

}  // namespace segue::serve
