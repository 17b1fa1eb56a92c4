#pragma once

// A request and its response as handlers see them: no socket, no parser, no TLS in sight. Whoever
// tests a handler makes a request from literals.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

enum class HttpMethod { kGet, kHead, kPost, kPut, kDelete, kOther };

/// "GET", "HEAD", ...; "OTHER" for what no route takes.
std::string_view name_of(HttpMethod method);

/// A header of a request, or a parameter of its query (percent-decoded, '+' is a space).
struct HttpField {
    std::string_view name;
    std::string_view value;
};

/// Everything is a view that is valid while the handler runs, and no longer.
struct HttpRequest {
    HttpMethod method = HttpMethod::kGet;
    /// As sent, without query, never empty; segments still percent-encoded, so that an item key may
    /// hold a slash.
    std::string_view path = "/";
    std::span<const HttpField> parameters;
    std::span<const HttpField> headers;
    std::string_view body;
    /// From X-Request-Id when that is fit for a log line, else made by the server.
    std::string_view request_id;
    /// Numeric address of the client.
    std::string_view peer;
    /// The loop that runs the handler, [0, number of loops): for counters and memory of one thread.
    unsigned worker = 0;
    /// Whether it came in through the admin listener.
    bool on_admin_listener = false;
    /// The server is full; only questions after its health should be answered.
    bool is_over_limit = false;

    /// Value of the first header of that name (ASCII case ignored), or nothing.
    std::optional<std::string_view> header(std::string_view name) const;
    /// Value of the first parameter of that name (case matters), or nothing.
    std::optional<std::string_view> parameter(std::string_view name) const;
};

/// What a handler fills in. One object is used for all requests of a connection, so `body` keeps
/// its memory. Not thread-safe.
struct HttpResponse {
    int status = 200;
    /// A literal, or text that lives as long as the program.
    std::string_view content_type = "application/json";
    std::string body;
    /// Route template for metrics ("/v1/models/{model}:similar"); a literal like content_type.
    std::string_view route = "other";
    /// Ask the client to close the connection, and close it.
    bool close = false;
    /// Set by a handler whose work takes longer than a loop may be held up: it runs on the server's
    /// thread for slow work, fills in the response there, and the answer is sent then. It must own
    /// all it needs; the request's views are gone by then.
    std::function<void(HttpResponse&)> later;

    /// Adds a header line. Requires: neither has control characters (checked; the line is left out
    /// otherwise).
    void add_header(std::string_view name, std::string_view value);
    /// Adds lines made by header_line() before, which are not looked at again.
    void add_header_lines(std::string_view lines) { header_lines_.append(lines); }
    /// "Name: value\r\n" lines added so far.
    const std::string& header_lines() const { return header_lines_; }
    /// As new, with the memory kept.
    void clear();

private:
    std::string header_lines_;
};

/// Called on a loop, by several loops at the same time; must not block.
using HttpHandler = std::function<void(const HttpRequest&, HttpResponse&)>;

/// The error every dialect understands: {"error":text,"code":code,"request_id":id}. `code` is one
/// of the upper-case names such as "INVALID_ARGUMENT". Replaces body, status and content type;
/// added headers stay.
void set_error(HttpResponse& response, int status, std::string_view code, std::string_view text,
               std::string_view request_id);

/// "Name: value\r\n", or nothing where one of them has control characters.
std::string header_line(std::string_view name, std::string_view value);

/// "Not Found" for 404; "Unknown" for a code nobody uses here.
std::string_view reason_of(int status);

/// The text with %XX replaced; nothing where a % is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace segue
