#pragma once

// The program under test, `segue serve` in a process of its own, and what can be seen of it from
// outside.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace segue::bench {

/// What a process holds.
struct Holdings {
    double anonymous_mib = 0;     // memory of its own
    std::size_t num_bundles = 0;  // distinct bundles that are mapped
    std::size_t num_files = 0;    // open
};

struct HttpAnswer {
    int status = 0;  // 0 without an answer
    std::string head;
    std::string body;
};

/// Ended with *this. Not thread-safe.
class SoakServer {
public:
    /// Serves the folder with a log beside it, and waits until it is ready. Returns an error if: it
    /// does not get ready.
    static Result<SoakServer> start(const std::string& program, const std::string& folder,
                                    const std::vector<std::string>& flags);
    SoakServer(SoakServer&& other) noexcept;
    SoakServer& operator=(SoakServer&&) = delete;
    ~SoakServer();

    std::uint16_t port() const { return port_; }
    std::uint16_t admin_port() const { return admin_port_; }
    pid_t process() const { return process_; }
    void send_signal(int signal) const;
    bool is_running() const;
    /// The exit code; -1 if it does not end in that time, -signal where one ended it.
    int wait(double seconds);
    Holdings holdings() const;

    /// Through the admin listener.
    HttpAnswer ask_admin(std::string_view method, std::string_view path,
                         std::string_view body = {}) const;

private:
    SoakServer() = default;
    pid_t process_ = -1;
    std::uint16_t port_ = 0;
    std::uint16_t admin_port_ = 0;
};

/// A port nobody listens on.
std::uint16_t free_port();

/// Puts `bundle` in place as models/NAME/VERSION.segue the way bundles are published: under
/// another name first, then renamed. It is linked, not copied.
Status publish(const std::string& bundle, const std::string& models, const std::string& name,
               std::uint64_t version);

/// Flags for rows that are judged by tails of times. A machine that stands still for a moment makes
/// those longer whatever is done to the service; requests that are refused because they waited then
/// would count as failures of what is done.
inline std::vector<std::string> nothing_shed() {
    return {"--max-queue-ms", "0"};
}

}  // namespace segue::bench
