#include "http/message.h"

#include <algorithm>

#include "base/json_writer.h"

namespace segue {
namespace {

char lowered(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char one, char other) { return lowered(one) == lowered(other); });
}

bool has_control(std::string_view text) {
    // All of it is looked at, so that the compiler looks at many bytes at once.
    unsigned found = 0;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        found |= static_cast<unsigned>(byte < 0x20) | static_cast<unsigned>(byte == 0x7F);
    }
    return found != 0;
}

int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char letter = lowered(digit);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace

std::string_view name_of(HttpMethod method) {
    switch (method) {
        case HttpMethod::kGet:
            return "GET";
        case HttpMethod::kHead:
            return "HEAD";
        case HttpMethod::kPost:
            return "POST";
        case HttpMethod::kPut:
            return "PUT";
        case HttpMethod::kDelete:
            return "DELETE";
        case HttpMethod::kOther:
            break;
    }
    return "OTHER";
}

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
    for (const HttpField& field : headers) {
        if (equal_ignoring_case(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> HttpRequest::parameter(std::string_view name) const {
    for (const HttpField& field : parameters) {
        if (field.name == name) {
            return field.value;
        }
    }
    return std::nullopt;
}

void HttpResponse::add_header(std::string_view name, std::string_view value) {
    if (has_control(name) || has_control(value)) {
        return;
    }
    header_lines_.append(name).append(": ").append(value).append("\r\n");
}

void HttpResponse::clear() {
    status = 200;
    content_type = "application/json";
    body.clear();
    route = "other";
    close = false;
    later = nullptr;
    header_lines_.clear();
}

std::string header_line(std::string_view name, std::string_view value) {
    HttpResponse response;
    response.add_header(name, value);
    return response.header_lines();
}

void set_error(HttpResponse& response, int status, std::string_view code, std::string_view text,
               std::string_view request_id) {
    JsonWriter json;
    json.begin_object().key("error").value(text).key("code").value(code);
    response.body = json.key("request_id").value(request_id).end_object().take();
    response.status = status;
    response.content_type = "application/json";
}

std::string_view reason_of(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Payload Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 422:
            return "Unprocessable Entity";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "Unknown";
    }
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t place = 0; place < text.size(); ++place) {
        if (text[place] != '%') {
            decoded += text[place];
            continue;
        }
        const int high = place + 2 < text.size() ? hex_digit(text[place + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[place + 2]) : -1;
        if (low < 0) {
            return std::nullopt;
        }
        decoded += static_cast<char>(high * 16 + low);
        place += 2;
    }
    return decoded;
}

}  // namespace segue
