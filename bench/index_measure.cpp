#include "index_measure.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <limits>
#include <numeric>

#include "base/quantile.h"
#include "base/stopwatch.h"

namespace segue::bench {

std::int64_t process_cpu_ns() {
    timespec time = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void pin_to_core(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<unsigned>(core), &cores);
    static_cast<void>(sched_setaffinity(0, sizeof(cores), &cores));
}

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

double SingleTimes::mean_us() const {
    const auto sum = std::accumulate(cpu_ns.begin(), cpu_ns.end(), std::int64_t{0});
    return 1e-3 * static_cast<double>(sum) / static_cast<double>(cpu_ns.size());
}

double SingleTimes::percentile_us(double share) const {
    std::vector<std::int64_t> sorted = cpu_ns;
    std::sort(sorted.begin(), sorted.end());
    return 1e-3 * quantile(sorted, share);
}

SingleTimes time_calls(std::size_t count, double seconds,
                       const std::function<void(std::size_t)>& work) {
    constexpr std::size_t kLeastCalls = 200;
    SingleTimes times;
    times.cpu_ns.reserve(count);
    const Stopwatch watch;
    std::int64_t spent = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t before = process_cpu_ns();
        work(i);
        times.cpu_ns.push_back(process_cpu_ns() - before);
        spent += times.cpu_ns.back();
        if (static_cast<double>(spent) > seconds * 1e9 && i + 1 >= kLeastCalls) {
            break;
        }
    }
    times.wall_ns = watch.seconds() * 1e9;
    return times;
}

double clock_cost_us() {
    return time_calls(20'000, 1, [](std::size_t) {}).mean_us();
}

BatchTimes time_batch(std::size_t count, double seconds, const std::function<void()>& work) {
    BatchTimes best{std::numeric_limits<double>::infinity(),
                    std::numeric_limits<double>::infinity()};
    double spent = 0;
    while (spent < seconds) {
        const Stopwatch watch;
        const std::int64_t before = process_cpu_ns();
        work();
        const double cpu = 1e-9 * static_cast<double>(process_cpu_ns() - before);
        spent += cpu;
        best.cpu_us = std::min(best.cpu_us, 1e6 * cpu / static_cast<double>(count));
        best.wall_us = std::min(best.wall_us, 1e6 * watch.seconds() / static_cast<double>(count));
    }
    return best;
}

void write_times(const SingleTimes& times, JsonWriter& json) {
    json.begin_object().key("mean_us").value(times.mean_us());
    json.key("p50_us").value(times.percentile_us(0.5));
    json.key("p99_us").value(times.percentile_us(0.99));
    json.key("wall_mean_us").value(1e-3 * times.wall_ns / static_cast<double>(times.cpu_ns.size()));
    json.key("num_queries").value(static_cast<std::uint64_t>(times.cpu_ns.size())).end_object();
}

void write_times(const BatchTimes& times, JsonWriter& json) {
    json.begin_object().key("mean_us").value(times.cpu_us);
    json.key("wall_mean_us").value(times.wall_us).end_object();
}

}  // namespace segue::bench
