#include "soak_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "http/test_client.h"

namespace segue::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using testing::TestClient;

constexpr double kStartSeconds = 120;

void run_program(const std::vector<std::string>& words, const std::string& log) {
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
}

}  // namespace

std::uint16_t free_port() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(descriptor);
    return ntohs(address.sin_port);
}

Result<SoakServer> SoakServer::start(const std::string& program, const std::string& folder,
                                     const std::vector<std::string>& flags) {
    SoakServer server;
    server.port_ = free_port();
    server.admin_port_ = free_port();
    std::vector<std::string> words = {program, "serve", folder};
    words.insert(words.end(), {"--listen", fmt::format("127.0.0.1:{}", server.port_), "--admin",
                               fmt::format("127.0.0.1:{}", server.admin_port_)});
    words.insert(words.end(), flags.begin(), flags.end());
    const std::string log = folder + ".log";
    server.process_ = ::fork();
    if (server.process_ == 0) {
        run_program(words, log);
    }
    const Clock::time_point deadline =
        Clock::now() + std::chrono::seconds(static_cast<int>(kStartSeconds));
    while (server.ask_admin("GET", "/readyz").status != 200) {
        if (!server.is_running() || Clock::now() > deadline) {
            return io_error(fmt::format("the service did not get ready; see {}", log));
        }
        std::this_thread::sleep_for(milliseconds(50));
    }
    return server;
}

SoakServer::SoakServer(SoakServer&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      port_(other.port_),
      admin_port_(other.admin_port_) {}

SoakServer::~SoakServer() {
    if (process_ > 0) {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
}

void SoakServer::send_signal(int signal) const {
    ::kill(process_, signal);
}

bool SoakServer::is_running() const {
    siginfo_t state = {};
    return ::waitid(P_PID, static_cast<id_t>(process_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           state.si_pid == 0;
}

int SoakServer::wait(double seconds) {
    const Clock::time_point began = Clock::now();
    int status = 0;
    while (::waitpid(process_, &status, WNOHANG) == 0) {
        if (std::chrono::duration<double>(Clock::now() - began).count() > seconds) {
            return -1;
        }
        std::this_thread::sleep_for(milliseconds(5));
    }
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Holdings SoakServer::holdings() const {
    Holdings holdings;
    const std::string place = fmt::format("/proc/{}", process_);
    std::ifstream status(place + "/status");
    for (std::string line; std::getline(status, line);) {
        std::istringstream words(line);
        std::string name;
        double kib = 0;
        words >> name >> kib;
        if (name == "RssAnon:") {
            holdings.anonymous_mib = kib / 1024;
        }
    }
    std::set<std::string> bundles;
    std::ifstream maps(place + "/maps");
    for (std::string line; std::getline(maps, line);) {
        const std::size_t path = line.find('/');
        if (path != std::string::npos && line.find(".segue", path) != std::string::npos) {
            bundles.insert(line.substr(path));
        }
    }
    holdings.num_bundles = bundles.size();
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(place + "/fd", error)) {
        static_cast<void>(entry);
        ++holdings.num_files;
    }
    return holdings;
}

HttpAnswer SoakServer::ask_admin(std::string_view method, std::string_view path,
                                 std::string_view body) const {
    TestClient client(admin_port_);
    if (!client.is_connected()) {
        return {};
    }
    TestClient::Answer answer =
        client.ask(fmt::format("{} {} HTTP/1.1\r\nHost: soak\r\nContent-Length: {}\r\n\r\n{}",
                               method, path, body.size(), body));
    return {answer.status, std::move(answer.head), std::move(answer.body)};
}

Status publish(const std::string& bundle, const std::string& models, const std::string& name,
               std::uint64_t version) {
    const std::filesystem::path folder = std::filesystem::path(models) / name;
    const std::filesystem::path waiting = folder / "next.tmp";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    std::filesystem::remove(waiting, error);
    std::filesystem::create_hard_link(bundle, waiting, error);
    if (!error) {
        std::filesystem::rename(waiting, folder / fmt::format("{}.segue", version), error);
    }
    return error ? io_error(fmt::format("cannot publish '{}': {}", bundle, error.message()))
                 : Status();
}

}  // namespace segue::bench
