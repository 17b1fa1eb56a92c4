// Headerless CSV of vectors as the blueprint exports it. DuckDB reads tables; here every faulty
// line is to be told apart by its number and kind, which a table reader does not do.

#include <fmt/core.h>

#include <limits>

#include "base/file.h"
#include "base/text.h"
#include "pipeline/vector_collector.h"

namespace segue {
namespace {

/// The cells of one record; quotes as in RFC 4180.
struct Record {
    std::vector<std::string> cells;
    bool quotes_match = true;
};

/// Takes one record off `rest`, with the line ends its quoted cells contain.
Record next_record(std::string_view& rest, std::uint64_t& line) {
    Record record;
    record.cells.emplace_back();
    bool quoted = false;
    std::size_t i = 0;
    for (; i < rest.size(); ++i) {
        const char c = rest[i];
        if (c == '\n') {
            ++line;
        }
        if (quoted) {
            if (c == '"' && i + 1 < rest.size() && rest[i + 1] == '"') {
                record.cells.back() += '"';
                ++i;
            } else if (c == '"') {
                quoted = false;
            } else {
                record.cells.back() += c;
            }
        } else if (c == '"' && record.cells.back().empty()) {
            quoted = true;
        } else if (c == ',') {
            record.cells.emplace_back();
        } else if (c == '\n') {
            break;
        } else {
            record.cells.back() += c;
        }
    }
    rest.remove_prefix(std::min(rest.size(), i + 1));
    record.quotes_match = !quoted;
    std::string& last = record.cells.back();
    if (!last.empty() && last.back() == '\r') {
        last.pop_back();
    }
    return record;
}

/// Nothing for text that is no number; what a float cannot hold becomes infinite or NaN.
std::optional<float> parse_float(std::string_view text) {
    if (const std::optional<double> number = parse_double(text)) {
        return static_cast<float>(*number);
    }
    const std::string lowered = to_lower_ascii(text);
    if (lowered == "nan" || lowered == "null" || lowered.empty()) {
        return std::numeric_limits<float>::quiet_NaN();
    }
    if (lowered == "inf" || lowered == "-inf" || lowered == "infinity" || lowered == "-infinity") {
        return std::numeric_limits<float>::infinity();
    }
    return std::nullopt;
}

void read_record(const Record& record, std::uint64_t line, std::vector<float>& vector,
                 VectorCollector& collector) {
    if (!record.quotes_match) {
        return collector.fault(line, ImportFault::kMalformed, "a quote is never closed");
    }
    vector.clear();
    for (std::size_t i = 1; i < record.cells.size(); ++i) {
        const std::optional<float> number = parse_float(record.cells[i]);
        if (!number) {
            return collector.fault(line, ImportFault::kMalformed,
                                   fmt::format("cell {} is \"{}\", expected a number", i + 1,
                                               shortened(record.cells[i])));
        }
        vector.push_back(*number);
    }
    collector.add(line, record.cells.front(), vector);
}

}  // namespace

Status read_csv_vectors(const std::string& path, VectorCollector& collector) {
    const Result<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) {
        return file.status();
    }
    const std::span<const std::byte> bytes = file->bytes();
    std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::vector<float> vector;
    std::uint64_t line = 1;
    while (!rest.empty()) {
        const std::uint64_t first_line = line;
        const Record record = next_record(rest, line);
        if (record.cells.size() == 1 && split_on_space(record.cells.front()).empty()) {
            continue;
        }
        collector.count_line();
        read_record(record, first_line, vector, collector);
    }
    return {};
}

}  // namespace segue
