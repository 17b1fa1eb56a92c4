#pragma once

// What benchmarks that repeat a call share.

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <vector>

#include "machine_limits.h"

namespace segue::bench {

/// Requires: there are values.
inline double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
}

/// CPU seconds of this thread.
inline double seconds_of(const std::function<void()>& work) {
    const double start = thread_cpu_seconds();
    work();
    return thread_cpu_seconds() - start;
}

/// The number at a place of the command line, where there is one.
inline std::size_t number_at(int argc, char** argv, int at, std::size_t otherwise) {
    return argc > at ? static_cast<std::size_t>(std::strtoull(argv[at], nullptr, 10)) : otherwise;
}

}  // namespace segue::bench
