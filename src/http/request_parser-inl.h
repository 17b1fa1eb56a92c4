#pragma once

// The grammar of requests, by Boost.Beast, and what we refuse beyond it. Private to
// request_reader.cpp, which alone compiles it: Beast takes its time.

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_reader.h"

namespace segue {

namespace beast = boost::beast;
namespace http = boost::beast::http;

/// Memory for bodies that a connection keeps between requests.
inline constexpr std::size_t kKeptBodyBytes = 4'096;

inline std::string_view view_of(beast::string_view text) {
    return {text.data(), text.size()};
}

inline bool equals_lower(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                      [](char one, char other) {
                          return (one >= 'A' && one <= 'Z' ? one - 'A' + 'a' : one) == other;
                      });
}

inline HttpMethod method_of(http::verb verb) {
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

}  // namespace segue
