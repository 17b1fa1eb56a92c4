#include "http/loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>

#include "base/checksum.h"
#include "http/response_head.h"

namespace segue {
namespace {

using std::chrono::milliseconds;

/// Answers that wait to be written together, and how long the first of them may have waited when
/// another comes.
constexpr std::size_t kMostWriters = 16;
constexpr std::chrono::microseconds kLongestWait{30};

/// Often enough that a timeout is met within a quarter of itself, seldom enough to cost nothing.
milliseconds tick_length_for(const HttpServerOptions& options) {
    const milliseconds shortest = std::min({options.header_timeout, options.body_timeout,
                                            options.write_timeout, options.idle_timeout});
    return std::clamp(shortest / 4, milliseconds(5), milliseconds(250));
}

}  // namespace

LoopMember::~LoopMember() = default;

Loop::Loop(ServerContext& context, unsigned number)
    : context_(context),
      number_(number),
      work_(io_.get_executor()),
      timer_(io_.get_executor()),
      tick_length_(tick_length_for(context.options)),
      date_(http_date()) {
    std::random_device random;
    id_prefix_ = static_cast<std::uint64_t>(random()) << 32 | random();
}

Loop::~Loop() {
    stop();
}

void Loop::start() {
    thread_ = std::thread([this] {
        tick();
        io_.run();
    });
}

void Loop::stop() {
    if (!thread_.joinable()) {
        return;
    }
    boost::asio::post(io_, [this] {
        is_stopping_ = true;
        timer_.cancel();
        work_.reset();
        // What still hangs on a peer must not keep the thread.
        for_each([](LoopMember& member) { member.cut(); });
    });
    thread_.join();
}

void Loop::add(LoopMember& member) {
    member.next_ = first_;
    if (first_ != nullptr) {
        first_->previous_ = &member;
    }
    first_ = &member;
}

void Loop::remove(LoopMember& member) {
    if (member.previous_ != nullptr) {
        member.previous_->next_ = member.next_;
    } else if (first_ == &member) {
        first_ = member.next_;
    }
    if (member.next_ != nullptr) {
        member.next_->previous_ = member.previous_;
    }
    member.previous_ = member.next_ = nullptr;
}

void Loop::for_each(const std::function<void(LoopMember&)>& visit) {
    for (LoopMember* member = first_; member != nullptr;) {
        LoopMember* const next = member->next_;  // a visit may remove its own member
        visit(*member);
        member = next;
    }
}

void Loop::tick() {
    const HttpClock::time_point now = HttpClock::now();
    for_each([now](LoopMember& member) { member.check_deadline(now); });
    date_ = http_date();
    timer_.expires_after(tick_length_);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && !is_stopping_) {
            tick();
        }
    });
}

Loop::Wait Loop::enter_request(HttpClock::time_point now) {
    if (!round_is_open_) {
        // Everything the loop found ready together runs before what is posted now.
        round_is_open_ = true;
        round_began_ = now;
        num_in_round_ = 0;
        boost::asio::post(io_, in_memory(round_memory_, [this] { end_round(); }));
    }
    return {std::chrono::duration_cast<std::chrono::microseconds>(now - round_began_),
            num_in_round_++};
}

void Loop::end_round() {
    round_is_open_ = false;
    write_all();
}

void Loop::write_soon(std::shared_ptr<LoopMember> member, HttpClock::time_point now) {
    if (writers_.empty()) {
        first_writer_came_ = now;
    }
    writers_.push_back(std::move(member));
    if (!round_is_open_ || writers_.size() >= kMostWriters ||
        now - first_writer_came_ > kLongestWait) {
        write_all();
    }
}

void Loop::write_all() {
    writing_.swap(writers_);
    for (const std::shared_ptr<LoopMember>& member : writing_) {
        member->write_now();
    }
    writing_.clear();
}

std::string_view Loop::next_request_id() {
    // Neighbouring ids look nothing alike, so that a part of one finds its line in a log.
    const std::uint64_t numbers[] = {id_prefix_, num_ids_++};
    std::uint64_t id = xxh3_64(std::as_bytes(std::span(numbers)));
    for (char& digit : request_id_) {
        digit = "0123456789abcdef"[id >> 60U];
        id <<= 4U;
    }
    return {request_id_.data(), request_id_.size()};
}

}  // namespace segue
