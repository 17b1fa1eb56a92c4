#pragma once

// The connection, for a plain socket and for TLS over one; each is compiled in a file of its own.

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <utility>

#include "http/connection.h"
#include "http/handler_memory.h"
#include "http/request_reader.h"
#include "http/response_head.h"
#include "http/slow_thread.h"

namespace segue {

/// How long a client has to take in the last answer before its connection is gone.
inline constexpr std::chrono::milliseconds kLingerTime{1000};
/// Answers up to this size go out in one piece with their headers.
inline constexpr std::size_t kJoinedBytes = 16'384;
/// Memory for an answer that a connection keeps.
inline constexpr std::size_t kKeptAnswerBytes = 4'096;

/// Whether an id from outside may stand in logs and headers.
inline bool is_fit_request_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == '.';
    });
}

/// `Transport` has a `stream` to read and write, its `socket()`, and how to begin and end:
/// begin(done), end(done) call done(error) on the loop, perhaps at once.
template <typename Transport>
class Connection final : public LoopMember,
                         public std::enable_shared_from_this<Connection<Transport>> {
public:
    template <typename... Parts>
    Connection(Loop& loop, ConnectionFacts facts, Parts&&... parts)
        : loop_(loop),
          facts_(std::move(facts)),
          reader_(loop.context().options.limits),
          transport_(std::forward<Parts>(parts)...) {}

    ~Connection() override {
        if (is_listed_) {
            loop_.remove(*this);
        }
        loop_.context().on_closed(loop_.number(), facts_.is_admin);
    }

    void start() {
        loop_.add(*this);
        is_listed_ = true;
        LoopCounts::add(loop_.counts().num_accepted);
        deadline_ = HttpClock::now() + options().header_timeout;
        transport_.begin([self = this->shared_from_this()](const Error& error) {
            if (!error) {
                self->await_request();
            }
        });
    }

    void check_deadline(HttpClock::time_point now) override {
        if (now < deadline_) {
            return;
        }
        deadline_ = HttpClock::time_point::max();
        if (phase_ == Phase::kReading && !reader_.is_idle()) {
            // The read comes back cancelled and is answered with 408.
            has_timed_out_ = true;
            Error ignored;
            transport_.socket().cancel(ignored);
        } else {
            if (phase_ == Phase::kWriting) {
                LoopCounts::add(loop_.counts().num_timed_out);
            }
            cut();
        }
    }

    void close_when_idle() override {
        // A read that is done already comes first.
        boost::asio::post(loop_.io(), [self = this->shared_from_this()] { self->cut_if_idle(); });
    }

    void cut() override {
        Error ignored;
        transport_.socket().close(ignored);
    }

    void write_now() override { write(); }

private:
    using Error = boost::system::error_code;
    enum class Phase { kBeginning, kReading, kHandling, kWriting, kEnding };

    const HttpServerOptions& options() const { return loop_.context().options; }

    /// What was sent before is answered, also if it was not read yet.
    void cut_if_idle() {
        Error error;
        if (phase_ == Phase::kReading && reader_.is_idle() &&
            transport_.socket().available(error) == 0) {
            cut();
        }
    }

    /// Requires: nothing of the next request has come.
    void await_request() {
        phase_ = Phase::kReading;
        part_ = Part::kNothing;
        deadline_ = HttpClock::now() + options().idle_timeout;
        if (loop_.context().is_ending) {
            cut_if_idle();
        }
        read();
    }

    void read() {
        const std::span<char> space = reader_.space();
        transport_.stream.async_read_some(
            boost::asio::buffer(space.data(), space.size()),
            in_memory(read_memory_,
                      [self = this->shared_from_this()](const Error& error, std::size_t size) {
                          self->on_read(error, size);
                      }));
    }

    void on_read(const Error& error, std::size_t size) {
        if (has_timed_out_) {
            LoopCounts::add(loop_.counts().num_timed_out);
            return refuse({408, "DEADLINE_EXCEEDED", "the request took too long to come"});
        }
        if (error) {
            return;  // the client is gone
        }
        reader_.commit(size);
        advance();
    }

    void advance() {
        switch (reader_.advance()) {
            case RequestReader::Outcome::kNeedsMore:
                return await_more();
            case RequestReader::Outcome::kExpectsContinue:
                return write_continue();
            case RequestReader::Outcome::kRequest:
                return handle();
            case RequestReader::Outcome::kRefused:
                LoopCounts::add(loop_.counts().num_refused);
                return refuse(reader_.refusal());
        }
    }

    /// A deadline is set when a part of the request begins, and not moved by each byte.
    void await_more() {
        const Part part = reader_.is_in_body() ? Part::kBody : Part::kHeader;
        if (part != part_) {
            part_ = part;
            deadline_ = HttpClock::now() +
                        (part == Part::kBody ? options().body_timeout : options().header_timeout);
        }
        read();
    }

    void write_continue() {
        static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        boost::asio::async_write(
            transport_.stream, boost::asio::buffer(kContinue.data(), kContinue.size()),
            [self = this->shared_from_this()](const Error& error, std::size_t) {
                if (!error) {
                    self->await_more();
                }
            });
    }

    /// Answers a request that no handler will see, and ends the connection.
    void refuse(const Refusal& refusal) {
        phase_ = Phase::kHandling;
        began_ = HttpClock::now();
        method_ = HttpMethod::kOther;
        request_id_ = loop_.next_request_id();
        response_.clear();
        response_.route = "refused";
        response_.close = true;
        set_error(response_, refusal.status, refusal.code, refusal.text, request_id_);
        finish();
    }

    void handle() {
        phase_ = Phase::kHandling;
        deadline_ = HttpClock::time_point::max();
        began_ = HttpClock::now();
        HttpRequest& request = reader_.request();
        const std::optional<std::string_view> given = request.header("X-Request-Id");
        request_id_ = given && is_fit_request_id(*given) ? *given : loop_.next_request_id();
        request.request_id = request_id_;
        request.peer = facts_.peer;
        request.worker = loop_.number();
        request.on_admin_listener = facts_.is_admin;
        request.is_over_limit = facts_.is_over_limit;
        method_ = request.method;
        response_.clear();
        response_.close = facts_.is_over_limit;
        const Loop::Wait wait = loop_.enter_request(began_);
        if (!facts_.is_admin && options().max_queue_age.count() > 0 &&
            wait.age > options().max_queue_age) {
            return shed(ShedReason::kQueueAge);
        }
        if (!facts_.is_admin && wait.num_before >= options().max_queued) {
            return shed(ShedReason::kQueueLength);
        }
        LoopCounts::add(loop_.counts().num_in_flight);
        is_in_flight_ = true;
        guarded([&] { loop_.context().handler(request, response_); });
        if (response_.later) {
            return handle_later();
        }
        finish();
    }

    void handle_later() {
        auto work = std::exchange(response_.later, nullptr);
        const bool is_taken = loop_.context().slow_thread->run(
            [self = this->shared_from_this(), work = std::move(work)]() mutable {
                self->guarded([&] { work(self->response_); });
                work = nullptr;
                Loop& loop = self->loop_;
                boost::asio::post(loop.io(), [self = std::move(self)] { self->finish(); });
            });
        if (!is_taken) {
            shed(ShedReason::kSlowQueue);
        }
    }

    void shed(ShedReason reason) {
        LoopCounts::add(loop_.counts().num_shed[static_cast<std::size_t>(reason)]);
        response_.route = "shed";
        response_.add_header("Retry-After", "1");
        set_error(response_, 503, "UNAVAILABLE", "the server is overloaded", request_id_);
        finish();
    }

    /// A handler that throws has a bug or no memory; its request must not end the program.
    template <typename Work>
    void guarded(const Work& work) {
        try {
            work();
        } catch (const std::bad_alloc&) {
            fail(503, "RESOURCE_EXHAUSTED", "out of memory");
        } catch (const std::exception&) {
            fail(500, "INTERNAL", "internal error");
        }
    }

    void fail(int status, std::string_view code, std::string_view text) {
        const std::string_view route = response_.route;
        response_.clear();
        response_.route = route;
        set_error(response_, status, code, text, request_id_);
    }

    void finish() {
        if (std::exchange(is_in_flight_, false)) {
            LoopCounts::add(loop_.counts().num_in_flight, ~std::uint64_t{0});
        }
        const HttpClock::time_point now = HttpClock::now();
        if (loop_.context().observer) {
            loop_.context().observer(response_, std::chrono::duration<double>(now - began_).count(),
                                     loop_.number());
        }
        closes_ = response_.close || !reader_.keeps_alive() ||
                  loop_.context().says_close.load(std::memory_order_relaxed);
        write_head(response_,
                   {.request_id = request_id_,
                    .date = loop_.date(),
                    .closes = closes_,
                    .is_http_1_0 = reader_.is_http_1_0()},
                   head_);
        phase_ = Phase::kWriting;
        deadline_ = now + options().write_timeout;
        loop_.write_soon(this->shared_from_this(), now);
    }

    void write() {
        std::string_view body;
        if (has_body(response_, method_)) {
            body = response_.body;
        }
        if (body.size() <= kJoinedBytes) {
            head_ += body;
            body = {};
        }
        std::size_t written = 0;
        if (body.empty()) {
            written = transport_.try_write(head_);
            if (written == head_.size()) {
                return on_written({});
            }
        }
        const std::array buffers = {
            boost::asio::const_buffer(head_.data() + written, head_.size() - written),
            boost::asio::const_buffer(body.data(), body.size())};
        boost::asio::async_write(transport_.stream, buffers,
                                 [self = this->shared_from_this()](
                                     const Error& error, std::size_t) { self->on_written(error); });
    }

    void on_written(const Error& error) {
        if (error) {
            return;
        }
        if (closes_) {
            return end();
        }
        if (response_.body.capacity() > kKeptAnswerBytes && !reader_.has_bytes()) {
            response_.body = {};
            head_ = {};
        }
        reader_.next();
        if (!reader_.has_bytes()) {
            return await_request();
        }
        // The next one is here already; others of this loop come first.
        phase_ = Phase::kReading;
        part_ = Part::kHeader;
        deadline_ = HttpClock::now() + options().header_timeout;
        boost::asio::post(loop_.io(), [self = this->shared_from_this()] { self->advance(); });
    }

    /// Says that nothing more comes, and takes in what the client still sends: closing at once
    /// would reset the connection, and the answer with it.
    void end() {
        phase_ = Phase::kEnding;
        deadline_ = HttpClock::now() + kLingerTime;
        transport_.end([self = this->shared_from_this()](const Error& error) {
            if (!error) {
                self->drop_rest();
            }
        });
    }

    void drop_rest() {
        transport_.socket().async_read_some(
            boost::asio::buffer(dropped_),
            [self = this->shared_from_this()](const Error& error, std::size_t) {
                if (!error) {
                    self->drop_rest();
                }
            });
    }

    enum class Part { kNothing, kHeader, kBody };

    Loop& loop_;
    ConnectionFacts facts_;
    RequestReader reader_;
    HttpResponse response_;
    std::string head_;
    std::string request_id_;
    HttpMethod method_ = HttpMethod::kOther;
    Phase phase_ = Phase::kBeginning;
    Part part_ = Part::kNothing;
    bool is_listed_ = false;
    bool is_in_flight_ = false;
    bool has_timed_out_ = false;
    bool closes_ = false;
    HttpClock::time_point began_;
    HttpClock::time_point deadline_ = HttpClock::time_point::max();
    std::array<char, 512> dropped_{};
    HandlerMemory read_memory_;
    Transport transport_;
};

}  // namespace segue
