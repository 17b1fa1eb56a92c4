#pragma once

// The native query: from the members of a JSON object to what is asked, whatever route it came by.

#include <cstddef>
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

    /// Whether it asks for what is stored of a group, which needs a scope of its own.
    bool asks_of_group() const { return refined.query.group_key.has_value(); }
};

/// Reads a native query; docs/http_api.md has its members. Returns an error if: a member is
/// unknown, occurs twice, has another type, or is beyond a limit above.
Result<ApiQuery> read_query(const JsonObject& object);

}  // namespace segue::serve
