#include "recommend/attribute_filter.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"

namespace segue {

namespace {

bool is_within(const AttributeCondition::Range& range, double number) {
    return (!range.above || number > *range.above) &&
           (!range.at_least || number >= *range.at_least) &&
           (!range.below || number < *range.below) && (!range.at_most || number <= *range.at_most);
}

Status check_condition(const AttributeCondition& condition) {
    const int kinds =
        (condition.in ? 1 : 0) + (condition.range ? 1 : 0) + (condition.prefix ? 1 : 0);
    if (kinds != 1) {
        return invalid_argument(
            fmt::format("a condition on '{}' must be one of in, range and prefix, found {} of them",
                        shortened(condition.attribute), kinds));
    }
    if (!condition.range) {
        return Status();
    }
    const AttributeCondition::Range& range = *condition.range;
    const std::array<std::optional<double>, 4> bounds = {range.above, range.at_least, range.below,
                                                         range.at_most};
    bool has_bound = false;
    for (const std::optional<double>& bound : bounds) {
        if (bound && !std::isfinite(*bound)) {
            return invalid_argument(fmt::format("a bound on '{}' is not a finite number",
                                                shortened(condition.attribute)));
        }
        has_bound = has_bound || bound.has_value();
    }
    if (!has_bound) {
        return invalid_argument(
            fmt::format("the range on '{}' has no bound", shortened(condition.attribute)));
    }
    return Status();
}

}  // namespace

Result<StringTableView> find_attribute(const Model& model, std::string_view name) {
    const std::vector<std::string>& names = model.attribute_names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) {
        return model.attribute(static_cast<std::size_t>(found - names.begin()));
    }
    constexpr std::size_t kNamed = 10;
    std::string known;
    for (std::size_t place = 0; place < std::min(kNamed, names.size()); ++place) {
        known += fmt::format("{}'{}'", place == 0 ? "; it has " : ", ", shortened(names[place]));
    }
    return invalid_argument(fmt::format("the model has no attribute '{}'{}", shortened(name),
                                        names.empty() ? "; it has none at all" : known));
}

Status AttributeFilter::add(const Model& model, const AttributeCondition& condition, bool wanted) {
    if (Status status = check_condition(condition); !status.ok()) {
        return status;
    }
    const Result<StringTableView> column = find_attribute(model, condition.attribute);
    if (!column.ok()) {
        return column.status();
    }
    Bound bound = {*column, condition, wanted};
    if (bound.condition.in) {
        std::sort(bound.condition.in->begin(), bound.condition.in->end());
    }
    bounds_.push_back(std::move(bound));
    return Status();
}

Result<AttributeFilter> AttributeFilter::compile(const Model& model,
                                                 const AttributeConditions& conditions) {
    AttributeFilter filter;
    for (const AttributeCondition& condition : conditions.must) {
        if (Status status = filter.add(model, condition, true); !status.ok()) {
            return status;
        }
    }
    for (const AttributeCondition& condition : conditions.must_not) {
        if (Status status = filter.add(model, condition, false); !status.ok()) {
            return status;
        }
    }
    return filter;
}

bool AttributeFilter::holds(const Bound& bound, std::string_view text) {
    if (text.empty()) {
        return false;
    }
    const AttributeCondition& condition = bound.condition;
    if (condition.in) {
        return std::binary_search(condition.in->begin(), condition.in->end(), text,
                                  std::less<std::string_view>());
    }
    if (condition.range) {
        const std::optional<double> number = parse_double(text);
        return number && is_within(*condition.range, *number);
    }
    return text.starts_with(*condition.prefix);
}

bool AttributeFilter::allows(std::uint32_t item_row) const {
    return std::all_of(bounds_.begin(), bounds_.end(), [&](const Bound& bound) {
        return holds(bound, bound.column[item_row]) == bound.wanted;
    });
}

std::string key_of(const AttributeConditions& conditions) {
    std::string key;
    const auto add_text = [&key](std::string_view text) {
        key += fmt::format("{}:{}", text.size(), text);
    };
    const auto add_bound = [&key](const std::optional<double>& bound) {
        key += bound ? fmt::format("{},", *bound) : "-,";
    };
    for (const std::vector<AttributeCondition>* list : {&conditions.must, &conditions.must_not}) {
        key += fmt::format("({}", list->size());
        for (const AttributeCondition& condition : *list) {
            add_text(condition.attribute);
            if (condition.in) {
                key += fmt::format("in{}", condition.in->size());
                for (const std::string& text : *condition.in) {
                    add_text(text);
                }
            } else if (condition.range) {
                key += "range";
                add_bound(condition.range->above);
                add_bound(condition.range->at_least);
                add_bound(condition.range->below);
                add_bound(condition.range->at_most);
            } else if (condition.prefix) {
                key += "prefix";
                add_text(*condition.prefix);
            }
        }
    }
    return key;
}

}  // namespace segue
