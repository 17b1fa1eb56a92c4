#pragma once

// A server of HTTP/1.1 on Boost.Asio: one thread accepts, each loop has its connections, a handler
// runs on the loop that read its request. What is slow goes to a thread of its own.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "http/message.h"
#include "http/request_reader.h"

namespace segue {

struct HttpListener {
    std::string address = "127.0.0.1";  // numeric, IPv4 or IPv6
    std::uint16_t port = 0;             // 0 for any free one
    bool is_admin = false;
    bool uses_tls = false;
};

/// Files in PEM. With `client_ca_file` clients must show a certificate it signed.
struct TlsFiles {
    std::string certificate_file;  // the server's, then the intermediates
    std::string key_file;
    std::string client_ca_file;
};

struct HttpServerOptions {
    std::vector<HttpListener> listeners;
    unsigned num_loops = 1;
    RequestLimits limits;
    std::chrono::milliseconds header_timeout{5000};  // from its first byte; TLS handshakes too
    std::chrono::milliseconds body_timeout{10000};   // from the end of the header
    std::chrono::milliseconds write_timeout{10000};
    std::chrono::milliseconds idle_timeout{60000};
    /// Of the public listeners; lowered to what the limit of open files leaves. Beyond it come a
    /// few that are told `is_over_limit`, then nobody is accepted until somebody leaves. Admin
    /// listeners have a few of their own.
    std::size_t max_connections = 10000;
    /// A request that waited longer behind others of its loop is refused, 0 for never.
    std::chrono::microseconds max_queue_age{20000};
    /// So is one with more than this many before it in its loop.
    std::size_t max_queued = 1024;
    /// And one for the slow thread with as many waiting there.
    std::size_t max_slow_queued = 32;
    std::optional<TlsFiles> tls;
};

/// Why requests were not let through to the handler.
enum class ShedReason { kQueueAge, kQueueLength, kSlowQueue, kNumReasons };

/// "queue_age", "queue_length", "slow_queue".
std::string_view name_of(ShedReason reason);

/// Sums over all loops since the start, connections as of now.
struct HttpServerCounts {
    std::uint64_t num_accepted = 0;
    std::uint64_t num_connections = 0;
    std::uint64_t num_in_flight = 0;
    std::uint64_t num_refused = 0;    // not well-formed, too large
    std::uint64_t num_timed_out = 0;  // header, body or write
    std::uint64_t num_shed[static_cast<std::size_t>(ShedReason::kNumReasons)] = {};
};

/// Called once for every answer, on its loop: for counting. `seconds` is from the end of the
/// request's last byte to the end of the handler.
using HttpObserver =
    std::function<void(const HttpResponse& response, double seconds, unsigned worker)>;

/// Thread-safe but for the destructor.
class HttpServer {
public:
    /// Listens and answers from now on. Returns an error if: an address is taken or is no address,
    /// or the certificate cannot be read.
    static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options,
                                                     HttpHandler handler,
                                                     HttpObserver observer = {});
    /// Closes what is still open.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// The port of each listener, in the order of the options.
    std::vector<std::uint16_t> ports() const;
    HttpServerCounts counts() const;

    /// Uses the files as they are now for connections to come. Returns an error if: they cannot be
    /// read or do not fit together; the old ones stay then.
    Status reload_tls();

    /// Ends in good order: for `delay` the listeners stay open while every answer asks its client
    /// to close, so that balancers see it coming; then nobody is accepted, what was sent is
    /// answered, and what is idle is closed. Waits until no connection is left, at most `deadline`
    /// from the start; false when some were cut.
    bool drain(std::chrono::milliseconds delay, std::chrono::milliseconds deadline);

private:
    struct State;
    explicit HttpServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace segue
