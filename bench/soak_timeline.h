#pragma once

// What happened second by second while a load ran: the answers, and who had the cores. It tells a
// machine that others use apart from a fault of the service.

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "soak_checks.h"
#include "soak_load.h"

namespace segue::bench {

/// Processor time until a moment, in seconds of one core.
struct CpuReading {
    SteadyTime time;
    double server = 0;
    double generator = 0;   // this process
    double busy = 0;        // all of the machine, these two included
    double stolen = 0;      // by other guests of the host
    double disk_reads = 0;  // pages the server had to wait for a disk for
};

/// Reads once a second, on a thread of its own, until take(). Not thread-safe.
class CpuWatch {
public:
    explicit CpuWatch(pid_t server);
    ~CpuWatch();
    CpuWatch(const CpuWatch&) = delete;
    CpuWatch& operator=(const CpuWatch&) = delete;

    /// One reading more than there were whole or broken seconds.
    std::vector<CpuReading> take();

private:
    void run();

    pid_t server_;
    std::atomic<bool> is_over_ = false;
    std::vector<CpuReading> readings_;
    std::thread thread_;
};

/// One second of a load. CPU as shares of one core.
struct SoakSecond {
    double begin = 0;             // from the beginning of the load
    std::size_t num_due = 0;      // requests that fell due in it
    std::size_t num_answers = 0;  // that came in it
    double p99_us = 0;            // of those due
    double worst_us = 0;
    double server_cpu = 0;
    double generator_cpu = 0;
    double others_cpu = 0;
    double stolen_cpu = 0;
    double disk_reads = 0;  // pages the server waited for

    bool fell_behind() const;
};

/// Between each two readings.
std::vector<SoakSecond> seconds_of(const LoadResult& result,
                                   const std::vector<CpuReading>& readings);

/// How many seconds fell behind what was asked, and what the others had of the cores in these and
/// in the rest; all of them as details. Judges nothing.
SoakRow row_of_seconds(const std::vector<SoakSecond>& seconds);

}  // namespace segue::bench
