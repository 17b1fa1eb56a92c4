#pragma once

// For tests: a client that sends exactly the bytes it is told, and waits for answers as long as
// that takes, with a limit so that a bug fails and does not hang.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace segue::testing {

/// Waits until `is_so()`, at most twenty seconds; whether it became so.
template <typename Predicate>
bool eventually(const Predicate& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

class TestClient {
public:
    explicit TestClient(std::uint16_t port, int receive_buffer = 0)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval timeout = {20, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        if (receive_buffer > 0) {
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
        }
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        is_connected_ =
            ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    }
    TestClient(TestClient&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)),
          is_connected_(other.is_connected_),
          pending_(std::move(other.pending_)) {}
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;
    TestClient& operator=(TestClient&&) = delete;
    ~TestClient() {
        if (socket_ >= 0) {
            ::close(socket_);
        }
    }

    bool is_connected() const { return is_connected_; }
    int descriptor() const { return socket_; }

    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// Ends both directions; another thread that sends or receives returns.
    void shut() const { ::shutdown(socket_, SHUT_RDWR); }
    /// Closes so that the server sees a reset.
    void reset() {
        const linger at_once = {1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        ::close(std::exchange(socket_, -1));
    }

    struct Answer {
        int status = 0;  // 0 when the connection ended before an answer
        std::string head;
        std::string body;

        bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
    };

    /// The next answer. `expects_body` false for the answer to HEAD.
    Answer receive(bool expects_body = true) {
        Answer answer;
        std::size_t end = 0;
        while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
            if (!receive_more()) {
                return answer;
            }
        }
        answer.head = pending_.substr(0, end + 4);
        pending_.erase(0, end + 4);
        answer.status = std::atoi(answer.head.c_str() + 9);
        const std::size_t length = answer.head.find("Content-Length: ");
        const std::size_t size =
            length == std::string::npos || !expects_body
                ? 0
                : static_cast<std::size_t>(std::atoll(answer.head.c_str() + length + 16));
        while (pending_.size() < size) {
            if (!receive_more()) {
                answer.status = 0;
                return answer;
            }
        }
        answer.body = pending_.substr(0, size);
        pending_.erase(0, size);
        return answer;
    }

    Answer ask(std::string_view bytes) {
        send(bytes);
        return receive();
    }

    /// Whether the server ends the connection without another byte.
    bool is_closed() { return pending_.empty() && !receive_more() && !has_waited_; }

private:
    bool receive_more() {
        char buffer[16384];
        const ssize_t size = ::recv(socket_, buffer, sizeof(buffer), 0);
        has_waited_ = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (size <= 0) {
            return false;
        }
        pending_.append(buffer, static_cast<std::size_t>(size));
        return true;
    }

    int socket_;
    bool is_connected_ = false;
    bool has_waited_ = false;
    std::string pending_;
};

}  // namespace segue::testing
