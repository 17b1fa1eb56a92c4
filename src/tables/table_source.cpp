#include "tables/table_source.h"

#include <fmt/core.h>

#include <filesystem>

#include "base/text.h"
#include "tables/session.h"

namespace segue {

namespace {

constexpr std::string_view kGlobCharacters = "*?[";

/// Lines of "lists" files may be long: a basket of a million items.
constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

Status check_path(const std::string& path) {
    if (path.empty()) {
        return invalid_argument("a table has an empty name");
    }
    if (path.find("://") != std::string::npos) {
        return invalid_argument(
            fmt::format("'{}' is an address; only files of this machine are read", path));
    }
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        return invalid_argument(fmt::format(
            "'{}' is a folder; name its files, for example '{}/*.parquet'", path, path));
    }
    // A pipe would be read once to look at it and be empty, or wait for ever, the second time.
    if (exists(path) && !std::filesystem::is_regular_file(path, ignored)) {
        return invalid_argument(fmt::format("'{}' is not a regular file", path));
    }
    if (!exists(path) && path.find_first_of(kGlobCharacters) == std::string::npos) {
        return not_found(fmt::format("file '{}' does not exist", path));
    }
    return Status();
}

}  // namespace

Compression compression_of(std::string_view path) {
    const std::string name = to_lower_ascii(path);
    if (ends_with(name, ".gz")) {
        return Compression::kGzip;
    }
    return ends_with(name, ".zst") ? Compression::kZstd : Compression::kNone;
}

FileFormat format_of(std::string_view path) {
    std::string name = to_lower_ascii(path);
    if (compression_of(name) != Compression::kNone) {
        name.resize(name.rfind('.'));
    }
    if (ends_with(name, ".parquet") || ends_with(name, ".pq")) {
        return FileFormat::kParquet;
    }
    if (ends_with(name, ".json") || ends_with(name, ".jsonl") || ends_with(name, ".ndjson")) {
        return FileFormat::kJson;
    }
    return ends_with(name, ".tsv") || ends_with(name, ".tab") ? FileFormat::kTsv : FileFormat::kCsv;
}

Status check_paths(std::span<const std::string> paths) {
    if (paths.empty()) {
        return invalid_argument("no table is named");
    }
    for (const std::string& path : paths) {
        if (Status status = check_path(path); !status.ok()) {
            return status;
        }
        if (format_of(path) != format_of(paths[0])) {
            return invalid_argument(fmt::format(
                "tables read together must have one format: '{}', '{}'", paths[0], path));
        }
    }
    return Status();
}

std::string sql_path_list(std::span<const std::string> paths) {
    std::string list = "[";
    for (const std::string& path : paths) {
        std::string pattern;
        for (const char c : path) {
            const bool escape = kGlobCharacters.find(c) != std::string_view::npos && exists(path);
            pattern += escape ? fmt::format("[{}]", c) : std::string(1, c);
        }
        list += (list.size() > 1 ? ", " : "") + sql_literal(pattern);
    }
    return list + "]";
}

std::string sql_of_files(const TableSource& source, bool all_text) {
    const std::string paths = sql_path_list(source.paths);
    switch (format_of(source.paths[0])) {
        case FileFormat::kParquet:
            return fmt::format("read_parquet({}, union_by_name=true, binary_as_string=true)",
                               paths);
        case FileFormat::kJson:
            return fmt::format("read_json({}, union_by_name=true)", paths);
        case FileFormat::kTsv:
        case FileFormat::kCsv:
            break;
    }
    // What DuckDB may not guess: it would skip lines it cannot explain, take lines with # for
    // comments, and, when the first quote comes late in the file, keep quotes as part of the text.
    // Real TSV has no quotes, so there it looks whether they occur.
    const bool is_tsv = format_of(source.paths[0]) == FileFormat::kTsv;
    return fmt::format("read_csv({}, union_by_name=true, skip=0, comment='', header={}, {}{})",
                       paths, source.has_header, is_tsv ? "delim='\t'" : "quote='\"', escape='\"'",
                       all_text ? ", all_varchar=true" : "");
}

std::string sql_of_lines(std::span<const std::string> paths) {
    // One column: a delimiter that is not in text files, and no quotes; not strict, so that line
    // ends may differ.
    return fmt::format(
        "read_csv({}, auto_detect=false, columns={{'line': 'VARCHAR'}}, delim='\x01', quote='', "
        "escape='', comment='', header=false, max_line_size={}, buffer_size={})",
        sql_path_list(paths), kMaxLineBytes, kMaxLineBytes);
}

}  // namespace segue
