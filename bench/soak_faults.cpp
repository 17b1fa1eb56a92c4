// Slow and hostile clients, too many requests, a process that stands still, and the end.

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "http/test_client.h"
#include "soak_checks.h"
#include "soak_load.h"
#include "soak_server.h"

namespace segue::bench {
namespace {

using Clock = std::chrono::steady_clock;
using testing::TestClient;

constexpr double kLoadShare = 0.3;
constexpr int kAttackRounds = 5;

/// A service of one version, and how much it can answer.
struct Bench {
    KnownAnswers known;
    SoakServer server;
    double saturation;
};

Result<Bench> start(const SoakPlan& plan, const std::vector<std::string>& flags) {
    const std::string models = plan.folder + "/models-faults";
    std::error_code error;
    std::filesystem::remove_all(models, error);
    if (Status status = publish(plan.folder + "/items.segue", models, "items", 1); !status.ok()) {
        return status;
    }
    Result<KnownAnswers> known = KnownAnswers::of(plan.folder);
    if (!known.ok()) {
        return known.status();
    }
    Result<SoakServer> server = SoakServer::start(plan.program, models, flags);
    if (!server.ok()) {
        return server.status();
    }
    const double saturation = find_saturation(*server, *known, 2);
    return Bench{std::move(*known), std::move(*server), saturation};
}

double p99_of(const LoadResult& result) {
    return quantile(sorted_microseconds(result.times), 0.99);
}

/// Answers a second with status 200.
double good_rate(const LoadResult& result) {
    return static_cast<double>(result.num_answers - result.num_not_ok) / result.seconds;
}

double shed_share(const LoadResult& result) {
    return static_cast<double>(result.num_not_ok) /
           static_cast<double>(std::max<std::uint64_t>(1, result.num_answers));
}

/// Until the server has so many files open, connections among them; two seconds at most.
void wait_for_files(const SoakServer& server, std::size_t count) {
    const SteadyTime begin = Clock::now();
    while (server.holdings().num_files < count && seconds_since(begin) < 2) {
        sleep_seconds(0.02);
    }
}

/// Seconds until the server has closed all of them, as far as that comes to pass.
double seconds_until_closed(std::vector<TestClient>& clients, SteadyTime begin) {
    for (TestClient& client : clients) {
        client.receive();  // 408, or the end
    }
    return seconds_since(begin);
}

/// How long answers took while somebody misbehaved, and while nobody did: 99th percentiles of
/// rounds in turns, of which medians are compared, as a machine that stands still once makes one
/// round long.
struct Tails {
    std::vector<float> quiet;
    std::vector<float> attacked;
    std::uint64_t num_not_ok = 0;
    std::uint64_t num_broken = 0;
    std::uint64_t num_wrong = 0;

    void add(const LoadResult& result, std::vector<float>& tails) {
        tails.push_back(static_cast<float>(p99_of(result)));
        num_not_ok += result.num_not_ok;
        num_broken += result.num_broken;
        num_wrong += result.num_wrong;
    }
    SoakRow row(std::string_view what, double most_ratio) {
        std::sort(quiet.begin(), quiet.end());
        std::sort(attacked.begin(), attacked.end());
        const double with = quantile(attacked, 0.5);
        const double without = quantile(quiet, 0.5);
        const double ratio = with / std::max(1.0, without);
        return {fmt::format("{}: p99 of others", what), fmt::format("{} times", most_ratio),
                fmt::format("{:.2f} times ({:.0f} us, {:.0f} us without; {} not 200, {} broken, "
                            "{} wrong)",
                            ratio, with, without, num_not_ok, num_broken, num_wrong),
                ratio <= most_ratio && num_not_ok + num_broken + num_wrong == 0};
    }
};

/// Calls strike(number) so many times a second in a thread of its own, until its end.
class Attack {
public:
    Attack(double rate, const std::function<void(std::uint64_t)>& strike)
        : thread_([this, rate, &strike] {
              const SteadyTime begin = Clock::now();
              while (!is_over_) {
                  if (seconds_since(begin) * rate < static_cast<double>(num_strikes_)) {
                      sleep_seconds(0.001);
                  } else {
                      strike(num_strikes_++);
                  }
              }
          }) {}
    ~Attack() { stop(); }
    Attack(const Attack&) = delete;
    Attack& operator=(const Attack&) = delete;

    /// How many times it struck.
    std::uint64_t stop() {
        is_over_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
        return num_strikes_;
    }

private:
    std::atomic<bool> is_over_ = false;
    std::atomic<std::uint64_t> num_strikes_ = 0;
    std::thread thread_;
};

/// Others are asked for meanwhile; the tails of some rounds without and with.
std::uint64_t measure_attack(const Bench& bench, const SoakLoad& load, double rate,
                             const std::function<void(std::uint64_t)>& strike, Tails& tails) {
    std::uint64_t num_strikes = 0;
    for (int round = 0; round < kAttackRounds; ++round) {
        tails.add(run_soak_load(bench.server, bench.known, load), tails.quiet);
        Attack attack(rate, strike);
        tails.add(run_soak_load(bench.server, bench.known, load), tails.attacked);
        num_strikes += attack.stop();
    }
    return num_strikes;
}

/// Beyond the limits of headers, of bodies and of chunks.
std::array<std::string, 3> oversized_requests() {
    constexpr std::string_view kPost = "POST /v1/models/items:similar HTTP/1.1\r\nHost: x\r\n";
    std::string chunks;
    for (int number = 0; number < 5000; ++number) {
        chunks += "1\r\n \r\n";
    }
    return {
        fmt::format("GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", std::string(9000, 'x')),
        fmt::format("{}Content-Length: 300000\r\n\r\n{}", kPost, std::string(20'000, ' ')),
        fmt::format("{}Transfer-Encoding: chunked\r\n\r\n{}", kPost, chunks)};
}

}  // namespace

Result<std::vector<SoakRow>> soak_floods(const SoakPlan& plan) {
    constexpr double kConnectionsPerSecond = 2500;
    constexpr double kRequestsPerSecond = 200;
    constexpr double kMostRatio = 1.5;
    constexpr double kMostGrowthMib = 32;
    Result<Bench> bench = start(plan, nothing_shed());
    if (!bench.ok()) {
        return bench.status();
    }
    const SoakLoad load = {.seconds = plan.window_seconds / kAttackRounds,
                           .rate = kLoadShare * bench->saturation};
    const Holdings before = bench->server.holdings();
    Tails flood;
    const std::uint64_t num_connections = measure_attack(
        *bench, load, kConnectionsPerSecond,
        [&](std::uint64_t) { TestClient(bench->server.port()).reset(); }, flood);
    const std::array<std::string, 3> requests = oversized_requests();
    std::atomic<std::uint64_t> num_let_through = 0;
    Tails oversize;
    const std::uint64_t num_requests = measure_attack(
        *bench, load, kRequestsPerSecond,
        [&](std::uint64_t number) {
            const int status =
                TestClient(bench->server.port()).ask(requests[number % requests.size()]).status;
            // An answer may be lost in a reset.
            num_let_through += status != 0 && status != 413 && status != 431;
        },
        oversize);
    const Holdings after = bench->server.holdings();
    const double growth = after.anonymous_mib - before.anonymous_mib;
    return std::vector<SoakRow>{
        flood.row(fmt::format("{} connections a second, reset at once ({} in all)",
                              kConnectionsPerSecond, num_connections),
                  kMostRatio),
        oversize.row(fmt::format("{} oversized requests a second", kRequestsPerSecond), kMostRatio),
        {"oversized requests: let through", "0",
         fmt::format("{} of {}", num_let_through.load(), num_requests), num_let_through == 0},
        {"floods and oversized requests: memory and files that stay", "32 MiB, 0",
         fmt::format("{:+.1f} MiB, {:+d} files", growth,
                     static_cast<int>(after.num_files) - static_cast<int>(before.num_files)),
         growth <= kMostGrowthMib && after.num_files <= before.num_files},
    };
}

Result<std::vector<SoakRow>> soak_slow_clients(const SoakPlan& plan) {
    constexpr std::size_t kClients = 500;
    constexpr double kHeaderTimeout = 5;
    Result<Bench> bench = start(plan, nothing_shed());
    if (!bench.ok()) {
        return bench.status();
    }
    const SoakLoad load = {.seconds = std::min(plan.window_seconds, kHeaderTimeout - 1),
                           .rate = kLoadShare * bench->saturation};
    Tails tails;
    double most_seconds = 0;
    double kib_each = 0;
    for (int round = 0; round < plan.num_slow_rounds; ++round) {
        const LoadResult before = run_soak_load(bench->server, bench->known, load);
        const Holdings without = bench->server.holdings();
        const SteadyTime begin = Clock::now();
        std::vector<TestClient> clients;
        for (std::size_t number = 0; number < kClients; ++number) {
            clients.emplace_back(bench->server.port());
            clients.back().send("GET /livez HTTP/1.1\r\nHost: slow\r\nX-Slow: ");
        }
        wait_for_files(bench->server, without.num_files + kClients);
        const Holdings with = bench->server.holdings();
        const LoadResult during = run_soak_load(bench->server, bench->known, load);
        most_seconds = std::max(most_seconds, seconds_until_closed(clients, begin));
        // Later rounds find the memory of the first one.
        kib_each =
            std::max(kib_each, 1024 * (with.anonymous_mib - without.anonymous_mib) / kClients);
        tails.add(before, tails.quiet);
        tails.add(during, tails.attacked);
    }
    return std::vector<SoakRow>{
        tails.row("slow headers of 500 clients", 1.2),
        {"slow headers of 500 clients: memory each", "16 KiB", fmt::format("{:.1f} KiB", kib_each),
         kib_each <= 16},
        {"slow headers of 500 clients: closed after", "6.5 s",
         fmt::format("{:.1f} s", most_seconds), most_seconds <= kHeaderTimeout * 1.25 + 0.25},
    };
}

Result<std::vector<SoakRow>> soak_overload(const SoakPlan& plan) {
    constexpr std::size_t kConnections = 1024;
    Result<Bench> bench = start(plan, {});
    if (!bench.ok()) {
        return bench.status();
    }
    SoakLoad load = {.seconds = plan.window_seconds, .rate = 0.7 * bench->saturation};
    const LoadResult normal = run_soak_load(bench->server, bench->known, load);
    // Beside what it answers just before and just after, over as many connections (which cost more
    // each than few do) as fast as it can: other guests of the host take more at times.
    const SoakLoad closed = {.seconds = 2, .num_connections = kConnections};
    const double before = good_rate(run_soak_load(bench->server, bench->known, closed));
    load.rate = 1.5 * before;
    load.num_connections = kConnections;
    const LoadResult over = run_soak_load(bench->server, bench->known, load);
    const double most =
        (before + good_rate(run_soak_load(bench->server, bench->known, closed))) / 2;
    sleep_seconds(1);
    load = {.seconds = 2, .rate = 0.7 * bench->saturation};
    const LoadResult after = run_soak_load(bench->server, bench->known, load);
    const double goodput = good_rate(over) / most;
    // A machine that stands still for longer than requests may wait has some shed at any time.
    const double most_shed = std::max(0.001, shed_share(normal));
    return std::vector<SoakRow>{
        {"150 % of what it can answer: answered with 200", "90 %",
         fmt::format("{:.0f} % of {:.0f} a second ({} of {} shed)", 100 * goodput, most,
                     over.num_not_ok, over.num_answers),
         goodput >= 0.9 && over.num_broken == 0},
        {"150 % of what it can answer: p99 a second after it", "2 times",
         fmt::format("{:.2f} times ({:.0f} us, {:.0f} us before; {} and {} shed)",
                     p99_of(after) / p99_of(normal), p99_of(after), p99_of(normal),
                     after.num_not_ok, normal.num_not_ok),
         p99_of(after) <= 2 * p99_of(normal) && shed_share(after) <= most_shed &&
             after.num_broken + after.num_wrong == 0},
    };
}

Result<std::vector<SoakRow>> soak_pause(const SoakPlan& plan) {
    Result<Bench> bench = start(plan, {});
    if (!bench.ok()) {
        return bench.status();
    }
    const double rate = kLoadShare * bench->saturation;
    const double seconds = std::max(plan.window_seconds, 6.0);
    LoadInBackground background(bench->server, bench->known, {.seconds = seconds, .rate = rate});
    sleep_seconds(1);
    const SteadyTime begin = Clock::now();
    bench->server.send_signal(SIGSTOP);
    sleep_seconds(2);
    bench->server.send_signal(SIGCONT);
    // What fell due in the pause is answered, or shed, as fast as that goes.
    const Window pause = {begin, Clock::now() + std::chrono::seconds(1)};
    const LoadResult result = background.take();
    const std::vector<float> others = together(times_by_window(result, {pause}).outside);
    const std::vector<float> control =
        together(times_by_window(result, {{result.began, begin}}).inside);
    return std::vector<SoakRow>{
        {"stopped for 2 s and continued: still there, nothing broken", "yes",
         fmt::format("{}, {} broken, {} shed", bench->server.is_running() ? "yes" : "no",
                     result.num_broken, result.num_not_ok),
         bench->server.is_running() && result.num_broken == 0 && result.num_wrong == 0},
        {"stopped for 2 s and continued: p99 a second later", "2 times",
         fmt::format("{:.2f} times ({:.0f} us, {:.0f} us before)",
                     quantile(others, 0.99) / std::max(1.0, quantile(control, 0.99)),
                     quantile(others, 0.99), quantile(control, 0.99)),
         quantile(others, 0.99) <= 2 * quantile(control, 0.99)},
    };
}

Result<std::vector<SoakRow>> soak_drain(const SoakPlan& plan) {
    Result<Bench> bench = start(plan, {"--drain-delay", "2", "--drain-timeout", "10"});
    if (!bench.ok()) {
        return bench.status();
    }
    const double rate = kLoadShare * bench->saturation;
    // The clients leave before the listener does: a balancer has noticed by then.
    LoadInBackground background(bench->server, bench->known, {.seconds = 2.5, .rate = rate});
    sleep_seconds(1);
    bench->server.send_signal(SIGTERM);
    const SteadyTime begin = Clock::now();
    int ready = 200;
    while (ready == 200 && seconds_since(begin) < 1) {
        ready = bench->server.ask_admin("GET", "/readyz").status;
    }
    const double noticed = seconds_since(begin);
    const LoadResult result = background.take();
    const int code = bench->server.wait(12);
    const double took = seconds_since(begin);
    return std::vector<SoakRow>{
        {"SIGTERM under load: /readyz fails after", "100 ms",
         fmt::format("{:.0f} ms, status {}", 1e3 * noticed, ready), ready == 503 && noticed <= 0.1},
        {"SIGTERM under load: failed requests of clients that close when asked", "0",
         failures_text(result), result.num_failures() == 0 && result.num_answers > 0},
        {"SIGTERM under load: ends with 0 within the time given", "10 s",
         fmt::format("{} after {:.1f} s", code, took), code == 0 && took <= 10},
    };
}

}  // namespace segue::bench
