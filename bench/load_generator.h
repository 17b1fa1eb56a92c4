#pragma once

// Requests to a server on this machine, over connections that stay open, and how long the answers
// took. Closed loop: each connection asks again when it is answered, which finds the throughput at
// saturation. Open loop: requests are due at fixed times whatever the server does, and an answer's
// time is counted from when its request was due, so that waiting for a slow server is not hidden.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace segue::bench {

struct LoadPlan {
    std::uint16_t port = 0;
    std::size_t num_connections = 32;
    double seconds = 3;
    double rate = 0;  // requests a second; 0 for a closed loop
};

struct LoadResult {
    std::uint64_t num_answers = 0;
    std::uint64_t num_failures = 0;    // other than 200, and connections that broke
    double seconds = 0;                // until the last answer
    std::vector<double> microseconds;  // of each answer, sorted
    double max_lag_microseconds = 0;   // by which the generator itself was late
    double generator_cpu_seconds = 0;

    double rate() const { return static_cast<double>(num_answers) / seconds; }
    /// Of the answers' times; `share` 0.5 is the median. 0 without answers.
    double quantile(double share) const;
};

/// Runs a plan; `next_request` writes the bytes of a request in place of what is in the text.
/// An empty result (no answers) when no connection can be made.
LoadResult run_load(const LoadPlan& plan, const std::function<void(std::string&)>& next_request);

}  // namespace segue::bench
