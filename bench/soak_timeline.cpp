#include "soak_timeline.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "base/json_writer.h"
#include "base/stopwatch.h"

namespace segue::bench {
namespace {

using std::chrono::duration;

/// A second in which fewer of the answers came than this share of the requests that fell due.
constexpr double kEnough = 0.95;

double ticks_to_seconds(double ticks) {
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// What a process did; zeros once it is gone.
void read_process(pid_t process, CpuReading& reading) {
    std::ifstream file(fmt::format("/proc/{}/stat", process));
    std::string line;
    std::getline(file, line);
    // Numbers from the third on follow the name, which may hold anything.
    std::istringstream words(line.substr(std::min(line.rfind(')') + 1, line.size())));
    constexpr int kBeforeFaults = 9;
    std::string skipped;
    for (int word = 0; word < kBeforeFaults; ++word) {
        words >> skipped;
    }
    double user = 0;
    double system = 0;
    words >> reading.disk_reads >> skipped >> user >> system;
    reading.server = ticks_to_seconds(user + system);
}

CpuReading read_cpu(pid_t server) {
    CpuReading reading;
    reading.time = std::chrono::steady_clock::now();
    read_process(server, reading);
    reading.generator = process_cpu_seconds();
    std::ifstream file("/proc/stat");
    std::string name;
    double user = 0;
    double nice = 0;
    double system = 0;
    double idle = 0;
    double waiting = 0;
    double interrupts = 0;
    double soft_interrupts = 0;
    double stolen = 0;
    file >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts >>
        stolen;
    reading.busy = ticks_to_seconds(user + nice + system + interrupts + soft_interrupts);
    reading.stolen = ticks_to_seconds(stolen);
    return reading;
}

/// What else was going on, on average, in seconds of one kind.
std::string others_in(const std::vector<SoakSecond>& seconds, bool behind) {
    double others = 0;
    double stolen = 0;
    double disk_reads = 0;
    std::size_t count = 0;
    for (const SoakSecond& second : seconds) {
        if (second.fell_behind() == behind) {
            others += second.others_cpu;
            stolen += second.stolen_cpu;
            disk_reads += second.disk_reads;
            ++count;
        }
    }
    const auto seconds_of_kind = static_cast<double>(std::max<std::size_t>(1, count));
    return fmt::format("{:.0f} % of a core used by others, {:.0f} % stolen, {:.0f} pages from disk",
                       100 * others / seconds_of_kind, 100 * stolen / seconds_of_kind,
                       disk_reads / seconds_of_kind);
}

std::string to_json(const std::vector<SoakSecond>& seconds) {
    JsonWriter json;
    json.begin_array();
    for (const SoakSecond& second : seconds) {
        json.begin_object().key("begin").value(static_cast<float>(second.begin));
        json.key("due").value(static_cast<std::uint64_t>(second.num_due));
        json.key("answers").value(static_cast<std::uint64_t>(second.num_answers));
        json.key("p99_us").value(static_cast<float>(second.p99_us));
        json.key("worst_us").value(static_cast<float>(second.worst_us));
        json.key("server_cpu").value(static_cast<float>(second.server_cpu));
        json.key("generator_cpu").value(static_cast<float>(second.generator_cpu));
        json.key("others_cpu").value(static_cast<float>(second.others_cpu));
        json.key("stolen_cpu").value(static_cast<float>(second.stolen_cpu));
        json.key("disk_reads").value(static_cast<float>(second.disk_reads)).end_object();
    }
    return json.end_array().take();
}

}  // namespace

CpuWatch::CpuWatch(pid_t server) : server_(server), thread_([this] { run(); }) {}

CpuWatch::~CpuWatch() {
    take();
}

void CpuWatch::run() {
    readings_.push_back(read_cpu(server_));
    while (!is_over_) {
        const SteadyTime begin = readings_.back().time;
        while (!is_over_ && seconds_since(begin) < 1) {
            sleep_seconds(0.02);
        }
        readings_.push_back(read_cpu(server_));
    }
}

std::vector<CpuReading> CpuWatch::take() {
    is_over_ = true;
    if (thread_.joinable()) {
        thread_.join();
    }
    return std::move(readings_);
}

bool SoakSecond::fell_behind() const {
    return static_cast<double>(num_answers) < kEnough * static_cast<double>(num_due);
}

std::vector<SoakSecond> seconds_of(const LoadResult& result,
                                   const std::vector<CpuReading>& readings) {
    std::vector<SoakSecond> seconds;
    std::vector<double> ends;
    for (std::size_t place = 1; place < readings.size(); ++place) {
        const CpuReading& before = readings[place - 1];
        const CpuReading& after = readings[place];
        const double length = std::max(1e-3, duration<double>(after.time - before.time).count());
        SoakSecond& second = seconds.emplace_back();
        second.begin = duration<double>(before.time - result.began).count();
        second.server_cpu = (after.server - before.server) / length;
        second.generator_cpu = (after.generator - before.generator) / length;
        second.disk_reads = after.disk_reads - before.disk_reads;
        second.stolen_cpu = (after.stolen - before.stolen) / length;
        // The kernel counts the whole of the machine in coarser steps than one process.
        second.others_cpu = std::max(
            0.0, (after.busy - before.busy) / length - second.server_cpu - second.generator_cpu);
        ends.push_back(duration<double>(after.time - result.began).count());
    }
    std::vector<std::vector<float>> times(seconds.size());
    const auto second_at = [&](double when) {
        return static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), when) -
                                        ends.begin());
    };
    for (const AnswerTime& time : result.times) {
        const auto due = static_cast<double>(time.due_seconds);
        const std::size_t asked = second_at(due);
        const std::size_t answered = second_at(due + 1e-6 * static_cast<double>(time.microseconds));
        if (asked < seconds.size()) {
            ++seconds[asked].num_due;
            times[asked].push_back(time.microseconds);
        }
        if (answered < seconds.size()) {
            ++seconds[answered].num_answers;
        }
    }
    for (std::size_t place = 0; place < seconds.size(); ++place) {
        std::sort(times[place].begin(), times[place].end());
        seconds[place].p99_us = quantile(times[place], 0.99);
        seconds[place].worst_us = times[place].empty() ? 0 : times[place].back();
    }
    return seconds;
}

SoakRow row_of_seconds(const std::vector<SoakSecond>& seconds) {
    const auto behind = std::count_if(seconds.begin(), seconds.end(),
                                      [](const SoakSecond& each) { return each.fell_behind(); });
    std::string found = fmt::format("{} of {}", behind, seconds.size());
    if (behind > 0) {
        found += fmt::format(" ({}; in the rest {})", others_in(seconds, true),
                             others_in(seconds, false));
    } else {
        found += fmt::format(" ({})", others_in(seconds, false));
    }
    return {"swaps under load: seconds in which answers fell behind requests", "", found, true,
            to_json(seconds)};
}

}  // namespace segue::bench
