#pragma once

// The rows that `./dev soak` prints: what the service promises while something happens to it, each
// with the rule it is held to.

#include <string>
#include <vector>

#include "base/status.h"

namespace segue::bench {

struct SoakPlan {
    std::string program;  // segue
    std::string folder;   // of data, bundles published and logs
    std::size_t num_items = 1'000'000;
    std::size_t list_length = 100;
    std::size_t num_swaps = 100;
    double cycle_seconds = 8;   // from one swap to the next
    double window_seconds = 8;  // of the other rows
    int num_slow_rounds = 9;    // with slow clients and without
};

struct SoakRow {
    std::string name;
    std::string rule;
    std::string found;
    bool passed = false;
    std::string details = {};  // more about it, as JSON, or nothing
};

/// New versions under load: no failure, one version an answer, the tail, memory. One row each.
Result<std::vector<SoakRow>> soak_swaps(const SoakPlan& plan);
/// A version that cannot be loaded, and going back to an old one.
Result<std::vector<SoakRow>> soak_bad_versions(const SoakPlan& plan);
/// Clients that send slowly and never finish.
Result<std::vector<SoakRow>> soak_slow_clients(const SoakPlan& plan);
/// Connections and requests beyond the limits, many a second.
Result<std::vector<SoakRow>> soak_floods(const SoakPlan& plan);
/// More requests than can be answered.
Result<std::vector<SoakRow>> soak_overload(const SoakPlan& plan);
/// The process stopped for two seconds and continued.
Result<std::vector<SoakRow>> soak_pause(const SoakPlan& plan);
/// SIGTERM under load.
Result<std::vector<SoakRow>> soak_drain(const SoakPlan& plan);

}  // namespace segue::bench
