#include "load_generator.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <deque>
#include <optional>
#include <utility>

#include "base/random.h"

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
    Clock::time_point due;    // of the request under way
    std::uint64_t asked = 0;  // what it is known by
    std::string received;
};

bool equals_lower(std::string_view text, std::string_view lower) {
    return text.size() == lower.size() &&
           std::equal(text.begin(), text.end(), lower.begin(), [](char one, char other) {
               return (one >= 'A' && one <= 'Z' ? one - 'A' + 'a' : one) == other;
           });
}

/// The value of a header ("content-length:"); nothing where there is none.
std::optional<std::string_view> header_of(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        const std::size_t end = std::min(head.find('\n'), head.size() - 1);
        std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 1);
        if (line.size() < name.size() || !equals_lower(line.substr(0, name.size()), name)) {
            continue;
        }
        line.remove_prefix(name.size());
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        return line.substr(0, line.find('\r'));
    }
    return std::nullopt;
}

/// The first answer in what was received.
struct WholeAnswer {
    std::size_t size = 0;  // 0 while it is not whole
    int status = 0;
    bool closes = false;  // the server will not answer on this connection any more
    std::string_view head;
    std::string_view body;
};

WholeAnswer whole_answer(std::string_view text) {
    WholeAnswer answer;
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return answer;
    }
    answer.head = text.substr(0, end + 4);
    std::size_t length = 0;
    if (const auto text_of_length = header_of(answer.head, "content-length:")) {
        std::from_chars(text_of_length->data(), text_of_length->data() + text_of_length->size(),
                        length);
    }
    if (answer.head.size() + length > text.size()) {
        return answer;
    }
    answer.body = text.substr(answer.head.size(), length);
    std::from_chars(text.data() + 9, text.data() + 12, answer.status);
    answer.closes = equals_lower(header_of(answer.head, "connection:").value_or(""), "close");
    answer.size = answer.head.size() + length;
    return answer;
}

class Generator {
public:
    Generator(const LoadPlan& plan, const NextRequest& next_request, const CheckAnswer& check)
        : plan_(plan),
          next_request_(next_request),
          check_(check),
          random_(plan.seed),
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
    bool connect(std::size_t number);
    bool connect_all();
    void ask(std::size_t number, Clock::time_point due);
    void ask_what_is_due(Clock::time_point now);
    Clock::time_point due_next() const {
        return began_ + std::chrono::duration_cast<Clock::duration>(duration<double>(next_due_));
    }
    void receive(std::size_t number);
    void take(Connection& connection, const WholeAnswer& answer);
    void on_ended(std::size_t number);
    int wait(epoll_event* events, int num_events, Clock::time_point now) const;
    bool is_over(Clock::time_point now) const {
        return duration<double>(now - began_).count() >= plan_.seconds;
    }

    LoadPlan plan_;
    const NextRequest& next_request_;
    const CheckAnswer& check_;
    Random random_;
    int epoll_;
    std::vector<Connection> connections_;
    std::deque<std::size_t> idle_;
    std::size_t num_busy_ = 0;
    double next_due_ = 0;  // of an open loop, in seconds from the beginning
    Clock::time_point began_;
    Clock::time_point last_look_;
    std::string request_;
    LoadResult result_;
};

bool Generator::connect(std::size_t number) {
    Connection& connection = connections_[number];
    connection.received.clear();
    connection.descriptor = connect_to(plan_.port);
    if (connection.descriptor < 0) {
        return false;
    }
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 = number;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.descriptor, &event);
    return true;
}

bool Generator::connect_all() {
    for (std::size_t number = 0; number < connections_.size(); ++number) {
        if (!connect(number)) {
            return false;
        }
        idle_.push_back(number);
    }
    return true;
}

void Generator::ask(std::size_t number, Clock::time_point due) {
    Connection& connection = connections_[number];
    connection.asked = next_request_(request_);
    connection.due = due;
    connection.is_busy = true;
    ++num_busy_;
    if (::send(connection.descriptor, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size())) {
        on_ended(number);
    }
}

/// The server ended the connection; that costs an answer only where one was due.
void Generator::on_ended(std::size_t number) {
    Connection& connection = connections_[number];
    ::close(std::exchange(connection.descriptor, -1));
    if (std::exchange(connection.is_busy, false)) {
        ++result_.num_broken;
        --num_busy_;
    } else {
        idle_.erase(std::find(idle_.begin(), idle_.end(), number));
    }
    if (connect(number)) {
        idle_.push_back(number);
    } else {
        ++result_.num_broken;
    }
}

/// Requests that no connection is free for stay due, and their time runs.
void Generator::ask_what_is_due(Clock::time_point now) {
    if (is_over(now)) {
        return;
    }
    while (!idle_.empty()) {
        Clock::time_point due = Clock::now();
        if (plan_.rate > 0) {
            due = due_next();
            if (due > now) {
                return;
            }
            if (due > last_look_) {
                // It fell due since the last look: what is late now, the generator is to blame for.
                result_.lags.push_back(duration<float, std::micro>(now - due).count());
            }
            next_due_ += (plan_.poisson ? -std::log(1 - random_.uniform()) : 1) / plan_.rate;
        }
        const std::size_t number = idle_.front();
        idle_.pop_front();
        ask(number, due);
    }
}

void Generator::take(Connection& connection, const WholeAnswer& answer) {
    const Clock::time_point now = Clock::now();
    ++result_.num_answers;
    if (answer.status != 200) {
        ++result_.num_not_ok;
        StatusCount& count = result_.not_ok[answer.status];
        if (count.count++ == 0) {
            count.first_seconds = duration<double>(connection.due - began_).count();
        }
    } else if (check_ && !check_(connection.asked, answer.head, answer.body)) {
        ++result_.num_wrong;
    }
    result_.times.push_back({duration<float>(connection.due - began_).count(),
                             duration<float, std::micro>(now - connection.due).count()});
}

void Generator::receive(std::size_t number) {
    Connection& connection = connections_[number];
    std::array<char, 65536> buffer;
    const ssize_t size = ::recv(connection.descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size <= 0) {
        return on_ended(number);
    }
    connection.received.append(buffer.data(), static_cast<std::size_t>(size));
    const WholeAnswer answer = whole_answer(connection.received);
    if (answer.size == 0 || !connection.is_busy) {
        return;
    }
    take(connection, answer);
    const bool closes = answer.closes;
    connection.received.erase(0, answer.size);
    connection.is_busy = false;
    --num_busy_;
    idle_.push_back(number);
    if (closes) {
        on_ended(number);
    }
}

/// Until something comes, or the next request is due. In a closed loop, and where requests wait for
/// a connection, until some time has passed: woken for every answer, the generator would take the
/// server's core away from it each time.
int Generator::wait(epoll_event* events, int num_events, Clock::time_point now) const {
    using std::chrono::nanoseconds;
    const bool is_behind = plan_.rate > 0 && idle_.empty() && due_next() <= now;
    if (plan_.rate <= 0 || is_behind) {
        constexpr timespec kPause = {0, 50'000};
        ::clock_nanosleep(CLOCK_MONOTONIC, 0, &kPause, nullptr);
        return ::epoll_wait(epoll_, events, num_events, 0);
    }
    auto left = std::chrono::duration_cast<nanoseconds>(std::chrono::milliseconds(10));
    if (!idle_.empty()) {
        left = std::clamp(std::chrono::duration_cast<nanoseconds>(due_next() - now), nanoseconds(0),
                          left);
    }
    const timespec time = {0, static_cast<long>(left.count())};
    return ::epoll_pwait2(epoll_, events, num_events, &time, nullptr);
}

LoadResult Generator::run() {
    if (!connect_all()) {
        return {};
    }
    // The kernel may round a wait up by so much: not at all.
    ::prctl(PR_SET_TIMERSLACK, 1);
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
        const int num_events = wait(events.data(), static_cast<int>(events.size()), now);
        for (int place = 0; place < num_events; ++place) {
            receive(static_cast<std::size_t>(events[static_cast<std::size_t>(place)].data.u64));
        }
    }
    result_.began = began_;
    result_.seconds = duration<double>(Clock::now() - began_).count();
    result_.num_broken += num_busy_;
    result_.generator_cpu_seconds = cpu_seconds() - cpu_before;
    std::sort(result_.lags.begin(), result_.lags.end());
    return std::move(result_);
}

}  // namespace

std::vector<float> sorted_microseconds(const std::vector<AnswerTime>& times) {
    std::vector<float> microseconds;
    microseconds.reserve(times.size());
    for (const AnswerTime& time : times) {
        microseconds.push_back(time.microseconds);
    }
    std::sort(microseconds.begin(), microseconds.end());
    return microseconds;
}

LoadResult run_load(const LoadPlan& plan, const NextRequest& next_request,
                    const CheckAnswer& check) {
    return Generator(plan, next_request, check).run();
}

}  // namespace segue::bench
