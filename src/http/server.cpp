#include "http/server.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "http/connection.h"
#include "http/slow_thread.h"
#include "http/tls_context.h"

namespace segue {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;

/// Connections beyond the limit that are only told about the server's health.
constexpr std::size_t kReservedConnections = 16;
/// Of all admin listeners.
constexpr std::size_t kAdminConnections = 64;
/// Descriptors for everything that is no connection: files, listeners, loops.
constexpr std::size_t kOtherDescriptors = 64;
/// Until the next try when the kernel has no descriptor for a new connection.
constexpr milliseconds kAcceptPause{100};

/// What the limit of open files leaves of `wanted` connections, at least one.
std::size_t possible_connections(std::size_t wanted) {
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return wanted;
    }
    const std::size_t taken = kReservedConnections + kAdminConnections + kOtherDescriptors;
    const std::size_t left = limit.rlim_cur > taken ? limit.rlim_cur - taken : 1;
    return std::min(wanted, left);
}

}  // namespace

struct HttpServer::State {
    using Acceptor =
        boost::asio::basic_socket_acceptor<tcp, boost::asio::io_context::executor_type>;
    struct Listener {
        HttpListener options;
        Acceptor acceptor;
        bool is_waiting = false;  // for a place; accept() is not under way
    };

    State(const HttpServerOptions& options, HttpHandler handler, HttpObserver observer);
    ~State();
    Status listen(const HttpListener& options);
    void accept(Listener& listener);
    void start_connection(const Listener& listener, Loop& loop, LoopSocket socket);
    void close_listeners();
    Loop& emptiest_loop();
    std::size_t num_connections() const;
    std::size_t max_public() const {
        return context.options.max_connections + kReservedConnections;
    }
    bool is_full(bool is_admin) const;
    void on_closed(unsigned loop, bool is_admin);
    void for_each_member(void (LoopMember::*visit)());

    ServerContext context;
    std::unique_ptr<TlsContext> tls;
    std::unique_ptr<SlowThread> slow_thread;
    std::vector<std::unique_ptr<Loop>> loops;
    std::vector<std::atomic<std::size_t>> loop_connections;
    std::atomic<std::size_t> num_public = 0;
    std::atomic<std::size_t> num_admin = 0;
    std::mutex mutex;  // only to wait for the last connection
    std::condition_variable closed;
    // The accepting thread, and what belongs to it.
    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        io.get_executor()};
    boost::asio::steady_timer accept_timer{io};
    std::vector<std::unique_ptr<Listener>> listeners;
    std::thread thread;
};

HttpServer::State::State(const HttpServerOptions& options, HttpHandler handler,
                         HttpObserver observer)
    : loop_connections(std::max(1U, options.num_loops)) {
    context.options = options;
    context.options.max_connections = possible_connections(options.max_connections);
    context.handler = std::move(handler);
    context.observer = std::move(observer);
    context.on_closed = [this](unsigned loop, bool is_admin) { on_closed(loop, is_admin); };
    slow_thread = std::make_unique<SlowThread>(options.max_slow_queued);
    context.slow_thread = slow_thread.get();
    for (unsigned number = 0; number < loop_connections.size(); ++number) {
        loops.push_back(std::make_unique<Loop>(context, number));
    }
}

HttpServer::State::~State() {
    if (thread.joinable()) {
        boost::asio::post(io, [this] {
            close_listeners();
            accept_timer.cancel();
            work.reset();
        });
        thread.join();
    }
    slow_thread.reset();  // what it finishes goes to the loops
    for (const std::unique_ptr<Loop>& loop : loops) {
        loop->stop();
    }
}

Status HttpServer::State::listen(const HttpListener& options) {
    const std::string place = fmt::format("{}:{}", options.address, options.port);
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(options.address, error);
    if (error) {
        return invalid_argument(
            fmt::format("'{}' is no numeric address such as 127.0.0.1 or ::1", options.address));
    }
    auto listener = std::make_unique<Listener>(Listener{options, Acceptor(io), false});
    const tcp::endpoint endpoint(address, options.port);
    listener->acceptor.open(endpoint.protocol(), error);
    if (!error) {
        listener->acceptor.set_option(Acceptor::reuse_address(true), error);
    }
    if (!error) {
        listener->acceptor.bind(endpoint, error);
    }
    if (!error) {
        listener->acceptor.listen(Acceptor::max_listen_connections, error);
    }
    if (error) {
        return io_error(fmt::format("cannot listen on {}: {}", place, error.message()));
    }
    listeners.push_back(std::move(listener));
    return {};
}

Loop& HttpServer::State::emptiest_loop() {
    std::size_t best = 0;
    for (std::size_t number = 1; number < loops.size(); ++number) {
        if (loop_connections[number] < loop_connections[best]) {
            best = number;
        }
    }
    return *loops[best];
}

std::size_t HttpServer::State::num_connections() const {
    return num_public + num_admin;
}

bool HttpServer::State::is_full(bool is_admin) const {
    return is_admin ? num_admin >= kAdminConnections : num_public >= max_public();
}

void HttpServer::State::accept(Listener& listener) {
    if (is_full(listener.options.is_admin)) {
        listener.is_waiting = true;  // on_closed() goes on
        return;
    }
    Loop& loop = emptiest_loop();
    listener.acceptor.async_accept(
        loop.io(),
        [this, &listener, &loop](const boost::system::error_code& error, LoopSocket socket) {
            if (!listener.acceptor.is_open()) {
                return;
            }
            if (!error) {
                start_connection(listener, loop, std::move(socket));
            } else if (error == boost::asio::error::no_descriptors ||
                       error == boost::asio::error::no_buffer_space ||
                       error == boost::asio::error::no_memory) {
                listener.is_waiting = true;
                accept_timer.expires_after(kAcceptPause);
                accept_timer.async_wait([this](const boost::system::error_code& cancelled) {
                    for (const auto& each : listeners) {
                        if (!cancelled && each->is_waiting && each->acceptor.is_open()) {
                            each->is_waiting = false;
                            accept(*each);
                        }
                    }
                });
                return;
            }
            accept(listener);
        });
}

void HttpServer::State::start_connection(const Listener& listener, Loop& loop, LoopSocket socket) {
    const bool is_admin = listener.options.is_admin;
    ConnectionFacts facts;
    facts.is_admin = is_admin;
    facts.is_over_limit = !is_admin && num_public >= context.options.max_connections;
    boost::system::error_code error;
    facts.peer = socket.remote_endpoint(error).address().to_string();
    socket.set_option(tcp::no_delay(true), error);
    ++(is_admin ? num_admin : num_public);
    ++loop_connections[loop.number()];
    if (listener.options.uses_tls) {
        start_tls_connection(loop, std::move(socket), *tls->current(), std::move(facts));
    } else {
        start_plain_connection(loop, std::move(socket), std::move(facts));
    }
}

void HttpServer::State::on_closed(unsigned loop, bool is_admin) {
    --loop_connections[loop];
    // Exactly one of those who leave takes the count below the limit, and sees it.
    const bool was_full =
        is_admin ? num_admin-- == kAdminConnections : num_public-- == max_public();
    if (was_full) {
        boost::asio::post(io, [this] {
            for (const auto& listener : listeners) {
                if (listener->is_waiting && listener->acceptor.is_open()) {
                    listener->is_waiting = false;
                    accept(*listener);
                }
            }
        });
    }
    if (num_connections() == 0) {
        const std::lock_guard<std::mutex> lock(mutex);
        closed.notify_all();
    }
}

void HttpServer::State::close_listeners() {
    boost::system::error_code ignored;
    for (const auto& listener : listeners) {
        listener->acceptor.close(ignored);
    }
}

void HttpServer::State::for_each_member(void (LoopMember::*visit)()) {
    for (const std::unique_ptr<Loop>& loop : loops) {
        boost::asio::post(loop->io(), [&loop = *loop, visit] {
            loop.for_each([visit](LoopMember& member) { (member.*visit)(); });
        });
    }
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                      HttpHandler handler, HttpObserver observer) {
    auto state = std::make_unique<State>(options, std::move(handler), std::move(observer));
    if (options.tls) {
        state->tls = std::make_unique<TlsContext>(*options.tls);
        if (Status status = state->tls->reload(); !status.ok()) {
            return status;
        }
    }
    for (const HttpListener& listener : options.listeners) {
        if (listener.uses_tls && !options.tls) {
            return invalid_argument("TLS needs a certificate and its key");
        }
        if (Status status = state->listen(listener); !status.ok()) {
            return status;
        }
    }
    for (const std::unique_ptr<Loop>& loop : state->loops) {
        loop->start();
    }
    for (const auto& listener : state->listeners) {
        state->accept(*listener);
    }
    state->thread = std::thread([&io = state->io] { io.run(); });
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

std::vector<std::uint16_t> HttpServer::ports() const {
    std::vector<std::uint16_t> ports;
    for (const auto& listener : state_->listeners) {
        boost::system::error_code error;
        ports.push_back(listener->acceptor.local_endpoint(error).port());
    }
    return ports;
}

HttpServerCounts HttpServer::counts() const {
    HttpServerCounts sum;
    sum.num_connections = state_->num_connections();
    for (const std::unique_ptr<Loop>& loop : state_->loops) {
        const LoopCounts& counts = loop->counts();
        sum.num_accepted += counts.num_accepted;
        sum.num_in_flight += counts.num_in_flight;
        sum.num_refused += counts.num_refused;
        sum.num_timed_out += counts.num_timed_out;
        for (std::size_t reason = 0; reason < std::size(sum.num_shed); ++reason) {
            sum.num_shed[reason] += counts.num_shed[reason];
        }
    }
    return sum;
}

Status HttpServer::reload_tls() {
    return state_->tls == nullptr ? Status() : state_->tls->reload();
}

bool HttpServer::drain(milliseconds delay, milliseconds deadline) {
    State& state = *state_;
    const HttpClock::time_point began = HttpClock::now();
    state.context.says_close = true;
    const auto no_connection = [&state] { return state.num_connections() == 0; };
    std::unique_lock<std::mutex> lock(state.mutex);
    state.closed.wait_until(lock, began + delay, [] { return false; });
    lock.unlock();
    std::promise<void> listeners_closed;
    boost::asio::post(state.io, [&] {
        state.close_listeners();
        listeners_closed.set_value();
    });
    listeners_closed.get_future().wait();
    state.context.is_ending = true;
    state.for_each_member(&LoopMember::close_when_idle);
    lock.lock();
    const bool is_clean = state.closed.wait_until(lock, began + deadline, no_connection);
    if (!is_clean) {
        lock.unlock();
        state.for_each_member(&LoopMember::cut);
    }
    return is_clean;
}

std::string_view name_of(ShedReason reason) {
    switch (reason) {
        case ShedReason::kQueueAge:
            return "queue_age";
        case ShedReason::kQueueLength:
            return "queue_length";
        case ShedReason::kSlowQueue:
            return "slow_queue";
        case ShedReason::kNumReasons:
            break;
    }
    return "unknown";
}

}  // namespace segue
