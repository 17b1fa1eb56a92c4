#pragma once

// Bytes of a connection in, requests out. Strict: on any doubt where a request ends, or what it
// means, it is refused, as the bytes behind it might be somebody else's.

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "http/message.h"

namespace segue {

struct RequestLimits {
    std::size_t header_bytes = 8'192;  // request line included
    std::size_t body_bytes = 262'144;
    std::size_t num_headers = 100;
    std::size_t num_parameters = 100;
    std::size_t num_chunks = 4096;  // of a chunked body: each costs more than its bytes
};

/// Why a request is answered without asking a handler; the connection is closed after it.
struct Refusal {
    int status = 400;
    std::string_view code = "INVALID_ARGUMENT";
    std::string_view text;
};

/// Reads one request after the other, pipelined ones too. Not thread-safe. Allocates nothing for a
/// request like the one before.
class RequestReader {
public:
    explicit RequestReader(const RequestLimits& limits);
    ~RequestReader();
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    enum class Outcome {
        kNeedsMore,
        kExpectsContinue,  // as kNeedsMore, but "100 Continue" is to be sent first; said once
        kRequest,
        kRefused,
    };

    /// Where the next bytes go; never empty.
    std::span<char> space();
    /// Takes `size` bytes put into space().
    void commit(std::size_t size);
    /// As far as the bytes go. Requires: not after kRequest or kRefused without next().
    Outcome advance();

    /// After kRequest, until next(); request_id, peer and worker are the caller's to set.
    HttpRequest& request();
    /// After kRequest: whether the client will send more after the answer.
    bool keeps_alive() const;
    /// Whether the request was HTTP/1.0, which is told that the connection is kept.
    bool is_http_1_0() const;
    const Refusal& refusal() const;

    /// Forgets the request; bytes behind it stay.
    void next();
    /// Whether nothing of a request has come yet.
    bool is_idle() const;
    /// Whether bytes are waiting to be advanced over.
    bool has_bytes() const;
    /// Whether the header is complete and the body is not.
    bool is_in_body() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace segue
