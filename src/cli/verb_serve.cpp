// segue serve: answers over HTTP until it is told to end.

#include <fmt/core.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "serve/service.h"

namespace segue::cli {
namespace {

using std::chrono::milliseconds;

constexpr Range kPortRange = {0, 65535};
constexpr Range kSecondsRange = {0.001, 86400};
constexpr Range kBytesRange = {256, 1 << 30};

struct ServeArguments {
    static constexpr std::string_view kName = "serve";
    static constexpr std::string_view kSummary =
        "Answer over HTTP, and load new models as it runs.";
    std::string source;
    std::string listen = "127.0.0.1:8501";
    std::string admin = "127.0.0.1:8502";
    std::string tokens_file;
    bool insecure = false;
    std::string certificate_file;
    std::string key_file;
    std::string client_ca_file;
    bool require_blessed = false;
    bool trust = false;
    bool copy = false;
    std::uint64_t memory_limit_mib = 0;
    std::uint32_t max_versions = 0;
    bool compat = false;
    std::uint32_t threads = 0;
    std::uint64_t max_connections = 10000;
    std::uint64_t header_limit = 8'192;
    std::uint64_t body_limit = 262'144;
    double header_timeout = 5;
    double body_timeout = 10;
    double write_timeout = 10;
    double idle_timeout = 60;
    double max_queue_ms = 20;
    double drain_delay = 0;
    double drain_timeout = 30;

    void declare(Options& options);
    Status check() const;
    Status run(Console& console) const;
};

void ServeArguments::declare(Options& options) {
    options.positional("SOURCE", source,
                       "a bundle, served under its file's name as version 1; or a folder with "
                       "NAME/VERSION.segue, where bundles are published by renaming");
    options.text("listen", listen, "ADDRESS:PORT", "where questions are answered; port 0 is any");
    options.text("admin", admin, "ADDRESS:PORT",
                 "where administrators and balancers ask, with places of their own; \"none\" for "
                 "no such listener");
    options.text("tokens", tokens_file, "FILE",
                 "who may ask what: lines of NAME SCOPES TOKEN [REQUESTS_PER_SECOND]; scopes are "
                 "read, user, write, admin, metrics; mode 0600");
    options.flag("insecure", insecure, "listen on other addresses than loopback without tokens");
    options.text("tls-cert", certificate_file, "FILE", "certificate chain in PEM; asks for TLS");
    options.text("tls-key", key_file, "FILE", "its key in PEM");
    options.text("tls-client-ca", client_ca_file, "FILE",
                 "clients must show a certificate of this authority");
    options.flag("require-blessed", require_blessed,
                 "refuse models with vectors whose index was not judged good enough");
    options.flag("trust", trust, "skip the checksums (bounds are always checked)");
    options.flag("copy", copy,
                 "read bundles into memory instead of mapping them: for folders where files may be "
                 "changed in place, such as network shares");
    options.number("memory-limit", memory_limit_mib, {0, 1e9},
                   "MiB that this program may use after a load, which is refused otherwise; 0 for "
                   "no limit");
    options.number("versions", max_versions, kCountRange,
                   "so many versions of each name, the newest, and those with a label; 0 for all");
    options.flag("compat", compat, ":predict fails with 200 and a text, as the blueprint's does");
    options.number("threads", threads, kThreadsRange, "loops that answer; 0 for one a core");
    options.number("max-connections", max_connections, {1, 1e6}, "of the public listener");
    options.number("header-limit", header_limit, {256, 65536}, "bytes of a request's header");
    options.number("body-limit", body_limit, kBytesRange, "bytes of a request's body");
    options.number("header-timeout", header_timeout, kSecondsRange, "seconds for a whole header");
    options.number("body-timeout", body_timeout, kSecondsRange, "seconds for a whole body");
    options.number("write-timeout", write_timeout, kSecondsRange, "seconds to take in an answer");
    options.number("idle-timeout", idle_timeout, kSecondsRange, "seconds between two requests");
    options.number("max-queue-ms", max_queue_ms, {0, 60000},
                   "refuse (503) what waited longer behind others; 0 for never");
    options.number("drain-delay", drain_delay, {0, 3600},
                   "seconds after SIGTERM in which connections are still taken");
    options.number("drain-timeout", drain_timeout, {0.001, 3600},
                   "seconds after SIGTERM until what is left is cut");
    options.example("One model, for this machine", "segue serve songs.segue");
    options.example("A folder of models, for others",
                    "segue serve models --listen 0.0.0.0:8501 --tokens tokens.txt");
}

/// "127.0.0.1:8501" or "[::1]:8501".
Result<HttpListener> listener_of(std::string_view flag, std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const auto port =
        colon == std::string_view::npos ? std::nullopt : parse_unsigned(text.substr(colon + 1));
    if (!port || static_cast<double>(*port) > kPortRange.high) {
        return invalid_argument(fmt::format(
            "--{} \"{}\": expected ADDRESS:PORT, such as 127.0.0.1:8501", flag, shortened(text)));
    }
    std::string_view address = text.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']')) {
        address = address.substr(1, address.size() - 2);
    }
    HttpListener listener;
    listener.address = address == "localhost" ? "127.0.0.1" : address;
    listener.port = static_cast<std::uint16_t>(*port);
    return listener;
}

bool is_loopback(const HttpListener& listener) {
    return listener.address.starts_with("127.") || listener.address == "::1";
}

/// The public listener, then the admin one if there is any.
Result<std::vector<HttpListener>> listeners_of(const ServeArguments& arguments) {
    Result<HttpListener> front = listener_of("listen", arguments.listen);
    if (!front.ok()) {
        return front.status();
    }
    std::vector<HttpListener> listeners = {*front};
    if (arguments.admin != "none") {
        Result<HttpListener> admin = listener_of("admin", arguments.admin);
        if (!admin.ok()) {
            return admin.status();
        }
        admin->is_admin = true;
        listeners.push_back(*admin);
    }
    for (HttpListener& listener : listeners) {
        listener.uses_tls = !arguments.certificate_file.empty();
    }
    return listeners;
}

Status ServeArguments::check() const {
    const Result<std::vector<HttpListener>> listeners = listeners_of(*this);
    if (!listeners.ok()) {
        return listeners.status();
    }
    if (certificate_file.empty() != key_file.empty()) {
        return invalid_argument("--tls-cert and --tls-key go together");
    }
    if (certificate_file.empty() && !client_ca_file.empty()) {
        return invalid_argument("--tls-client-ca needs --tls-cert and --tls-key");
    }
    if (drain_timeout < drain_delay) {
        return invalid_argument(
            "--drain-timeout counts from SIGTERM too: it is at least "
            "--drain-delay");
    }
    for (const HttpListener& listener : *listeners) {
        if (!is_loopback(listener) && tokens_file.empty() && !insecure) {
            return invalid_argument(fmt::format(
                "{} can be reached from other machines: give --tokens, or --insecure to let "
                "everybody in",
                listener.address));
        }
    }
    return {};
}

milliseconds as_milliseconds(double seconds) {
    return milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

serve::ServiceOptions service_options_of(const ServeArguments& arguments,
                                         std::vector<HttpListener> listeners) {
    serve::ServiceOptions options;
    options.source = arguments.source;
    options.models.verify_checksums = !arguments.trust;
    options.models.require_blessed = arguments.require_blessed;
    options.models.max_versions = arguments.max_versions;
    options.models.copy = arguments.copy;
    options.models.max_memory_bytes = arguments.memory_limit_mib << 20U;
    options.tokens_file = arguments.tokens_file;
    options.is_private = is_loopback(listeners.front());
    options.blueprint_habits = arguments.compat;
    HttpServerOptions& http = options.http;
    http.listeners = std::move(listeners);
    http.num_loops = arguments.threads > 0 ? arguments.threads
                                           : std::max(1U, std::thread::hardware_concurrency());
    http.limits.header_bytes = arguments.header_limit;
    http.limits.body_bytes = arguments.body_limit;
    http.header_timeout = as_milliseconds(arguments.header_timeout);
    http.body_timeout = as_milliseconds(arguments.body_timeout);
    http.write_timeout = as_milliseconds(arguments.write_timeout);
    http.idle_timeout = as_milliseconds(arguments.idle_timeout);
    http.max_connections = arguments.max_connections;
    http.max_queue_age =
        std::chrono::microseconds(static_cast<std::int64_t>(arguments.max_queue_ms * 1000));
    if (!arguments.certificate_file.empty()) {
        http.tls =
            TlsFiles{arguments.certificate_file, arguments.key_file, arguments.client_ca_file};
    }
    return options;
}

/// As many connections as the system lets this user have.
void raise_descriptor_limit() {
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/// What is large comes from the system and goes back to it when a model is unloaded. By itself the
/// allocator would soon keep blocks of tens of megabytes, tables of keys among them, for a next
/// time.
void give_back_large_blocks() {
    constexpr int kLarge = 4 << 20;
    ::mallopt(M_MMAP_THRESHOLD, kLarge);
}

/// What is left to do when a mapped bundle was cut short, or its disk fails, under a search: no
/// answer could be right.
extern "C" void end_without_file(int) {
    constexpr std::string_view kText =
        "segue serve: a bundle in use was cut short, or cannot be read any more; ending (publish "
        "bundles by renaming, or see --copy)\n";
    static_cast<void>(::write(STDERR_FILENO, kText.data(), kText.size()) > 0);
    ::_exit(1);
}

void end_in_order_without_file() {
    struct sigaction action {};
    action.sa_handler = end_without_file;
    ::sigaction(SIGBUS, &action, nullptr);
}

/// The signals that mean something here; blocked, so that they wait to be asked for.
sigset_t block_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        ::sigaddset(&signals, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

std::string url_of(const HttpListener& listener, std::uint16_t port) {
    const bool is_v6 = listener.address.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", listener.uses_tls ? "https" : "http", is_v6 ? "[" : "",
                       listener.address, is_v6 ? "]" : "", port);
}

Status announce(const serve::Service& service, const std::vector<HttpListener>& listeners,
                Console& console) {
    const std::vector<std::uint16_t> ports = service.ports();
    for (std::size_t number = 0; number < listeners.size(); ++number) {
        console.print_line(fmt::format("{} {}", listeners[number].is_admin ? "admin" : "listening",
                                       url_of(listeners[number], ports[number])));
    }
    return console.finish();
}

Status ServeArguments::run(Console& console) const {
    // Before any thread is made, as threads inherit it.
    const sigset_t signals = block_signals();
    raise_descriptor_limit();
    give_back_large_blocks();
    end_in_order_without_file();
    const Result<std::vector<HttpListener>> listeners = listeners_of(*this);
    std::mutex console_mutex;
    const auto log = [&](std::string_view line) {
        const std::lock_guard<std::mutex> lock(console_mutex);
        console.remark(printable(line));
    };
    const Result<std::unique_ptr<serve::Service>> service =
        serve::Service::start(service_options_of(*this, *listeners), log);
    if (!service.ok()) {
        return service.status();
    }
    if (const Status status = announce(**service, *listeners, console); !status.ok()) {
        return status;
    }
    for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
        if (::sigwait(&signals, &signal) != 0) {
            return internal_error("waiting for signals failed");
        }
        if (signal == SIGHUP) {
            const Status status = (*service)->reload();
            log(status.ok() ? "read tokens and certificate again" : status.message());
        }
    }
    log("ending: answering what was sent");
    if (!(*service)->drain(as_milliseconds(drain_delay), as_milliseconds(drain_timeout))) {
        const std::lock_guard<std::mutex> lock(console_mutex);
        console.warn("connections that did not end in time were cut");
    }
    return {};
}

}  // namespace

Verb serve_verb() {
    return verb_of<ServeArguments>();
}

}  // namespace segue::cli
