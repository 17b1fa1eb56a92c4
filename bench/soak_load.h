#pragma once

// Load on a service that is soaked: questions whose right answers are known beforehand.

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/status.h"
#include "load_generator.h"
#include "soak_server.h"

namespace segue::bench {

/// Questions about items, and what both bundles of serve_data.h answer. Immutable.
class KnownAnswers {
public:
    /// Asks the models of the folder's two bundles.
    static Result<KnownAnswers> of(const std::string& folder);

    std::size_t size() const { return requests_.size(); }
    const std::string& request(std::size_t number) const { return requests_[number]; }
    /// Whether an answer is one version's alone: that named in its header, in its body, and whose
    /// bundle has these results. Odd versions are of the first bundle, even ones of the second.
    bool is_right(std::size_t number, std::string_view head, std::string_view body) const;

private:
    std::vector<std::string> requests_;
    std::vector<std::string> results_[2];  // the member "results" of an answer, as JSON
};

struct SoakLoad {
    double seconds = 0;
    double rate = 0;
    std::size_t num_connections = 32;
};

/// Runs that load; wrong answers are counted with the help of `known`.
LoadResult run_soak_load(const SoakServer& server, const KnownAnswers& known, const SoakLoad& load);

/// Requests a second that the service answers when it is asked as fast as it answers, at least.
double find_saturation(const SoakServer& server, const KnownAnswers& known, double seconds);

/// A load in a thread of its own while something is done to the server.
class LoadInBackground {
public:
    LoadInBackground(const SoakServer& server, const KnownAnswers& known, const SoakLoad& load)
        : thread_([this, &server, &known, load] { result_ = run_soak_load(server, known, load); }) {
    }
    ~LoadInBackground() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    LoadInBackground(const LoadInBackground&) = delete;
    LoadInBackground& operator=(const LoadInBackground&) = delete;

    /// Waits for its end.
    LoadResult take() {
        thread_.join();
        return std::move(result_);
    }

private:
    LoadResult result_;
    std::thread thread_;
};

using SteadyTime = std::chrono::steady_clock::time_point;

/// Something that happened from one moment to another.
struct Window {
    SteadyTime begin;
    SteadyTime end;
};

/// "2 of 99 (2 not 200, 0 broken; 2 of status 503, the first after 1.5 s)"
std::string failures_text(const LoadResult& result);

/// Microseconds of the answers, ascending: of those whose requests were due in each of some
/// windows, which follow one another, and of those due before, between and behind them.
struct WindowTimes {
    std::vector<std::vector<float>> inside;
    std::vector<std::vector<float>> outside;
};
WindowTimes times_by_window(const LoadResult& result, const std::vector<Window>& windows);
/// All the parts in one, ascending.
std::vector<float> together(const std::vector<std::vector<float>>& parts);

void sleep_seconds(double seconds);
double seconds_since(SteadyTime begin);

}  // namespace segue::bench
