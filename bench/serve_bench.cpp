// serve_bench [SECONDS]: what a request costs the service, beside a request that asks for nothing.
//
// The service runs in a process of its own, so that its CPU time is not the generator's; both share
// the machine. For each kind of request: throughput when 32 connections ask as fast as they are
// answered, CPU microseconds of the service a request then, and times from the intended moment at
// 50 % and 70 % of that throughput.

#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "base/random.h"
#include "base/temporary_folder.h"
#include "load_generator.h"
#include "model/model.h"
#include "serve/service.h"

namespace segue::bench {
namespace {

constexpr std::uint32_t kNumItems = 50'021;  // a prime: every step leads to distinct neighbours
constexpr std::uint32_t kListLength = 100;

/// Lists as long as a fit stores them, whose neighbours are all over the table.
ModelParts table_of_neighbours() {
    ModelParts parts;
    parts.info.recipe = "cooc";
    parts.info.answer_by = AnswerBy::kLists;
    Random random(1);
    parts.neighbours.offsets = {0};
    for (std::uint32_t item = 0; item < kNumItems; ++item) {
        parts.items.insert(fmt::format("item-{}", item));
        parts.item_frequencies.push_back(1 + static_cast<std::uint32_t>(random.below(1000)));
        parts.info.total_frequency += parts.item_frequencies.back();
        const auto step = static_cast<std::uint32_t>(1 + random.below(kNumItems - 1));
        for (std::uint32_t place = 1; place <= kListLength; ++place) {
            const std::uint64_t row = item + std::uint64_t{step} * place;
            parts.neighbours.item_rows.push_back(static_cast<std::uint32_t>(row % kNumItems));
            parts.neighbours.scores.push_back(1 / static_cast<float>(place));
            parts.neighbours.together.push_back(1);
        }
        parts.neighbours.offsets.push_back(parts.neighbours.item_rows.size());
    }
    return parts;
}

/// A service in a process of its own; ended with *this.
class ServiceProcess {
public:
    explicit ServiceProcess(const std::string& bundle) {
        std::array<int, 2> pipe = {};
        if (::pipe(pipe.data()) != 0) {
            return;
        }
        child_ = ::fork();
        if (child_ == 0) {
            serve::ServiceOptions options;
            options.source = bundle;
            options.http.listeners = {{}};
            options.http.num_loops = std::max(1U, std::thread::hardware_concurrency());
            options.http.max_queue_age = std::chrono::microseconds(0);
            const auto service = serve::Service::start(options);
            const std::uint16_t port = service.ok() ? (*service)->ports()[0] : 0;
            const bool is_told = ::write(pipe[1], &port, sizeof(port)) == sizeof(port);
            while (is_told && port != 0) {
                ::pause();
            }
            ::_exit(1);
        }
        ::close(pipe[1]);
        if (::read(pipe[0], &port_, sizeof(port_)) != sizeof(port_)) {
            port_ = 0;
        }
        ::close(pipe[0]);
    }
    ServiceProcess(const ServiceProcess&) = delete;
    ServiceProcess& operator=(const ServiceProcess&) = delete;
    ~ServiceProcess() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
    }

    std::uint16_t port() const { return port_; }
    double cpu_seconds() const {
        std::ifstream file(fmt::format("/proc/{}/stat", child_));
        std::string text;
        std::getline(file, text);
        // After the name in parentheses come the state and ten numbers, then user and system time.
        std::size_t place = text.rfind(')');
        for (int field = 0; field < 12 && place != std::string::npos; ++field) {
            place = text.find(' ', place + 1);
        }
        if (place == std::string::npos) {
            return 0;
        }
        char* end = nullptr;
        const double user = std::strtod(text.c_str() + place, &end);
        return (user + std::strtod(end, nullptr)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }

private:
    pid_t child_ = -1;
    std::uint16_t port_ = 0;
};

struct Kind {
    std::string_view name;
    std::function<void(std::string&)> next_request;
};

/// Popular items far more often than others, as Zipf has it.
class PopularItems {
public:
    std::string next() {
        const double place = std::pow(static_cast<double>(kNumItems), random_.uniform()) - 1;
        return fmt::format("item-{}", static_cast<std::uint32_t>(place) % kNumItems);
    }

private:
    Random random_{7};
};

std::string get(std::string_view path) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: bench\r\n\r\n", path);
}

std::string post(std::string_view path, std::string_view body) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\r\n{}", path,
                       body.size(), body);
}

std::vector<Kind> kinds_of_requests(PopularItems& items) {
    return {
        {"null (GET /livez)", [](std::string& text) { text = get("/livez"); }},
        {"table, GET",
         [&items](std::string& text) {
             text = get(fmt::format("/v1/models/table/items/{}/similar?k=10", items.next()));
         }},
        {"table, POST",
         [&items](std::string& text) {
             text = post("/v1/models/table:similar",
                         fmt::format(R"({{"item":"{}","k":10}})", items.next()));
         }},
        {"three items",
         [&items](std::string& text) {
             text = post("/v1/models/table:similar",
                         fmt::format(R"({{"items":["{}","{}","{}"],"k":10}})", items.next(),
                                     items.next(), items.next()));
         }},
    };
}

bool measure(const Kind& kind, const ServiceProcess& service, double seconds, double& null_rate) {
    LoadPlan plan = {.port = service.port(), .seconds = seconds};
    run_load({.port = service.port(), .seconds = 0.3}, kind.next_request);
    const double cpu_before = service.cpu_seconds();
    const LoadResult full = run_load(plan, kind.next_request);
    if (full.num_answers == 0 || full.num_failures > 0) {
        std::fprintf(stderr, "serve_bench: %llu of %llu requests failed\n",
                     static_cast<unsigned long long>(full.num_failures),
                     static_cast<unsigned long long>(full.num_answers));
        return false;
    }
    const double cpu_us =
        (service.cpu_seconds() - cpu_before) * 1e6 / static_cast<double>(full.num_answers);
    null_rate = null_rate > 0 ? null_rate : full.rate();
    fmt::print("{:<18} {:>8.0f} {:>6.0f} % {:>8.1f}", kind.name, full.rate(),
               100 * full.rate() / null_rate, cpu_us);
    bool is_good = true;
    for (const double share : {0.5, 0.7}) {
        plan.rate = share * full.rate();
        const LoadResult part = run_load(plan, kind.next_request);
        is_good &= part.num_failures == 0;
        fmt::print("   {:>6.0f} {:>7.0f} {:>8.0f} {:>8.0f}", part.quantile(0.5),
                   part.quantile(0.99), part.quantile(0.999), part.max_lag_microseconds);
    }
    fmt::print("\n");
    return is_good;
}

int run(double seconds) {
    const testing::TemporaryFolder folder;
    const std::string bundle = folder.file("table.segue");
    if (const Status status = write_bundle(table_of_neighbours(), bundle, false); !status.ok()) {
        std::fprintf(stderr, "serve_bench: %s\n", status.message().c_str());
        return 1;
    }
    const ServiceProcess service(bundle);
    if (service.port() == 0) {
        std::fputs("serve_bench: the service did not start\n", stderr);
        return 1;
    }
    fmt::print(
        "{} items, lists of {}, {} loops, {} connections, {} s each; generator on the same "
        "machine\n\n",
        kNumItems, kListLength, std::thread::hardware_concurrency(), LoadPlan{}.num_connections,
        seconds);
    fmt::print("{:<18} {:>8} {:>8} {:>8}   {:>32}   {:>32}\n", "", "req/s", "of null", "CPU us",
               "at 50 %: p50 p99 p99.9 lag, us", "at 70 %: p50 p99 p99.9 lag, us");
    PopularItems items;
    double null_rate = 0;
    for (const Kind& kind : kinds_of_requests(items)) {
        if (!measure(kind, service, seconds, null_rate)) {
            return 1;
        }
    }
    return 0;
}

}  // namespace
}  // namespace segue::bench

int main(int num_arguments, char** arguments) {
    const double seconds = num_arguments > 1 ? std::atof(arguments[1]) : 3;
    if (!(seconds > 0) || seconds > 600) {
        std::fputs("usage: serve_bench [SECONDS]\n", stderr);
        return 2;
    }
    return segue::bench::run(seconds);
}
