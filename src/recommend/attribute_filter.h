#pragma once

// Which items may be offered by what their attributes say: category in (shoes, boots), price below
// 100, colour not purple. Vertex's allow and deny lists and numeric restricts are the same
// conditions under other names.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/string_table.h"
#include "model/model.h"

namespace segue {

/// What one attribute of an item must be like. Exactly one of the three kinds is asked for. An item
/// whose attribute is missing (an empty text) fulfils no condition.
struct AttributeCondition {
    struct Range {
        std::optional<double> above = {};     // >
        std::optional<double> at_least = {};  // >=
        std::optional<double> below = {};     // <
        std::optional<double> at_most = {};   // <=
    };

    std::string attribute;
    /// The text is one of these; an empty list is fulfilled by nothing.
    std::optional<std::vector<std::string>> in;
    /// The text is a finite decimal number within all bounds that are given.
    std::optional<Range> range;
    /// The text starts with these bytes.
    std::optional<std::string> prefix;
};

/// Items that fulfil all of `must` and none of `must_not`.
struct AttributeConditions {
    std::vector<AttributeCondition> must;
    std::vector<AttributeCondition> must_not;

    bool empty() const { return must.empty() && must_not.empty(); }
};

/// The same for conditions that are written alike, and for no others.
std::string key_of(const AttributeConditions& conditions);

/// Conditions bound to the columns of one model, which must outlive it. Immutable, thread-safe.
class AttributeFilter {
public:
    /// Returns an error if: the model has no such attribute, a condition has no kind or more than
    /// one, or a bound is not finite.
    static Result<AttributeFilter> compile(const Model& model,
                                           const AttributeConditions& conditions);

    /// Requires: the row is one of the model's.
    bool allows(std::uint32_t item_row) const;

private:
    struct Bound {
        StringTableView column;
        AttributeCondition condition;  // `in` is sorted
        bool wanted = true;
    };
    Status add(const Model& model, const AttributeCondition& condition, bool wanted);
    static bool holds(const Bound& bound, std::string_view text);

    std::vector<Bound> bounds_;
};

/// The column of an attribute. Returns an error if: the model has none of that name; the message
/// names those it has.
Result<StringTableView> find_attribute(const Model& model, std::string_view name);

}  // namespace segue
