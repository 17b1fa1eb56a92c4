#pragma once

// Requests in the JSON of Vertex AI Vector Search: restricts are conditions on attributes, crowding
// is a cap on one.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "recommend/refined_answers.h"
#include "serve/json_input.h"
#include "serve/served_model.h"

namespace segue::serve {

struct NeighborQuery {
    std::string id;
    RefinedQuery refined;
    /// Of the tree: 0 for as calibrated.
    double leaf_fraction = 0;
    std::uint32_t num_candidates = 0;
};

struct NeighborQueries {
    std::vector<NeighborQuery> queries;
    bool wants_full_datapoints = false;

    bool asks_of_group() const { return false; }
};

struct DatapointIds {
    std::vector<std::string> ids;

    bool asks_of_group() const { return false; }
};

/// The body of findNeighbors. Returns an error if: a member is unknown, occurs twice, has another
/// type or is beyond a limit of query_json.h, or deployedIndexId is not the model's name.
Result<NeighborQueries> read_neighbor_queries(const JsonObject& object, const ServedModel& served);

/// The body of readIndexDatapoints; errors likewise.
Result<DatapointIds> read_datapoint_ids(const JsonObject& object, const ServedModel& served);

}  // namespace segue::serve
