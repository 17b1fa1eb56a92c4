#pragma once

// Requests to a server on this machine, over connections that stay open, and how long the answers
// took. Closed loop: each connection asks again when it is answered, which finds the throughput at
// saturation. Open loop: requests are due at fixed times whatever the server does, and an answer's
// time is counted from when its request was due, so that waiting for a slow server is not hidden.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantile.h"

namespace segue::bench {

struct LoadPlan {
    std::uint16_t port = 0;
    std::size_t num_connections = 32;
    double seconds = 3;
    double rate = 0;       // requests a second; 0 for a closed loop
    bool poisson = false;  // the times between requests are drawn, not equal: an open loop only
    std::uint64_t seed = 1;
};

/// One answer: when its request was due, from the beginning, and how long it took from then.
struct AnswerTime {
    float due_seconds = 0;
    float microseconds = 0;
};

/// Answers of one status, and when the first of them was due, from the beginning.
struct StatusCount {
    std::uint64_t count = 0;
    double first_seconds = 0;
};

struct LoadResult {
    std::uint64_t num_answers = 0;
    std::uint64_t num_not_ok = 0;       // answers of another status than 200
    std::map<int, StatusCount> not_ok;  // the same by status
    std::uint64_t num_broken = 0;  // connections that ended before an answer, or answered nothing
    std::uint64_t num_wrong = 0;   // answers that the check did not accept
    std::chrono::steady_clock::time_point began;
    double seconds = 0;             // from then until the last answer
    std::vector<AnswerTime> times;  // of all answers, in the order they came
    std::vector<float> lags;  // microseconds by which the generator itself was late, ascending
    double generator_cpu_seconds = 0;

    std::uint64_t num_failures() const { return num_not_ok + num_broken + num_wrong; }
    double rate() const { return static_cast<double>(num_answers) / seconds; }
};

/// The answers' microseconds, ascending.
std::vector<float> sorted_microseconds(const std::vector<AnswerTime>& times);

/// Writes the bytes of a request in place of what is in the text; what it returns is given to the
/// check of its answer.
using NextRequest = std::function<std::uint64_t(std::string& request)>;
/// Whether an answer is right: what NextRequest returned, the header and the body.
using CheckAnswer =
    std::function<bool(std::uint64_t asked, std::string_view head, std::string_view body)>;

/// Runs a plan. An empty result (no answers) when no connection can be made. A connection that the
/// server ends between two answers, or asks to close, is made again.
LoadResult run_load(const LoadPlan& plan, const NextRequest& next_request,
                    const CheckAnswer& check = {});

}  // namespace segue::bench
