#pragma once

// Which path a search takes that asks for none: a model of what either costs, in nanoseconds a
// query on one core. Its constants were measured on a Zen 4 server at 3.7 GHz; other machines
// change both sides alike.

#include <cstddef>

#include "index/leaf_index.h"

namespace segue {

/// What the choice of a path depends on.
struct PlannedSearch {
    std::size_t num_items = 0;
    std::size_t dim = 1;
    std::size_t num_leaves = 1;
    bool has_codes = false;
    /// Queries of the call.
    std::size_t num_queries = 1;
    std::size_t k = 10;
    /// Items that pass the filter; num_items without one.
    std::size_t num_allowed = 0;
    bool has_filter = false;
    /// Of the rows that an exact search for one vector without a filter reads.
    double exact_share = 1;
    /// As asked, or calibrated; zeros where neither says.
    TreeKnobs knobs = {};
    /// What calibration found best for single queries without a filter; kAuto: nothing.
    SearchPath calibrated = SearchPath::kAuto;
};

/// Nanoseconds of one query on the exact path.
double exact_cost(const PlannedSearch& search);

/// Nanoseconds of one query on the tree path; more for narrow filters, where the best lie in more
/// leaves.
double tree_cost(const PlannedSearch& search);

/// kExact or kTree.
SearchPath plan_search(const PlannedSearch& search);

}  // namespace segue
