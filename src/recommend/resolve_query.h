#pragma once

// From what was asked, in keys, to what is searched for, in rows: the one place where a Query is
// checked.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/model.h"
#include "recommend/recommend.h"

namespace segue {

/// An item of a query and how much it counts.
struct WeightedItem {
    std::uint32_t item_row = 0;
    float weight = 1;
};

/// A checked Query in rows of one model. Views the query, which must outlive it.
struct ResolvedQuery {
    std::vector<WeightedItem> items;  // distinct, in the order asked; weights of repeats are added
    std::optional<std::uint32_t> group_row;
    std::vector<std::uint32_t> history;   // distinct, ascending
    std::span<const float> vector;        // [dim] or empty
    std::vector<std::uint32_t> excluded;  // distinct, ascending; the query's own items among them
    std::vector<std::string> unknown;     // each once, in the order asked
    std::size_t k = 0;                    // at most num_items
    std::optional<double> popularity_exponent;
    bool offer_query_items = false;
    SearchChoice search;
    const OfferedItems* offered = nullptr;  // as in Query

    /// Whether the query is one item and nothing else, so that a stored list may answer it.
    bool is_one_item() const {
        return items.size() == 1 && !group_row && history.empty() && vector.empty() &&
               !offer_query_items;
    }
};

/// Popularity exponents beyond this are refused: powers of frequencies would overflow.
inline constexpr double kMaxPopularityExponent = 4;

/// Puts the query in place of what was in `resolved`, whose memory is kept. Returns an error if:
/// Recommender::answer says so.
Status resolve_query(const Model& model, const Query& query, ResolvedQuery& resolved);
/// Likewise, in memory of its own.
Result<ResolvedQuery> resolve_query(const Model& model, const Query& query);

/// Returns an error if: the model has no vectors to search for, or no index for that choice.
Status check_search_choice(const Model& model, const SearchChoice& choice);

/// Returns an error if: the exponent is not finite or beyond kMaxPopularityExponent.
Status check_popularity_exponent(const std::optional<double>& exponent);

}  // namespace segue
