#pragma once

// For tests: with SEGUE_API_RECORD, the name of a file, every answer of every test is added to it:
// what the document openapi.json says of answers is held against all of them.

#include <cstdlib>
#include <fstream>
#include <string_view>

#include "base/json_writer.h"

namespace segue::serve::testing {

/// One answer and what was asked. `route` is the pattern of the path where it is known, else the
/// path.
struct RecordedAnswer {
    std::string_view route;
    std::string_view method;
    int status = 0;
    std::string_view content_type;
    std::string_view request;
    std::string_view response;
};

inline void record_answer(const RecordedAnswer& answer) {
    const char* const file = std::getenv("SEGUE_API_RECORD");
    if (file == nullptr) {
        return;
    }
    JsonWriter json;
    json.begin_object().key("route").value(answer.route);
    json.key("method").value(answer.method);
    json.key("status").value(answer.status);
    json.key("content_type").value(answer.content_type);
    json.key("request").value(answer.request).key("response").value(answer.response).end_object();
    std::ofstream(file, std::ios::app) << json.text() << '\n';
}

}  // namespace segue::serve::testing
