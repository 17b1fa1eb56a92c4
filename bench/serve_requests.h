#pragma once

// The questions that servers are measured with, in each server's words.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "load_generator.h"
#include "recommend/refined_answers.h"
#include "serve_data.h"

namespace segue::bench {

/// Numbers below a bound, small ones far more often, as Zipf has it.
class PopularNumbers {
public:
    PopularNumbers(std::size_t bound, std::uint64_t seed) : bound_(bound), random_(seed) {}
    std::size_t next();

private:
    std::size_t bound_;
    Random random_;
};

/// What requests are made of.
struct RequestSource {
    std::size_t num_items = 0;
    std::vector<float> vectors;  // [num_items x kServeDim]; may be empty where none is sent
    std::string path;            // of a server whose paths are made when it starts
    std::uint32_t leaves = 0;    // of the index, for questions that pass the table by
    std::uint32_t candidates = 0;
};

struct RequestKind {
    std::string_view name;
    std::string_view what;  // for people
};

/// "null", "table", "index", ... of Segue; "blueprint-...", "chroma-..." of the others.
std::span<const RequestKind> request_kinds();

/// Writes requests of a kind. Returns an error if: there is no such kind.
Result<NextRequest> requests_of(std::string_view kind, const RequestSource& source,
                                std::uint64_t seed);

/// The same question as a query, for those kinds of Segue that search; nothing for others.
std::optional<std::function<RefinedQuery()>> queries_of(std::string_view kind,
                                                        const RequestSource& source,
                                                        std::uint64_t seed);

}  // namespace segue::bench
