#include "serve/search_monitor.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <new>

#include "base/stopwatch.h"
#include "serve/background_thread.h"

namespace segue::serve {
namespace {

using Clock = std::chrono::steady_clock;

/// More than threads that answer, mostly: two that share one are right, only slower.
constexpr std::size_t kNumStripes = 16;
constexpr std::string_view kSourceNames[] = {"neighbours", "index", "exact", "popular"};

std::int64_t nanoseconds_of(Clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

/// Lists of alike lengths are judged together: 1, 10, 100, 1000.
std::size_t length_class(std::size_t k) {
    std::size_t limit = 1;
    while (limit < k) {
        limit *= 10;
    }
    return limit;
}

/// The share of the exact list that was found. An item that is as good as the last of it counts as
/// found, as it is a matter of ties which of them are in the list.
double recall_of(const std::vector<ScoredRow>& found, const std::vector<ScoredRow>& exact,
                 bool has_cap) {
    std::vector<std::uint32_t> rows;
    rows.reserve(exact.size());
    for (const ScoredRow& row : exact) {
        rows.push_back(row.item_row);
    }
    std::sort(rows.begin(), rows.end());
    const auto num_found = static_cast<std::size_t>(
        std::count_if(found.begin(), found.end(), [&](const ScoredRow& row) {
            return (!has_cap && row.score >= exact.back().score) ||
                   std::binary_search(rows.begin(), rows.end(), row.item_row);
        }));
    return static_cast<double>(std::min(num_found, exact.size())) /
           static_cast<double>(exact.size());
}

}  // namespace

ShareInterval wilson_interval(double mean, std::size_t num_samples) {
    if (num_samples == 0) {
        return {};
    }
    constexpr double kDeviations = 1.959964;  // of 95 %
    const auto count = static_cast<double>(num_samples);
    const double square = kDeviations * kDeviations / count;
    const double middle = (mean + square / 2) / (1 + square);
    const double half =
        kDeviations / (1 + square) * std::sqrt(mean * (1 - mean) / count + square / (4 * count));
    return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

SearchMonitor::SearchMonitor(const SearchMonitorOptions& options)
    : options_(options),
      stripes_(std::make_unique<Stripe[]>(kNumStripes)),
      thread_([this] { run(); }) {}

SearchMonitor::~SearchMonitor() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        is_stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

SearchMonitor::Source SearchMonitor::source_of(const RefinedAnswer& answer) {
    const auto name = std::find(std::begin(kSourceNames), std::end(kSourceNames), answer.source);
    const auto source = static_cast<std::size_t>(name - std::begin(kSourceNames));
    return source < kNumSources ? static_cast<Source>(source) : kExact;
}

bool SearchMonitor::observe(const ServedModel& served, const RefinedQuery& query,
                            const RefinedAnswer& answer, double seconds) {
    const Source source = source_of(answer);
    const std::size_t stripe =
        std::hash<std::thread::id>()(std::this_thread::get_id()) % kNumStripes;
    Stripe::Counts& counts = stripes_[stripe].by_source[source];
    counts.buckets[duration_bucket(seconds)].fetch_add(1, std::memory_order_relaxed);
    counts.nanoseconds.fetch_add(static_cast<std::uint64_t>(seconds * 1e9),
                                 std::memory_order_relaxed);
    return source == kIndex &&
           nanoseconds_of(Clock::now()) >= next_sample_ns_.load(std::memory_order_relaxed) &&
           offer_sample(served, query, answer);
}

/// Mean relevance against difference is not what an exact search finds, so mmr is left out.
bool SearchMonitor::offer_sample(const ServedModel& served, const RefinedQuery& query,
                                 const RefinedAnswer& answer) {
    if (query.mmr > 0 || query.query.k == 0) {
        return false;
    }
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || waiting_ != nullptr || is_stopping_) {
        return false;
    }
    ModelSnapshot held = served.weak_from_this().lock();
    if (held == nullptr) {
        return false;
    }
    waiting_ = std::make_unique<Sample>(Sample{std::move(held), query, answer.results});
    // The thread sets it anew when it knows what the sample took.
    next_sample_ns_ = nanoseconds_of(Clock::time_point::max());
    wake_.notify_all();
    return true;
}

void SearchMonitor::run() {
    const GentleWork gently = make_background_thread(is_stopping_);
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return is_stopping_ || waiting_ != nullptr; });
        if (is_stopping_) {
            waiting_.reset();
            return;
        }
        std::unique_ptr<Sample> sample = std::move(waiting_);
        lock.unlock();
        const Clock::time_point began = Clock::now();
        try {
            judge(*sample);
        } catch (const std::bad_alloc&) {
            // Answers matter more than knowing how good they are.
        }
        sample.reset();
        const Clock::time_point now = Clock::now();
        next_sample_ns_ = nanoseconds_of(
            std::max(began + options_.sample_interval, now + options_.rest_factor * (now - began)));
        lock.lock();
    }
}

void SearchMonitor::judge(const Sample& sample) {
    RefinedQuery query = sample.query;
    query.query.search = {.path = SearchPath::kExact};
    const Result<RefinedAnswer> exact = sample.served->answers().answer(query);
    if (!exact.ok() || exact->results.empty()) {
        return;
    }
    const double recall = recall_of(sample.found, exact->results, query.cap.has_value());
    const std::lock_guard<std::mutex> lock(recalls_mutex_);
    Recall& total =
        recalls_[{sample.served->name(), sample.served->version(), length_class(query.query.k)}];
    total.newest.push_back(recall);
    total.sum += recall;
    ++total.num_samples;
    if (total.newest.size() > options_.window) {
        total.sum -= total.newest.front();
        total.newest.pop_front();
    }
}

void SearchMonitor::write_counts(MetricsText& text) const {
    DurationCounts sums[kNumSources];
    for (std::size_t source = 0; source < kNumSources; ++source) {
        for (std::size_t stripe = 0; stripe < kNumStripes; ++stripe) {
            const Stripe::Counts& counts = stripes_[stripe].by_source[source];
            for (std::size_t bucket = 0; bucket < std::size(counts.buckets); ++bucket) {
                sums[source].buckets[bucket] +=
                    counts.buckets[bucket].load(std::memory_order_relaxed);
            }
            sums[source].seconds +=
                static_cast<double>(counts.nanoseconds.load(std::memory_order_relaxed)) * 1e-9;
        }
    }
    text.family("rec_search_source_total", "counter", "Answers by where they came from.");
    for (std::size_t source = 0; source < kNumSources; ++source) {
        std::string labels;
        MetricsText::add_label(labels, "source", kSourceNames[source]);
        text.sample("", labels, static_cast<double>(sums[source].count()));
    }
    text.family("rec_search_duration_seconds", "histogram",
                "Answering one query, without reading and writing it.");
    for (std::size_t source = 0; source < kNumSources; ++source) {
        std::string labels;
        MetricsText::add_label(labels, "source", kSourceNames[source]);
        write_durations(labels, sums[source], text);
    }
}

void SearchMonitor::write_recalls(MetricsText& text) const {
    const auto labels_of = [](const RecallKey& key) {
        std::string labels;
        MetricsText::add_label(labels, "model", key.name);
        MetricsText::add_label(labels, "version", std::to_string(key.version));
        MetricsText::add_label(labels, "k", std::to_string(key.k));
        return labels;
    };
    const auto mean_of = [](const Recall& recall) {
        return std::clamp(recall.sum / static_cast<double>(recall.newest.size()), 0.0, 1.0);
    };
    text.family("rec_search_recall", "gauge",
                "Share of the exact answers that the index found, for up to k results; mean of the "
                "newest samples.");
    for (const auto& [key, recall] : recalls_) {
        text.sample("", labels_of(key), mean_of(recall));
    }
    text.family("rec_search_recall_low", "gauge", "Lower end of its 95 % confidence interval.");
    for (const auto& [key, recall] : recalls_) {
        text.sample("", labels_of(key), wilson_interval(mean_of(recall), recall.newest.size()).low);
    }
    text.family("rec_search_recall_high", "gauge", "Upper end of its 95 % confidence interval.");
    for (const auto& [key, recall] : recalls_) {
        text.sample("", labels_of(key),
                    wilson_interval(mean_of(recall), recall.newest.size()).high);
    }
    text.family("rec_search_recall_samples_total", "counter",
                "Queries that were answered once more, exactly.");
    for (const auto& [key, recall] : recalls_) {
        text.sample("", labels_of(key), static_cast<double>(recall.num_samples));
    }
}

void SearchMonitor::write(const ModelRegistry& registry, MetricsText& text) {
    write_counts(text);
    const std::vector<VersionReport> reports = registry.reports();
    const auto is_served = [&](const RecallKey& key) {
        return std::any_of(reports.begin(), reports.end(), [&](const VersionReport& report) {
            return report.state == VersionState::kAvailable && report.name == key.name &&
                   report.number == key.version;
        });
    };
    const std::lock_guard<std::mutex> lock(recalls_mutex_);
    std::erase_if(recalls_, [&](const auto& entry) { return !is_served(entry.first); });
    write_recalls(text);
}

}  // namespace segue::serve
