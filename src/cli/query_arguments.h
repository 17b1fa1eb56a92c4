#pragma once

// The flags that ask a model a question, and how they become a Query.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/console.h"
#include "cli/options.h"
#include "recommend/recommend.h"

namespace segue::cli {

struct QueryArguments {
    std::vector<std::string> items;
    std::vector<std::string> titles;
    std::vector<std::string> groups;
    std::vector<std::string> vector_files;
    std::vector<std::string> exclude;
    std::uint64_t k = 10;
    std::optional<double> popularity_exponent;
    std::optional<double> min_score;
    std::string combine = "sum";
    bool exact = false;
    std::optional<std::uint32_t> leaves;
    std::optional<std::uint32_t> candidates;

    void declare(Options& options);
    /// Returns an error if: nothing is asked, or two ways to search are.
    Status check() const;
};

struct ResolvedQuery {
    Query query;
    /// The known items asked about one by one (not those of groups), in the order asked.
    std::vector<std::uint32_t> item_rows;
};

/// Finds the items behind titles, reads vectors from files, joins several groups into one history.
/// Returns an error if: no item has such a title (near ones become the console's hint), a group is
/// unknown among several, or a file holds no vector of numbers.
Result<ResolvedQuery> resolve(const QueryArguments& arguments, const Model& model,
                              const Recommender& recommender, Console& console);

/// Numbers between white space or commas, with or without [ ] around them, so that JSON arrays and
/// lines of text both do. Returns an error if: the file cannot be read or holds anything else;
/// names the place.
Result<std::vector<float>> read_vector_file(const std::string& path);

}  // namespace segue::cli
