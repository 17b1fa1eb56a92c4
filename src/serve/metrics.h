#pragma once

// What the service counts, and the text Prometheus reads (format 0.0.4).

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.h"
#include "serve/model_registry.h"

namespace segue::serve {

/// Upper ends of the buckets of every histogram of durations, in seconds.
inline constexpr std::array<double, 14> kDurationBuckets = {
    25e-6, 50e-6, 100e-6, 200e-6, 400e-6, 700e-6, 1e-3, 1.5e-3, 2e-3, 5e-3, 10e-3, 50e-3, 0.1, 1};

/// Builds the text: a family's lines stand together, labels are escaped.
class MetricsText {
public:
    /// Begins a family; `type` is counter, gauge or histogram.
    void family(std::string_view name, std::string_view type, std::string_view help);
    /// A line of the family: its name, `suffix`, {labels} as written by label(), the value.
    void sample(std::string_view suffix, std::string_view labels, double value);
    std::string take() { return std::move(text_); }

    /// name="value", escaped; a comma before it unless `labels` is empty.
    static void add_label(std::string& labels, std::string_view name, std::string_view value);

private:
    std::string text_;
    std::string name_;
};

/// Which of the buckets, or kDurationBuckets.size() beyond all of them.
std::size_t duration_bucket(double seconds);

/// How often something took how long. A value.
struct DurationCounts {
    std::array<std::uint64_t, kDurationBuckets.size() + 1> buckets{};  // the last beyond all ends
    double seconds = 0;                                                // of all together

    void add(double each_seconds);
    void add(const DurationCounts& others);
    std::uint64_t count() const;
};

/// The lines of a histogram of the family at hand.
void write_durations(const std::string& labels, const DurationCounts& durations, MetricsText& text);

/// Counts requests; each worker has counters of its own, summed when somebody looks. Thread-safe.
class RequestMetrics {
public:
    explicit RequestMetrics(unsigned num_workers);
    ~RequestMetrics();

    /// Requires: `route` lives as long as *this (a literal).
    void count(std::string_view route, int status, double seconds, unsigned worker);
    void write(MetricsText& text) const;

private:
    struct Worker;
    std::vector<std::unique_ptr<Worker>> workers_;
};

/// rec_model_*: one line for each version.
void write_model_metrics(const ModelRegistry& registry, MetricsText& text);
/// rec_inflight, rec_connections, rec_shed_total and the other counts of the server.
void write_server_metrics(const HttpServerCounts& counts, MetricsText& text);
/// Of this process; 0 where the system does not say.
std::uint64_t resident_memory_bytes();
/// process_*: CPU, memory, open files, start.
void write_process_metrics(MetricsText& text);

}  // namespace segue::serve
