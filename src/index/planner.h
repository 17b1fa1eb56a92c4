#pragma once

#include <cstddef>

#include "index/leaf_index.h"

namespace segue {

/// What the choice of a path depends on.
struct PlannedSearch {
    std::size_t num_items = 0;
    std::size_t num_leaves = 1;
    bool has_codes = false;
    /// Queries of the call.
    std::size_t num_queries = 1;
    std::size_t k = 10;
    /// Items that pass the filter; num_items without one.
    std::size_t num_allowed = 0;
    /// As asked, or calibrated; zeros where neither says.
    TreeKnobs knobs = {};
    /// What calibration found best for single queries without a filter; kAuto: nothing.
    SearchPath calibrated = SearchPath::kAuto;
};

/// The path of a search that asks for none: kExact or kTree.
SearchPath plan_search(const PlannedSearch& search);

}  // namespace segue
