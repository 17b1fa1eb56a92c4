#include "tables/duckdb_error.h"

#include <fmt/core.h>

#include <array>
#include <string>
#include <vector>

#include "base/text.h"

namespace segue {

namespace {

struct Kind {
    std::string_view prefix;
    StatusCode code;
    std::string_view instead;
};

constexpr std::array<Kind, 12> kKinds = {{
    {"IO Error: No files found ", StatusCode::kNotFound, "no files found "},
    {"IO Error: ", StatusCode::kIo, ""},
    {"Invalid Input Error: ", StatusCode::kInvalidArgument, ""},
    {"Conversion Error: ", StatusCode::kInvalidArgument, ""},
    {"Binder Error: ", StatusCode::kInvalidArgument, "SQL: "},
    {"Catalog Error: ", StatusCode::kInvalidArgument, "SQL: "},
    {"Parser Error: ", StatusCode::kInvalidArgument, "SQL: "},
    {"Out of Memory Error: ", StatusCode::kResourceLimit, "out of memory: "},
    {"Missing Extension Error: ", StatusCode::kInvalidArgument, ""},
    {"Permission Error: ", StatusCode::kIo, ""},
    {"INTERNAL Error: ", StatusCode::kInternal, "DuckDB: "},
    {"Not implemented Error: ", StatusCode::kInvalidArgument, ""},
}};

/// Where the part for people ends and echoes or advice begin.
constexpr std::array<std::string_view, 7> kEnds = {"\nPossible ",
                                                   "\n\nPossible ",
                                                   "\nLINE ",
                                                   "\nPlease try installing",
                                                   "\nCandidate ",
                                                   "\n\n",
                                                   "\nThe search space used was:"};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) {
        text.remove_prefix(1);
    }
    return text;
}

/// The value of a line "  file = x.csv" of a CSV error, or nothing.
std::string_view csv_file_of(std::string_view message) {
    constexpr std::string_view kLabel = "\n  file = ";
    const std::size_t label = message.find(kLabel);
    if (label == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = message.substr(label + kLabel.size());
    return trimmed(rest.substr(0, rest.find('\n')));
}

}  // namespace

/// Bytes of one sentence that are passed on: DuckDB quotes cells in full.
constexpr std::size_t kLongestLine = 400;

Status status_of_duckdb_error(std::string_view message) {
    StatusCode code = StatusCode::kInvalidArgument;
    std::string text;
    const std::string_view file = csv_file_of(message);
    for (const Kind& kind : kKinds) {
        if (message.substr(0, kind.prefix.size()) == kind.prefix) {
            code = kind.code;
            text = kind.instead;
            message.remove_prefix(kind.prefix.size());
            break;
        }
    }
    for (const std::string_view end : kEnds) {
        message = message.substr(0, message.find(end));
    }
    constexpr std::string_view kLost = "The CSV Parser state machine reached an invalid state";
    if (message.find(kLost) != std::string_view::npos) {
        message = "its quotes, or its ends of lines (\\n and \\r\\n in one file), do not agree";
    }
    std::string_view separator;
    for (const std::string_view line : split(message, '\n')) {
        if (!trimmed(line).empty()) {
            text += separator;
            text += shortened(trimmed(line), kLongestLine);
            separator = "; ";
        }
    }
    if (!file.empty()) {
        text.insert(0, fmt::format("'{}': ", file));
    }
    while (!text.empty() && text.back() == '.') {
        text.pop_back();
    }
    return Status(code, text.empty() ? "DuckDB failed without saying why" : text);
}

}  // namespace segue
