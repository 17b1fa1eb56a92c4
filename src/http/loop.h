#pragma once

// One thread of the server with its connections. Private to the folder.

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/handler_memory.h"
#include "http/server.h"

namespace segue {

class SlowThread;

/// The clock of all timeouts: monotonic, so that setting the wall clock changes none.
using HttpClock = std::chrono::steady_clock;

/// Links of a list that an object is in as long as it lives.
class LoopMember {
public:
    LoopMember() = default;
    LoopMember(const LoopMember&) = delete;
    LoopMember& operator=(const LoopMember&) = delete;
    virtual ~LoopMember();

    /// On the loop: closes or answers what has waited too long.
    virtual void check_deadline(HttpClock::time_point now) = 0;
    /// On the loop: the server ends; what is idle closes now, all else after its answer.
    virtual void close_when_idle() = 0;
    /// On the loop: closes at once.
    virtual void cut() = 0;
    /// On the loop: writes the answer that write_soon() was told of.
    virtual void write_now() = 0;

private:
    friend class Loop;
    LoopMember* previous_ = nullptr;
    LoopMember* next_ = nullptr;
};

/// Counts of one loop; written by it, read by anybody.
struct LoopCounts {
    std::atomic<std::uint64_t> num_accepted = 0;
    std::atomic<std::uint64_t> num_in_flight = 0;
    std::atomic<std::uint64_t> num_refused = 0;
    std::atomic<std::uint64_t> num_timed_out = 0;
    std::atomic<std::uint64_t> num_shed[static_cast<std::size_t>(ShedReason::kNumReasons)] = {};

    /// Of one writer only, so no locked instruction is needed.
    static void add(std::atomic<std::uint64_t>& count, std::uint64_t difference = 1) {
        count.store(count.load(std::memory_order_relaxed) + difference, std::memory_order_relaxed);
    }
};

/// What all connections of a server share. Immutable once the loops run, but for the flags.
struct ServerContext {
    HttpServerOptions options;
    HttpHandler handler;
    HttpObserver observer;
    SlowThread* slow_thread = nullptr;
    std::atomic<bool> says_close = false;  // every answer asks the client to close
    std::atomic<bool> is_ending = false;   // a connection closes when it has nothing to answer
    /// Told on the loop of a connection that it is gone.
    std::function<void(unsigned loop, bool is_admin)> on_closed;
};

/// Everything but post(), num_connections() and the counts belongs to the loop's thread.
class Loop {
public:
    Loop(ServerContext& context, unsigned number);
    /// Stops the thread; connections are gone before.
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    boost::asio::io_context& io() { return io_; }
    ServerContext& context() { return context_; }
    unsigned number() const { return number_; }
    LoopCounts& counts() { return counts_; }
    const LoopCounts& counts() const { return counts_; }
    void start();
    /// Ends the thread once the work at hand is done.
    void stop();

    void add(LoopMember& member);
    void remove(LoopMember& member);
    void for_each(const std::function<void(LoopMember&)>& visit);

    /// Since when the requests found at the same time as the one being handled have waited, and
    /// how many were handled before it. Called once for each request.
    struct Wait {
        std::chrono::microseconds age;
        std::size_t num_before;
    };
    Wait enter_request(HttpClock::time_point now);
    /// Writes an answer with others that are ready about now: requests are handled one after the
    /// other, then answers written one after the other, as each of the two finds its code in the
    /// caches when the other did not run in between.
    void write_soon(std::shared_ptr<LoopMember> member, HttpClock::time_point now);

    /// The current date, not older than a tick.
    const std::string& date() const { return date_; }
    /// A new request id, valid until the next call.
    std::string_view next_request_id();

private:
    void tick();
    void end_round();
    void write_all();

    ServerContext& context_;
    unsigned number_;
    HandlerMemory round_memory_;  // outlives the operations of io_
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::basic_waitable_timer<HttpClock, boost::asio::wait_traits<HttpClock>,
                                      boost::asio::io_context::executor_type>
        timer_;
    std::chrono::milliseconds tick_length_;
    LoopCounts counts_;
    LoopMember* first_ = nullptr;
    std::string date_;
    std::array<char, 16> request_id_{};
    std::uint64_t id_prefix_ = 0;
    std::uint64_t num_ids_ = 0;
    bool is_stopping_ = false;
    bool round_is_open_ = false;
    HttpClock::time_point round_began_;
    std::size_t num_in_round_ = 0;
    std::vector<std::shared_ptr<LoopMember>> writers_;
    std::vector<std::shared_ptr<LoopMember>> writing_;  // for its memory
    HttpClock::time_point first_writer_came_;
    std::thread thread_;
};

}  // namespace segue
