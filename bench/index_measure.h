#pragma once

// Timing of searches the way bench/peers/index_run_peer.py times those of the peers: CPU time of
// the process, query by query, on one core.

#include <cstdint>
#include <functional>
#include <vector>

#include "base/json_writer.h"

namespace segue::bench {

/// CPU nanoseconds this process has used.
std::int64_t process_cpu_ns();

/// Keeps this thread, and those it starts, on one core. Does nothing where that is not allowed.
void pin_to_core(int core);

/// Bytes of memory this process holds.
std::size_t resident_bytes();

/// CPU nanoseconds of each of some calls, and wall nanoseconds of all of them.
struct SingleTimes {
    std::vector<std::int64_t> cpu_ns;
    double wall_ns = 0;

    double mean_us() const;
    /// share in [0, 1]
    double percentile_us(double share) const;
};

/// Calls work(i) for i in [0, count) until `seconds` are used, at least for 200.
SingleTimes time_calls(std::size_t count, double seconds,
                       const std::function<void(std::size_t)>& work);

/// What the clock itself adds to each call, in microseconds.
double clock_cost_us();

/// CPU and wall microseconds of one of `count` queries that work() answers, the best of the calls
/// that fit in `seconds`.
struct BatchTimes {
    double cpu_us = 0;
    double wall_us = 0;
};
BatchTimes time_batch(std::size_t count, double seconds, const std::function<void()>& work);

/// Writes {"mean_us":..,"p50_us":..,"p99_us":..,"wall_mean_us":..,"num_queries":..}.
void write_times(const SingleTimes& times, JsonWriter& json);
void write_times(const BatchTimes& times, JsonWriter& json);

}  // namespace segue::bench
