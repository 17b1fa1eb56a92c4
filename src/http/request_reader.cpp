#include "http/request_reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/status.h"
#include "http/request_parser-inl.h"
#include "http/target.h"

namespace segue {
namespace {

constexpr std::size_t kFirstBufferBytes = 2'048;
/// Bytes beyond a header that are read at once.
constexpr std::size_t kReadBytes = 8'192;

}  // namespace

struct RequestReader::State {
    explicit State(const RequestLimits& given) : limits(given) {
        buffer.resize(kFirstBufferBytes);
        parser.emplace(found, limits);
    }

    std::string_view text_of(Piece piece) const {
        return {buffer.data() + piece.begin, piece.size};
    }
    bool has_bare_line_feed();
    /// Of a chunked body less than the shortest there is has come. Beast sees a last chunk in the
    /// first three bytes and then asserts that five are there when it is asked again.
    bool has_half_first_chunk() const {
        constexpr std::size_t kShortestBody = 5;  // "0\r\n\r\n"
        return header_end > 0 && found.num_encodings > 0 && found.num_chunks == 0 &&
               end - begin < kShortestBody;
    }
    Outcome refuse(int status, std::string_view text);
    Outcome refuse(const beast::error_code& error);
    Outcome finish();

    RequestLimits limits;
    std::vector<char> buffer;
    std::size_t header_end =
        0;                    // what stays in place until next(); 0 before the header is complete
    std::size_t begin = 0;    // of what the parser has not taken
    std::size_t end = 0;      // of what has come in
    std::size_t scanned = 0;  // by has_bare_line_feed()
    Found found;
    boost::optional<Parser> parser;
    TargetParts target;
    std::vector<HttpField> headers;
    HttpRequest request;
};

RequestReader::RequestReader(const RequestLimits& limits)
    : state_(std::make_unique<State>(limits)) {}

RequestReader::~RequestReader() = default;

/// Looks at what has come of a header, once. The parser would wait for a line end that is one.
bool RequestReader::State::has_bare_line_feed() {
    while (scanned < end) {
        const void* const line_end = std::memchr(buffer.data() + scanned, '\n', end - scanned);
        if (line_end == nullptr) {
            scanned = end;
            return false;
        }
        const auto place =
            static_cast<std::size_t>(static_cast<const char*>(line_end) - buffer.data());
        if (place == 0 || buffer[place - 1] != '\r') {
            return true;
        }
        if (place >= 3 && buffer[place - 2] == '\n') {
            return false;  // the header ends; a body may hold anything
        }
        scanned = place + 1;
    }
    return false;
}

RequestReader::Outcome RequestReader::State::refuse(int status, std::string_view text) {
    found.refusal = {status, status == 413 ? "PAYLOAD_TOO_LARGE" : "INVALID_ARGUMENT", text};
    return Outcome::kRefused;
}

RequestReader::Outcome RequestReader::State::refuse(const beast::error_code& error) {
    if (!found.refusal.text.empty()) {
        return Outcome::kRefused;
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        const bool has_line =
            std::find(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(end), '\n') !=
            buffer.begin() + static_cast<std::ptrdiff_t>(end);
        return has_line ? refuse(431, "the headers are too large")
                        : refuse(414, "the path is too long");
    }
    if (error == http::error::body_limit) {
        return refuse(413, "the body is too large");
    }
    if (error == http::error::bad_version) {
        return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    return refuse(400, "this is no well-formed HTTP request");
}

RequestReader::Outcome RequestReader::State::finish() {
    if (!read_target(text_of(found.target), limits.num_parameters, target)) {
        return refuse(400, "this path or its query is not well-formed");
    }
    headers.clear();
    for (const FieldPieces& field : found.fields) {
        headers.push_back({text_of(field.name), text_of(field.value)});
    }
    request = {};
    request.method = found.method;
    request.path = target.path;
    request.parameters = target.parameters;
    request.headers = headers;
    request.body = found.body;
    return Outcome::kRequest;
}

std::span<char> RequestReader::space() {
    State& state = *state_;
    // A header stays where it is, also what the parser has taken of it.
    if (state.end == state.buffer.size() && state.header_end > 0 &&
        state.begin > state.header_end) {
        std::memmove(state.buffer.data() + state.header_end, state.buffer.data() + state.begin,
                     state.end - state.begin);
        state.end -= state.begin - state.header_end;
        state.begin = state.header_end;
    }
    if (state.end == state.buffer.size()) {
        // advance() refuses what the largest buffer cannot hold.
        state.buffer.resize(
            std::min(2 * state.buffer.size(), state.limits.header_bytes + 2 * kReadBytes));
    }
    SEGUE_ASSERT(state.end < state.buffer.size());
    return std::span<char>(state.buffer).subspan(state.end);
}

void RequestReader::commit(std::size_t size) {
    state_->end += size;
    SEGUE_ASSERT(state_->end <= state_->buffer.size());
}

RequestReader::Outcome RequestReader::advance() {
    State& state = *state_;
    if (state.header_end == 0 && state.has_bare_line_feed()) {
        return state.refuse(400, "a line of the header ends without a carriage return");
    }
    while (state.begin < state.end && !state.parser->is_done() && !state.has_half_first_chunk()) {
        state.found.buffer = state.buffer.data();
        state.found.buffer_bytes = state.end;
        beast::error_code error;
        const std::size_t taken = state.parser->put(
            boost::asio::const_buffer(state.buffer.data() + state.begin, state.end - state.begin),
            error);
        state.begin += taken;
        if (state.found.has_header && state.header_end == 0) {
            const Piece last =
                state.found.fields.empty() ? state.found.target : state.found.fields.back().value;
            state.header_end = last.begin + last.size;
        }
        if (error && error != http::error::need_more) {
            return state.refuse(error);
        }
        // The parser holds only what it has not taken yet to its limit.
        if ((state.header_end > 0 ? state.header_end : state.end) > state.limits.header_bytes) {
            return state.refuse(http::error::header_limit);
        }
        if (taken == 0) {
            break;
        }
    }
    if (state.parser->is_done()) {
        return state.finish();
    }
    const std::size_t waiting = state.end - state.begin;
    if (state.header_end > 0 && waiting > kReadBytes) {
        return state.refuse(400, "a line within the body is too long");
    }
    if (state.header_end > 0 && waiting == 0 && state.found.expects_continue) {
        state.found.expects_continue = false;
        return Outcome::kExpectsContinue;
    }
    return Outcome::kNeedsMore;
}

HttpRequest& RequestReader::request() {
    return state_->request;
}

bool RequestReader::keeps_alive() const {
    return state_->parser->keep_alive();
}

bool RequestReader::is_http_1_0() const {
    return state_->found.version == 10;
}

const Refusal& RequestReader::refusal() const {
    return state_->found.refusal;
}

void RequestReader::next() {
    State& state = *state_;
    const std::size_t waiting = state.end - state.begin;
    std::memmove(state.buffer.data(), state.buffer.data() + state.begin, waiting);
    state.begin = state.header_end = state.scanned = 0;
    state.end = waiting;
    if (waiting == 0 && state.buffer.size() > kReadBytes) {
        state.buffer.resize(kFirstBufferBytes);
        state.buffer.shrink_to_fit();
    }
    state.found.clear();
    state.parser.emplace(state.found, state.limits);
}

bool RequestReader::is_idle() const {
    return state_->end == 0;
}

bool RequestReader::has_bytes() const {
    return state_->end > state_->begin;
}

bool RequestReader::is_in_body() const {
    return state_->header_end > 0;
}

}  // namespace segue
