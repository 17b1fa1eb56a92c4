#pragma once

// The native query: from the members of a JSON object to what is asked, whatever route it came by.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "recommend/refined_answers.h"
#include "serve/json_input.h"

namespace segue::serve {

inline constexpr std::size_t kMaxResults = 1000;
inline constexpr std::size_t kMaxKeys = 1000;
inline constexpr std::size_t kMaxExclusions = 10'000;
inline constexpr std::size_t kMaxQueriesOfBatch = 256;
inline constexpr std::size_t kMaxConditions = 32;
inline constexpr std::size_t kMaxFields = 32;
inline constexpr std::size_t kMaxTimeoutMs = 600'000;
/// Of leaves to search and candidates to rescore.
inline constexpr std::size_t kMaxSearchKnob = 100'000;
inline constexpr std::size_t kMaxVectorNumbers = 65'536;
/// Evidence is looked for between every result and every one of these.
inline constexpr std::size_t kMaxEvidenceItems = 16;

/// What is asked, and what is said about each result.
struct ApiQuery {
    RefinedQuery refined;
    std::vector<std::string> fields;  // attributes
    bool evidence = false;
    std::optional<std::chrono::milliseconds> timeout;  // of the request, see set_deadline

    /// Whether it asks for what is stored of a group, which needs a scope of its own.
    bool asks_of_group() const { return refined.query.group_key.has_value(); }
    /// As new, with the memory of its lists and their texts kept.
    void clear();
    /// Adds an item to those asked about, in memory that clear() kept.
    Query::Item& add_item();

private:
    std::vector<Query::Item> spare_items_;
};

/// Reads a native query in place of what was in `query`; docs/http_api.md has its members. Returns
/// an error if: a member is unknown, occurs twice, has another type, or is beyond a limit above.
Status read_query(const JsonObject& object, ApiQuery& query);
/// Likewise, in memory of its own.
Result<ApiQuery> read_query(const JsonObject& object);

}  // namespace segue::serve
