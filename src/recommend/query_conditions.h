#pragma once

// The conditions of a refined query, bound to a model.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/model.h"
#include "recommend/attribute_filter.h"
#include "recommend/diversify.h"
#include "recommend/refined_answers.h"

namespace segue {

/// The rows of the keys that the model knows, distinct, ascending.
std::vector<std::uint32_t> known_rows(const Model& model, const std::vector<std::string>& keys);

/// Which items may be offered. Views what it is made of.
struct Conditions {
    AttributeFilter filter;
    bool has_filter = false;
    std::optional<std::vector<std::uint32_t>> within;  // ascending
    Diversity diversity;

    bool narrow() const { return has_filter || within.has_value(); }
    /// What fulfils them, where the items themselves are named.
    std::vector<std::uint32_t> rows_within() const {
        std::vector<std::uint32_t> rows = *within;
        std::erase_if(rows,
                      [this](std::uint32_t row) { return has_filter && !filter.allows(row); });
        return rows;
    }
    /// How many candidates are wanted of which k are chosen.
    std::size_t num_candidates() const;
    /// Whether the best candidates are the answer.
    bool are_none() const { return !narrow() && !diversity.cap && diversity.mmr == 0; }
    bool allows(std::uint32_t row) const {
        return (!within || std::binary_search(within->begin(), within->end(), row)) &&
               (!has_filter || filter.allows(row));
    }
};

/// Returns an error if: RefinedAnswers::answer says so of a condition.
Result<Conditions> bind_conditions(const Model& model, const RefinedQuery& query);

}  // namespace segue
