#pragma once

// What a table is read from, and how that is said to DuckDB.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace segue {

/// Files, or a query, or a query over files.
struct TableSource {
    /// Files or globs of one format, united by column name. The name tells the format: .parquet,
    /// .json, .jsonl, .ndjson, .tsv; anything else is CSV with its delimiter found by looking. .gz
    /// and .zst behind it are fine.
    std::vector<std::string> paths;
    /// A SELECT of DuckDB; empty reads the files as they are. When there are paths the query sees
    /// them as the table `input`, with the types DuckDB finds; without a query every CSV column
    /// stays the text it is.
    std::string sql;
    /// Whether the first line of a CSV file names its columns; else they are column0, column1, ...
    bool has_header = true;
};

enum class FileFormat { kCsv, kTsv, kJson, kParquet };
enum class Compression { kNone, kGzip, kZstd };

/// The format a file name tells, after lowering it and taking off .gz or .zst.
FileFormat format_of(std::string_view path);
Compression compression_of(std::string_view path);

/// Returns an error if: there is no path, one names no file, a folder or an address of the network,
/// or they are of several formats.
Status check_paths(std::span<const std::string> paths);

/// The paths as a list in SQL. A file that exists is meant by its name even when that looks like a
/// glob.
std::string sql_path_list(std::span<const std::string> paths);

/// read_csv(...) and its like for checked paths. With `all_text` CSV columns stay text.
std::string sql_of_files(const TableSource& source, bool all_text);

/// Files of lines as a relation with the one column `line`, empty lines null.
std::string sql_of_lines(std::span<const std::string> paths);

}  // namespace segue
