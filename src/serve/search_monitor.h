#pragma once

// What answering costs, where answers come from, and how good those of the index are: a bounded
// sample of real queries is answered once more, exactly, by a thread of low priority.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "serve/metrics.h"
#include "serve/served_model.h"

namespace segue::serve {

/// Bounds of a share: 95 % confidence.
struct ShareInterval {
    double low = 0;
    double high = 1;
};

/// Wilson's interval around the mean of `num_samples` numbers from 0 to 1. They vary no more than
/// if each were 0 or 1, which it allows for: it is never too narrow. 0 to 1 without samples.
ShareInterval wilson_interval(double mean, std::size_t num_samples);

struct SearchMonitorOptions {
    /// Between two samples, at least.
    std::chrono::milliseconds sample_interval{100};
    /// After a sample that took t, rests of gentle work included, the next is not before this times
    /// t: a twenty-fifth of one core at most.
    unsigned rest_factor = 4;
    /// Recall is of so many newest samples of a version.
    std::size_t window = 1000;
};

/// Thread-safe but for the destructor.
class SearchMonitor {
public:
    explicit SearchMonitor(const SearchMonitorOptions& options = {});
    ~SearchMonitor();
    SearchMonitor(const SearchMonitor&) = delete;
    SearchMonitor& operator=(const SearchMonitor&) = delete;

    /// Counts an answer; copies it and its query now and then, when it came from an index. Waits
    /// for nobody. Whether it was copied.
    bool observe(const ServedModel& served, const RefinedQuery& query, const RefinedAnswer& answer,
                 double seconds);
    /// rec_search_*; forgets samples of versions that the registry does not serve any more.
    void write(const ModelRegistry& registry, MetricsText& text);

private:
    enum Source { kNeighbours, kIndex, kExact, kPopular, kNumSources };
    /// Counts of some threads, on cache lines of their own.
    struct alignas(64) Stripe {
        struct Counts {
            std::atomic<std::uint64_t> buckets[kDurationBuckets.size() + 1] = {};
            std::atomic<std::uint64_t> nanoseconds = 0;
        };
        Counts by_source[kNumSources];
    };
    struct Sample {
        ModelSnapshot served;
        RefinedQuery query;
        std::vector<ScoredRow> found;
    };
    /// Recall of the newest samples of one version that asked for so many results.
    struct Recall {
        std::deque<double> newest;
        double sum = 0;
        std::uint64_t num_samples = 0;
    };
    struct RecallKey {
        std::string name;
        std::uint64_t version = 0;
        std::size_t k = 0;

        bool operator<(const RecallKey& other) const {
            return std::tie(name, version, k) < std::tie(other.name, other.version, other.k);
        }
    };

    static Source source_of(const RefinedAnswer& answer);
    bool offer_sample(const ServedModel& served, const RefinedQuery& query,
                      const RefinedAnswer& answer);
    void run();
    void judge(const Sample& sample);
    void write_counts(MetricsText& text) const;
    void write_recalls(MetricsText& text) const;

    const SearchMonitorOptions options_;
    std::unique_ptr<Stripe[]> stripes_;
    std::atomic<std::int64_t> next_sample_ns_ = 0;  // of the steady clock
    std::mutex mutex_;                              // of the two below
    std::condition_variable wake_;
    std::unique_ptr<Sample> waiting_;
    std::atomic<bool> is_stopping_ = false;
    mutable std::mutex recalls_mutex_;  // of the one below
    std::map<RecallKey, Recall> recalls_;
    std::thread thread_;
};

}  // namespace segue::serve
