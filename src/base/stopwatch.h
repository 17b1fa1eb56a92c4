#pragma once

#include <chrono>

namespace segue {

/// Wall-clock seconds since it was made or restarted. Not thread-safe.
class Stopwatch {
public:
    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }
    void restart() { start_ = std::chrono::steady_clock::now(); }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// CPU seconds that all threads of the process have used.
double process_cpu_seconds();

}  // namespace segue
