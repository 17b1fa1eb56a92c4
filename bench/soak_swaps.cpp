// New versions under load, bad ones, and going back.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "soak_checks.h"
#include "soak_load.h"
#include "soak_server.h"
#include "soak_timeline.h"

namespace segue::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLoadShare = 0.6;
constexpr double kSaturationSeconds = 3;
/// Answers go on being slow for a little after a swap; that belongs to its window.
constexpr double kAfterSwapSeconds = 0.2;
constexpr double kSwapTimeout = 60;

std::string bundle_of(const SoakPlan& plan, std::uint64_t version) {
    return plan.folder + (version % 2 == 1 ? "/items.segue" : "/moved.segue");
}

Status start_folder(const SoakPlan& plan, const std::string& models) {
    std::error_code error;
    std::filesystem::remove_all(models, error);
    return publish(bundle_of(plan, 1), models, "items", 1);
}

/// Whether the version answers and nothing else is mapped any more.
bool is_alone(const SoakServer& server, std::uint64_t version) {
    const HttpAnswer status =
        server.ask_admin("GET", "/v1/models/items/versions/" + std::to_string(version));
    return status.status == 200 && status.body.find("AVAILABLE") != std::string::npos &&
           server.holdings().num_bundles == 1;
}

/// Publishes a version and waits until the one before is gone.
Result<Window> swap_to(const SoakPlan& plan, const SoakServer& server, const std::string& models,
                       std::uint64_t version) {
    Window window = {Clock::now(), {}};
    if (Status status = publish(bundle_of(plan, version), models, "items", version); !status.ok()) {
        return status;
    }
    while (!is_alone(server, version)) {
        if (seconds_since(window.begin) > kSwapTimeout || !server.is_running()) {
            return io_error(fmt::format("version {} did not take over", version));
        }
        sleep_seconds(0.02);
    }
    sleep_seconds(kAfterSwapSeconds);
    window.end = Clock::now();
    std::error_code error;
    std::filesystem::remove(fmt::format("{}/items/{}.segue", models, version - 1), error);
    return window;
}

SoakRow failures_row(std::string name, const LoadResult& result) {
    return {std::move(name), "0", failures_text(result),
            result.num_answers > 0 && result.num_not_ok + result.num_broken == 0};
}

double median_of_p99(const std::vector<std::vector<float>>& parts) {
    std::vector<double> each;
    for (const std::vector<float>& part : parts) {
        each.push_back(quantile(part, 0.99));
    }
    std::sort(each.begin(), each.end());
    return quantile(each, 0.5);
}

/// Medians over the windows are compared: a machine that stands still for a moment makes one window
/// long, and all of them taken together too.
SoakRow tails_row(const LoadResult& result, const std::vector<Window>& windows) {
    const WindowTimes times = times_by_window(result, windows);
    const double inside = median_of_p99(times.inside);
    const double outside = median_of_p99(times.outside);
    const std::vector<float> all_inside = together(times.inside);
    const std::vector<float> all_outside = together(times.outside);
    double seconds = 0;
    for (const Window& window : windows) {
        seconds += std::chrono::duration<double>(window.end - window.begin).count();
    }
    constexpr double kMostRatio = 1.5;
    const double ratio = inside / std::max(1.0, outside);
    return {
        "swaps under load: p99 during swaps beside between them", "1.5 times",
        fmt::format("{:.2f} times ({:.0f} us in the median of {} windows of {:.1f} s, {:.0f} us "
                    "between them; all together {:.0f} and {:.0f} us, medians {:.0f} and {:.0f})",
                    ratio, inside, windows.size(),
                    seconds / static_cast<double>(std::max<std::size_t>(1, windows.size())),
                    outside, quantile(all_inside, 0.99), quantile(all_outside, 0.99),
                    quantile(all_inside, 0.5), quantile(all_outside, 0.5)),
        ratio <= kMostRatio};
}

std::vector<SoakRow> rows_of_swaps(const LoadResult& result, const std::vector<Window>& windows,
                                   const Holdings& before, const Holdings& after) {
    constexpr double kMostGrowthMib = 32;
    const double growth = after.anonymous_mib - before.anonymous_mib;
    return {
        failures_row("swaps under load: failed requests", result),
        {"swaps under load: answers of not exactly one version", "0",
         fmt::format("{} of {}", result.num_wrong, result.num_answers), result.num_wrong == 0},
        tails_row(result, windows),
        {"swaps under load: memory of its own that stays", "5 % or 32 MiB",
         fmt::format("{:+.1f} MiB of {:.1f}", growth, before.anonymous_mib),
         growth <= std::max(kMostGrowthMib, 0.05 * before.anonymous_mib)},
        {"swaps under load: bundles mapped at the end", "1", fmt::format("{}", after.num_bundles),
         after.num_bundles == 1},
        {"swaps under load: open files that stay", "0",
         fmt::format("{:+d}",
                     static_cast<int>(after.num_files) - static_cast<int>(before.num_files)),
         after.num_files <= before.num_files},
    };
}

/// Until the status of the version has the text; how long that took, negative where it never had.
double wait_for_status(const SoakServer& server, std::uint64_t version, std::string_view text) {
    const SteadyTime begin = Clock::now();
    while (seconds_since(begin) < kSwapTimeout) {
        const HttpAnswer answer =
            server.ask_admin("GET", "/v1/models/items/versions/" + std::to_string(version));
        if (answer.body.find(text) != std::string::npos) {
            return seconds_since(begin);
        }
        sleep_seconds(0.002);
    }
    return -1;
}

/// The first megabyte of a bundle, as a copy that was cut short.
Status publish_cut(const SoakPlan& plan, const std::string& models, std::uint64_t version) {
    std::vector<char> bytes(1U << 20U);
    std::ifstream(bundle_of(plan, version), std::ios::binary)
        .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const std::string cut = plan.folder + "/cut.segue";
    std::ofstream(cut, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return publish(cut, models, "items", version);
}

}  // namespace

Result<std::vector<SoakRow>> soak_swaps(const SoakPlan& plan) {
    const std::string models = plan.folder + "/models-swaps";
    Result<KnownAnswers> known = KnownAnswers::of(plan.folder);
    Status status = known.ok() ? start_folder(plan, models) : known.status();
    if (!status.ok()) {
        return status;
    }
    std::vector<std::string> flags = nothing_shed();
    flags.insert(flags.end(), {"--versions", "1"});
    Result<SoakServer> server = SoakServer::start(plan.program, models, flags);
    if (!server.ok()) {
        return server.status();
    }
    const double saturation = find_saturation(*server, *known, kSaturationSeconds);
    std::uint64_t version = 1;
    // What the first swaps allocate for good is not what the hundredth one leaves behind.
    constexpr std::uint64_t kSettlingSwaps = 2;
    for (std::uint64_t swap = 0; swap < kSettlingSwaps; ++swap) {
        if (const Result<Window> window = swap_to(plan, *server, models, ++version); !window.ok()) {
            return window.status();
        }
    }
    run_soak_load(*server, *known, {.seconds = 2, .rate = kLoadShare * saturation});
    const Holdings before = server->holdings();
    const SoakLoad load = {.seconds = static_cast<double>(plan.num_swaps) * plan.cycle_seconds + 1,
                           .rate = kLoadShare * saturation};
    CpuWatch watch(server->process());
    LoadInBackground background(*server, *known, load);
    std::vector<Window> windows;
    const SteadyTime begin = Clock::now();
    Status failed;
    for (std::size_t swap = 0; swap < plan.num_swaps && failed.ok(); ++swap) {
        const double due = (static_cast<double>(swap) + 0.5) * plan.cycle_seconds;
        sleep_seconds(due - seconds_since(begin));
        const Result<Window> window = swap_to(plan, *server, models, ++version);
        failed = window.ok() ? Status() : window.status();
        if (window.ok()) {
            windows.push_back(*window);
        }
    }
    const LoadResult result = background.take();
    const std::vector<CpuReading> readings = watch.take();
    if (!failed.ok()) {
        return failed;
    }
    sleep_seconds(0.5);
    std::vector<SoakRow> rows = rows_of_swaps(result, windows, before, server->holdings());
    rows.insert(rows.begin(),
                {"swaps under load: what was asked", "",
                 fmt::format("{:.0f} requests a second, 60 % of {:.0f}; {} swaps of {} items",
                             load.rate, saturation, windows.size(), plan.num_items),
                 true});
    rows.push_back(row_of_seconds(seconds_of(result, readings)));
    return rows;
}

Result<std::vector<SoakRow>> soak_bad_versions(const SoakPlan& plan) {
    const std::string models = plan.folder + "/models-bad";
    Result<KnownAnswers> known = KnownAnswers::of(plan.folder);
    Status status = known.ok() ? start_folder(plan, models) : known.status();
    if (!status.ok()) {
        return status;
    }
    Result<SoakServer> server = SoakServer::start(plan.program, models, nothing_shed());
    if (!server.ok()) {
        return server.status();
    }
    const double saturation = find_saturation(*server, *known, 1);
    LoadInBackground background(*server, *known,
                                {.seconds = plan.window_seconds, .rate = 0.3 * saturation});
    sleep_seconds(1);
    status = publish_cut(plan, models, 9);
    const double refused = wait_for_status(*server, 9, "END");
    // A good one comes, and is left again.
    if (status.ok()) {
        status = publish(bundle_of(plan, 2), models, "items", 2);
    }
    const double loaded = wait_for_status(*server, 2, "AVAILABLE");
    sleep_seconds(0.2);
    const SteadyTime begin = Clock::now();
    const HttpAnswer rolled = server->ask_admin("POST", "/v1/models/items:rollback");
    const double took = seconds_since(begin);
    const LoadResult result = background.take();
    if (!status.ok()) {
        return status;
    }
    constexpr double kMostRefusal = 0.1;
    constexpr double kMostRollback = 0.05;
    return std::vector<SoakRow>{
        {"a bundle cut short: refused after", "100 ms", fmt::format("{:.0f} ms", 1e3 * refused),
         refused >= 0 && refused <= kMostRefusal},
        {"going back to the version before", "50 ms",
         fmt::format("{:.1f} ms, status {}", 1e3 * took, rolled.status),
         loaded >= 0 && rolled.status == 200 && took <= kMostRollback},
        failures_row("a bad version, a new one and back: failed requests", result),
        {"a bad version, a new one and back: answers of not exactly one version", "0",
         fmt::format("{} of {}", result.num_wrong, result.num_answers), result.num_wrong == 0},
    };
}

}  // namespace segue::bench
