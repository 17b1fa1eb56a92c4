#include "http/response_head.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <ctime>

namespace segue {
namespace {

void append_number(std::string& text, std::size_t number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text.append(digits.data(), end);
}

}  // namespace

void write_head(const HttpResponse& response, const ResponseContext& context, std::string& head) {
    head.assign("HTTP/1.1 ");
    append_number(head, static_cast<std::size_t>(response.status));
    head.append(" ").append(reason_of(response.status));
    head.append("\r\nServer: segue\r\nDate: ").append(context.date);
    if (response.status != 204 && response.status != 304) {
        head.append("\r\nContent-Type: ").append(response.content_type);
        head.append("\r\nContent-Length: ");
        append_number(head, response.body.size());
    }
    head.append("\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: ");
    head.append(context.request_id).append("\r\n").append(response.header_lines());
    if (context.closes) {
        head.append("Connection: close\r\n");
    } else if (context.is_http_1_0) {
        head.append("Connection: keep-alive\r\n");
    }
    head.append("\r\n");
}

bool has_body(const HttpResponse& response, HttpMethod method) {
    return method != HttpMethod::kHead && response.status != 204 && response.status != 304;
}

std::string http_date() {
    static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t now = std::time(nullptr);
    std::tm parts = {};
    ::gmtime_r(&now, &parts);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                       kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                       kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace segue
