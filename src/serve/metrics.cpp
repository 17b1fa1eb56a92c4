#include "serve/metrics.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>

namespace segue::serve {
namespace {

struct RouteCounts {
    std::string_view route;
    std::map<int, std::uint64_t> by_status;
    DurationCounts durations;
};

std::string one_label(std::string_view name, std::string_view value) {
    std::string labels;
    MetricsText::add_label(labels, name, value);
    return labels;
}

struct Memory {
    double virtual_bytes = 0;
    double resident_bytes = 0;
};

/// Zeros where the system does not say.
Memory memory_of_process() {
    // The kernel makes this file as it is read: it cannot be mapped.
    std::ifstream file("/proc/self/statm");
    double num_pages = 0;
    double num_resident = 0;
    if (!(file >> num_pages >> num_resident)) {
        return {};
    }
    const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
    return {num_pages * page_bytes, num_resident * page_bytes};
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double unix_seconds(std::chrono::system_clock::time_point time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

std::size_t duration_bucket(double seconds) {
    return static_cast<std::size_t>(
        std::lower_bound(kDurationBuckets.begin(), kDurationBuckets.end(), seconds) -
        kDurationBuckets.begin());
}

void DurationCounts::add(double each_seconds) {
    ++buckets[duration_bucket(each_seconds)];
    seconds += each_seconds;
}

void DurationCounts::add(const DurationCounts& others) {
    for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) {
        buckets[bucket] += others.buckets[bucket];
    }
    seconds += others.seconds;
}

std::uint64_t DurationCounts::count() const {
    return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

void write_durations(const std::string& labels, const DurationCounts& durations,
                     MetricsText& text) {
    std::uint64_t num_below = 0;
    for (std::size_t bucket = 0; bucket < durations.buckets.size(); ++bucket) {
        num_below += durations.buckets[bucket];
        std::string with_end = labels;
        MetricsText::add_label(with_end, "le",
                               bucket < kDurationBuckets.size()
                                   ? fmt::format("{}", kDurationBuckets[bucket])
                                   : "+Inf");
        text.sample("_bucket", with_end, static_cast<double>(num_below));
    }
    text.sample("_sum", labels, durations.seconds);
    text.sample("_count", labels, static_cast<double>(num_below));
}

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::sample(std::string_view suffix, std::string_view labels, double value) {
    text_.append(name_).append(suffix);
    if (!labels.empty()) {
        text_.append("{").append(labels).append("}");
    }
    text_ += fmt::format(" {}\n", value);
}

void MetricsText::add_label(std::string& labels, std::string_view name, std::string_view value) {
    labels.append(labels.empty() ? "" : ",").append(name).append("=\"");
    for (const char letter : value) {
        switch (letter) {
            case '\\':
                labels += "\\\\";
                break;
            case '"':
                labels += "\\\"";
                break;
            case '\n':
                labels += "\\n";
                break;
            default:
                labels += letter;
        }
    }
    labels += '"';
}

struct RequestMetrics::Worker {
    std::mutex mutex;  // another thread takes it only when somebody looks
    std::vector<RouteCounts> routes;

    RouteCounts& of(std::string_view route) {
        for (RouteCounts& counts : routes) {
            if (counts.route.data() == route.data() || counts.route == route) {
                return counts;
            }
        }
        routes.push_back({route, {}, {}});
        return routes.back();
    }
};

RequestMetrics::RequestMetrics(unsigned num_workers) {
    for (unsigned worker = 0; worker < num_workers; ++worker) {
        workers_.push_back(std::make_unique<Worker>());
    }
}

RequestMetrics::~RequestMetrics() = default;

void RequestMetrics::count(std::string_view route, int status, double seconds, unsigned worker) {
    Worker& mine = *workers_[worker];
    const std::lock_guard<std::mutex> lock(mine.mutex);
    RouteCounts& counts = mine.of(route);
    ++counts.by_status[status];
    counts.durations.add(seconds);
}

void RequestMetrics::write(MetricsText& text) const {
    std::map<std::string_view, RouteCounts> sums;
    for (const std::unique_ptr<Worker>& worker : workers_) {
        const std::lock_guard<std::mutex> lock(worker->mutex);
        for (const RouteCounts& counts : worker->routes) {
            RouteCounts& sum = sums[counts.route];
            for (const auto& [status, number] : counts.by_status) {
                sum.by_status[status] += number;
            }
            sum.durations.add(counts.durations);
        }
    }
    text.family("rec_requests_total", "counter", "Requests answered, by route and status code.");
    for (const auto& [route, sum] : sums) {
        for (const auto& [status, number] : sum.by_status) {
            std::string labels = one_label("route", route);
            MetricsText::add_label(labels, "code", std::to_string(status));
            text.sample("", labels, static_cast<double>(number));
        }
    }
    text.family("rec_request_duration_seconds", "histogram",
                "From the last byte of a request to its answer being ready.");
    for (const auto& [route, sum] : sums) {
        write_durations(one_label("route", route), sum.durations, text);
    }
}

void write_model_metrics(const ModelRegistry& registry, MetricsText& text) {
    const std::vector<VersionReport> reports = registry.reports();
    const auto labels_of = [](const VersionReport& report) {
        std::string labels = one_label("model", report.name);
        MetricsText::add_label(labels, "version", std::to_string(report.number));
        return labels;
    };
    text.family("rec_model_version", "gauge",
                "1 for each version in its state; is_default says whether it answers by default.");
    for (const VersionReport& report : reports) {
        std::string labels = labels_of(report);
        MetricsText::add_label(labels, "state", name_of(report.state));
        MetricsText::add_label(labels, "is_default", report.is_default ? "true" : "false");
        text.sample("", labels, 1);
    }
    const double now = unix_seconds(std::chrono::system_clock::now());
    text.family("rec_model_age_seconds", "gauge", "Since a version began to answer.");
    for (const VersionReport& report : reports) {
        if (report.state == VersionState::kAvailable) {
            text.sample("", labels_of(report), now - unix_seconds(report.ready_since));
        }
    }
    text.family("rec_model_load_duration_seconds", "gauge",
                "Opening, checking and warming up a version.");
    for (const VersionReport& report : reports) {
        if (report.state == VersionState::kAvailable) {
            text.sample("", labels_of(report), report.load_seconds);
        }
    }
    text.family("rec_models_unloading", "gauge", "Replaced versions still held or unmapped.");
    text.sample("", "", static_cast<double>(registry.num_unloading()));
}

void write_server_metrics(const HttpServerCounts& counts, MetricsText& text) {
    text.family("rec_inflight", "gauge", "Requests being answered.");
    text.sample("", "", static_cast<double>(counts.num_in_flight));
    text.family("rec_connections", "gauge", "Open connections.");
    text.sample("", "", static_cast<double>(counts.num_connections));
    text.family("rec_connections_total", "counter", "Connections accepted.");
    text.sample("", "", static_cast<double>(counts.num_accepted));
    text.family("rec_refused_total", "counter", "Requests that were malformed or too large.");
    text.sample("", "", static_cast<double>(counts.num_refused));
    text.family("rec_timeouts_total", "counter", "Clients that took too long.");
    text.sample("", "", static_cast<double>(counts.num_timed_out));
    text.family("rec_shed_total", "counter", "Requests refused under overload, by reason.");
    for (std::size_t reason = 0; reason < std::size(counts.num_shed); ++reason) {
        text.sample("", one_label("reason", name_of(static_cast<ShedReason>(reason))),
                    static_cast<double>(counts.num_shed[reason]));
    }
}

std::uint64_t resident_memory_bytes() {
    return static_cast<std::uint64_t>(memory_of_process().resident_bytes);
}

void write_process_metrics(MetricsText& text) {
    rusage usage = {};
    ::getrusage(RUSAGE_SELF, &usage);
    text.family("process_cpu_seconds_total", "counter", "CPU time, user and system.");
    text.sample("", "", seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    text.family("process_page_faults_total", "counter", "Page faults by whether they read a disk.");
    text.sample("", one_label("kind", "minor"), static_cast<double>(usage.ru_minflt));
    text.sample("", one_label("kind", "major"), static_cast<double>(usage.ru_majflt));
    if (const Memory memory = memory_of_process(); memory.virtual_bytes > 0) {
        text.family("process_virtual_memory_bytes", "gauge", "Address space.");
        text.sample("", "", memory.virtual_bytes);
        text.family("process_resident_memory_bytes", "gauge", "Memory in use.");
        text.sample("", "", memory.resident_bytes);
    }
    std::error_code error;
    double num_files = 0;
    for (std::filesystem::directory_iterator file("/proc/self/fd", error), end;
         !error && file != end; file.increment(error)) {
        ++num_files;
    }
    text.family("process_open_fds", "gauge", "Open file descriptors.");
    text.sample("", "", num_files);
}

}  // namespace segue::serve
