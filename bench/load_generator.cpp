#include "load_generator.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <deque>
#include <string_view>

namespace segue::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration;

/// After the end, answers still under way are waited for this long.
constexpr double kGraceSeconds = 5;

double cpu_seconds() {
    timespec time = {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

int connect_to(std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        ::close(descriptor);
        return -1;
    }
    return descriptor;
}

struct Connection {
    int descriptor = -1;
    bool is_busy = false;
    Clock::time_point due;  // of the request under way
    std::string received;
};

/// Bytes of the first whole answer in `text`, 0 while it is not whole; its status.
std::size_t whole_answer(std::string_view text, int& status) {
    const std::size_t end = text.find("\r\n\r\n");
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    const std::size_t length = text.find(kLength);
    if (end == std::string_view::npos || length == std::string_view::npos) {
        return 0;
    }
    std::size_t body = 0;
    std::from_chars(text.data() + length + kLength.size(), text.data() + text.size(), body);
    std::from_chars(text.data() + 9, text.data() + 12, status);
    const std::size_t size = end + 4 + body;
    return size <= text.size() ? size : 0;
}

class Generator {
public:
    Generator(const LoadPlan& plan, const std::function<void(std::string&)>& next_request)
        : plan_(plan),
          next_request_(next_request),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)),
          connections_(plan.num_connections) {}
    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;
    ~Generator() {
        for (const Connection& connection : connections_) {
            ::close(connection.descriptor);
        }
        ::close(epoll_);
    }

    LoadResult run();

private:
    bool connect_all();
    void ask(std::size_t number, Clock::time_point due);
    void ask_what_is_due(Clock::time_point now);
    void receive(std::size_t number);
    void fail(std::size_t number);
    bool is_over(Clock::time_point now) const {
        return duration<double>(now - began_).count() >= plan_.seconds;
    }

    LoadPlan plan_;
    const std::function<void(std::string&)>& next_request_;
    int epoll_;
    std::vector<Connection> connections_;
    std::deque<std::size_t> idle_;
    std::size_t num_busy_ = 0;
    std::uint64_t num_due_ = 0;  // requests of an open loop made so far
    Clock::time_point began_;
    Clock::time_point last_look_;
    std::string request_;
    LoadResult result_;
};

bool Generator::connect_all() {
    for (std::size_t number = 0; number < connections_.size(); ++number) {
        connections_[number].descriptor = connect_to(plan_.port);
        if (connections_[number].descriptor < 0) {
            return false;
        }
        epoll_event event = {};
        event.events = EPOLLIN;
        event.data.u64 = number;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[number].descriptor, &event);
        idle_.push_back(number);
    }
    return true;
}

void Generator::ask(std::size_t number, Clock::time_point due) {
    Connection& connection = connections_[number];
    next_request_(request_);
    connection.due = due;
    connection.is_busy = true;
    ++num_busy_;
    if (::send(connection.descriptor, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size())) {
        fail(number);
    }
}

void Generator::fail(std::size_t number) {
    Connection& connection = connections_[number];
    ++result_.num_failures;
    num_busy_ -= connection.is_busy;
    connection.is_busy = false;
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.descriptor, nullptr);
}

/// Requests that no connection is free for stay due, and their time runs.
void Generator::ask_what_is_due(Clock::time_point now) {
    if (is_over(now)) {
        return;
    }
    if (plan_.rate <= 0) {
        for (; !idle_.empty(); idle_.pop_front()) {
            ask(idle_.front(), Clock::now());
        }
        return;
    }
    for (; !idle_.empty(); idle_.pop_front()) {
        const auto due = began_ + std::chrono::duration_cast<Clock::duration>(
                                      duration<double>(static_cast<double>(num_due_) / plan_.rate));
        if (due > now) {
            return;
        }
        if (due > last_look_) {
            // It fell due since the last look: what is late now, the generator is to blame for.
            result_.max_lag_microseconds = std::max(
                result_.max_lag_microseconds, duration<double, std::micro>(now - due).count());
        }
        ++num_due_;
        ask(idle_.front(), due);
    }
}

void Generator::receive(std::size_t number) {
    Connection& connection = connections_[number];
    std::array<char, 65536> buffer;
    const ssize_t size = ::recv(connection.descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size <= 0) {
        return fail(number);
    }
    connection.received.append(buffer.data(), static_cast<std::size_t>(size));
    int status = 0;
    const std::size_t answer = whole_answer(connection.received, status);
    if (answer == 0) {
        return;
    }
    connection.received.erase(0, answer);
    connection.is_busy = false;
    --num_busy_;
    idle_.push_back(number);
    ++result_.num_answers;
    result_.num_failures += status != 200;
    result_.microseconds.push_back(
        duration<double, std::micro>(Clock::now() - connection.due).count());
}

LoadResult Generator::run() {
    if (!connect_all()) {
        return {};
    }
    const double cpu_before = cpu_seconds();
    began_ = last_look_ = Clock::now();
    std::array<epoll_event, 64> events = {};
    while (true) {
        const Clock::time_point now = Clock::now();
        ask_what_is_due(now);
        last_look_ = now;
        const double seconds = duration<double>(now - began_).count();
        if (is_over(now) && (num_busy_ == 0 || seconds > plan_.seconds + kGraceSeconds)) {
            break;
        }
        // An open loop looks at the clock again and again: sleeping would make it late.
        const int wait_ms = plan_.rate > 0 && !idle_.empty() ? 0 : 10;
        const int num_events =
            ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
        for (int place = 0; place < num_events; ++place) {
            receive(static_cast<std::size_t>(events[static_cast<std::size_t>(place)].data.u64));
        }
    }
    result_.seconds = duration<double>(Clock::now() - began_).count();
    result_.num_failures += num_busy_;
    result_.generator_cpu_seconds = cpu_seconds() - cpu_before;
    std::sort(result_.microseconds.begin(), result_.microseconds.end());
    return std::move(result_);
}

}  // namespace

double LoadResult::quantile(double share) const {
    if (microseconds.empty()) {
        return 0;
    }
    const auto place = static_cast<std::size_t>(share * static_cast<double>(microseconds.size()));
    return microseconds[std::min(place, microseconds.size() - 1)];
}

LoadResult run_load(const LoadPlan& plan, const std::function<void(std::string&)>& next_request) {
    return Generator(plan, next_request).run();
}

}  // namespace segue::bench
