#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "recommend/recommend_fixture.h"
#include "serve/query_json.h"
#include "serve/served_model.h"
#include "targets.h"

namespace segue::fuzz {
namespace {

constexpr std::size_t kNumItems = 12;

Model model_with_attributes() {
    ModelParts parts = segue::testing::checkerboard(AnswerBy::kVectors, kNumItems);
    parts.attributes.names = {"title", "color", "price"};
    parts.attributes.columns.resize(3);
    for (const char* const color : {"red", "red", "blue", "green", "red", "", "blue", "r", "redder",
                                    "\xC3\xBC", "Red", "blue"}) {
        parts.attributes.columns[1].append(color);
    }
    for (const char* const price :
         {"0", "10", "2.5", "-3", "1e2", "", "free", "10 ", "+4", "0x10", "nan", "1e999"}) {
        parts.attributes.columns[2].append(price);
    }
    return Model::from_parts(std::move(parts));
}

/// A decimal number that is all of the text.
bool read_number(std::string_view text, double& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number - number == 0;
}

bool holds(const AttributeCondition& condition, std::string_view text) {
    if (text.empty()) {
        return false;
    }
    if (condition.in) {
        return std::count(condition.in->begin(), condition.in->end(), text) > 0;
    }
    if (condition.prefix) {
        return text.substr(0, condition.prefix->size()) == *condition.prefix;
    }
    double number = 0;
    if (!read_number(text, number)) {
        return false;
    }
    const AttributeCondition::Range& range = *condition.range;
    return !(range.above && number <= *range.above) &&
           !(range.at_least && number < *range.at_least) &&
           !(range.below && number >= *range.below) && !(range.at_most && number > *range.at_most);
}

bool allows(const Model& model, const AttributeConditions& filter, std::uint32_t row) {
    const auto text_of = [&](const AttributeCondition& condition) {
        return (*find_attribute(model, condition.attribute))[row];
    };
    for (const AttributeCondition& condition : filter.must) {
        if (!holds(condition, text_of(condition))) {
            return false;
        }
    }
    for (const AttributeCondition& condition : filter.must_not) {
        if (holds(condition, text_of(condition))) {
            return false;
        }
    }
    return true;
}

/// The answer has what the conditions allow and nothing else.
void expect_answer_of(const RefinedQuery& query, const serve::ServedModel& served) {
    const Result<RefinedAnswer> answer = served.answers().answer(query);
    if (!answer.ok()) {
        return;
    }
    require(answer->results.size() <= query.query.k, "no more results than were asked for");
    std::vector<std::uint32_t> rows;
    for (const ScoredRow& result : answer->results) {
        require(allows(served.model(), query.filter, result.item_row),
                "a result fulfils the filter");
        rows.push_back(result.item_row);
    }
    std::sort(rows.begin(), rows.end());
    require(std::adjacent_find(rows.begin(), rows.end()) == rows.end(), "an item is offered once");
    RefinedQuery all = query;
    all.filter = {};
    all.query.k = kNumItems;
    all.cap.reset();
    all.mmr = 0;
    const Result<RefinedAnswer> unfiltered = served.answers().answer(all);
    if (unfiltered.ok() && !query.cap) {
        const auto num_allowed = static_cast<std::size_t>(std::count_if(
            unfiltered->results.begin(), unfiltered->results.end(), [&](const ScoredRow& row) {
                return allows(served.model(), query.filter, row.item_row);
            }));
        require(rows.size() == std::min(query.query.k, num_allowed),
                "nothing that fulfils the filter is missing");
    }
}

}  // namespace

void filter(std::span<const std::uint8_t> input) {
    static const serve::ServedModel served({"m", 1}, model_with_attributes());
    serve::JsonInput json;
    const auto object =
        json.parse_object({reinterpret_cast<const char*>(input.data()), input.size()});
    if (!object.ok()) {
        return;
    }
    const Result<serve::ApiQuery> query = serve::read_query(*object);
    if (!query.ok()) {
        return;
    }
    const AttributeConditions& conditions = query->refined.filter;
    const Result<AttributeFilter> compiled = AttributeFilter::compile(served.model(), conditions);
    for (std::uint32_t row = 0; compiled.ok() && row < kNumItems; ++row) {
        require(compiled->allows(row) == allows(served.model(), conditions, row),
                "a filter means what it says");
    }
    expect_answer_of(query->refined, served);
}

}  // namespace segue::fuzz
