#include "http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "base/status.h"
#include "http/target.h"

namespace segue {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kFirstBufferBytes = 2'048;
/// Bytes beyond a header that are read at once.
constexpr std::size_t kReadBytes = 8'192;
/// Memory for bodies that a connection keeps between requests.
constexpr std::size_t kKeptBodyBytes = 4'096;

std::string_view view_of(beast::string_view text) {
    return {text.data(), text.size()};
}

bool equals_lower(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                      [](char one, char other) {
                          return (one >= 'A' && one <= 'Z' ? one - 'A' + 'a' : one) == other;
                      });
}

HttpMethod method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return HttpMethod::kGet;
        case http::verb::head:
            return HttpMethod::kHead;
        case http::verb::post:
            return HttpMethod::kPost;
        case http::verb::put:
            return HttpMethod::kPut;
        case http::verb::delete_:
            return HttpMethod::kDelete;
        default:
            return HttpMethod::kOther;
    }
}

/// A part of the buffer, which may move while a body comes in.
struct Piece {
    std::size_t begin = 0;
    std::size_t size = 0;
};

struct FieldPieces {
    Piece name;
    Piece value;
};

/// What of a request the parser found. Lives longer than a parser, for its memory.
struct Found {
    const char* buffer = nullptr;  // while the parser runs
    std::size_t buffer_bytes = 0;
    HttpMethod method = HttpMethod::kOther;
    Piece target;
    int version = 11;
    std::vector<FieldPieces> fields;
    std::string body;
    bool has_header = false;
    std::size_t num_hosts = 0;
    std::size_t num_lengths = 0;
    std::size_t num_encodings = 0;
    bool has_empty_host = false;
    bool expects_continue = false;
    bool expects_other = false;
    std::size_t num_chunks = 0;
    Refusal refusal;

    void clear() {
        fields.clear();
        body.clear();
        if (body.capacity() > kKeptBodyBytes) {
            body.shrink_to_fit();
        }
        has_header = has_empty_host = expects_continue = expects_other = false;
        num_hosts = num_lengths = num_encodings = num_chunks = 0;
        refusal = {};
    }
    bool holds(std::string_view text) const {
        return text.data() >= buffer && text.data() + text.size() <= buffer + buffer_bytes;
    }
    Piece piece_of(std::string_view text) const {
        return {static_cast<std::size_t>(text.data() - buffer), text.size()};
    }
};

/// Beast's parser, which knows the grammar, with what it finds put into a Found.
class Parser : public http::basic_parser<true> {
public:
    Parser(Found& found, const RequestLimits& limits) : found_(found), limits_(limits) {
        eager(true);
        header_limit(static_cast<std::uint32_t>(limits.header_bytes));
        body_limit(limits.body_bytes);
    }

private:
    using Error = beast::error_code;

    void refuse(int status, std::string_view text, Error& error) {
        found_.refusal = {status, "INVALID_ARGUMENT", text};
        error = http::error::bad_field;
    }

    void on_request_impl(http::verb verb, beast::string_view, beast::string_view target,
                         int version, Error& error) override {
        found_.method = method_of(verb);
        found_.target = found_.piece_of(view_of(target));
        found_.version = version;
        if (version != 10 && version != 11) {
            refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here", error);
        }
    }

    void on_response_impl(int, beast::string_view, int, Error& error) override {
        refuse(400, "this is a response", error);
    }

    void on_field_impl(http::field name, beast::string_view name_text, beast::string_view value,
                       Error& error) override {
        if (found_.has_header) {
            return;  // of the trailer, which nobody asked for
        }
        const std::string_view text = view_of(value);
        if (!found_.holds(text)) {  // put together from folded lines
            return refuse(400, "a header is folded over several lines", error);
        }
        if (found_.fields.size() >= limits_.num_headers) {
            return refuse(431, "there are too many headers", error);
        }
        found_.num_hosts += name == http::field::host;
        found_.has_empty_host |= name == http::field::host && text.empty();
        found_.num_lengths += name == http::field::content_length;
        if (name == http::field::content_length &&
            text.find_first_not_of("0123456789") != std::string_view::npos) {
            return refuse(400, "the length of the body is not a whole number", error);
        }
        found_.num_encodings += name == http::field::transfer_encoding;
        if (name == http::field::expect) {
            (equals_lower(text, "100-continue") ? found_.expects_continue : found_.expects_other) =
                true;
        }
        found_.fields.push_back({found_.piece_of(view_of(name_text)), found_.piece_of(text)});
    }

    void on_header_impl(Error& error) override {
        found_.has_header = true;
        if (found_.num_hosts > 1 || (found_.num_hosts == 0 && found_.version == 11) ||
            found_.has_empty_host) {
            return refuse(400, "exactly one Host header is needed", error);
        }
        if (found_.num_lengths + found_.num_encodings > 1) {
            return refuse(400, "the length of the body is given twice", error);
        }
        if (found_.num_encodings == 1 && (!chunked() || found_.version == 10)) {
            return refuse(400, "chunked is the only transfer encoding taken", error);
        }
        if (found_.expects_other) {
            return refuse(400, "100-continue is the only expectation met", error);
        }
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}

    std::size_t append(beast::string_view piece, Error& error) {
        if (found_.body.size() + piece.size() > limits_.body_bytes) {
            error = http::error::body_limit;
            return 0;
        }
        found_.body.append(piece.data(), piece.size());
        return piece.size();
    }

    std::size_t on_body_impl(beast::string_view piece, Error& error) override {
        return append(piece, error);
    }

    void on_chunk_header_impl(std::uint64_t, beast::string_view, Error& error) override {
        if (++found_.num_chunks > limits_.num_chunks) {
            refuse(413, "the body is in too many chunks", error);
        }
    }

    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece, Error& error) override {
        return append(piece, error);
    }

    void on_finish_impl(Error&) override {}

    Found& found_;
    const RequestLimits& limits_;
};

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
    if (state.end == state.buffer.size() && state.begin > state.header_end) {
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
