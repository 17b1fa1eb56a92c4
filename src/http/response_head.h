#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace segue {

/// What a status line and headers say beside the response itself.
struct ResponseContext {
    std::string_view request_id;
    std::string_view date;  // as RFC 9110 writes it
    bool closes = false;
    bool is_http_1_0 = false;
};

/// Writes everything before the body into `head`, in place of what was there.
void write_head(const HttpResponse& response, const ResponseContext& context, std::string& head);

/// Whether the answer carries its body: not for HEAD, 204 and 304.
bool has_body(const HttpResponse& response, HttpMethod method);

/// "Sun, 06 Nov 1994 08:49:37 GMT" of now.
std::string http_date();

}  // namespace segue
