#pragma once

// Tables in: the columns a source has, and chosen ones chunk after chunk.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tables/chunk.h"
#include "tables/session.h"
#include "tables/table_source.h"

namespace segue {

struct ColumnInfo {
    std::string name;
    /// DuckDB's name of the type: "VARCHAR", "BIGINT", "DOUBLE[]".
    std::string type;
};

/// How the cells of a column are wanted.
enum class ColumnUse {
    /// Whole numbers as kInteger (their decimal text is the key), anything else as kText.
    /// Floating-point numbers
    /// with a whole value become the text of that number ("12", not "12.0": tables with gaps often
    /// store ids so).
    kKey,
    /// kText; numbers as their text.
    kText,
    /// kNumber; text that is no number becomes NaN, empty text null.
    kNumber,
    /// kNumber: seconds since 1970 of dates and times, also when they are text; numbers as they
    /// are; text that is
    /// neither becomes NaN, empty text null.
    kTime,
};

struct ColumnRequest {
    /// Number of the column in Table::columns().
    std::size_t column = 0;
    ColumnUse use = ColumnUse::kText;
};

/// Some rows of the columns asked for, in that order. Move-only. Immutable, thread-safe.
struct TableChunk {
    Chunk chunk;
    std::size_t num_rows = 0;
    /// [number of requests]; they view `chunk`.
    std::vector<ColumnView> columns;
};

/// Rows of a Table in the order of the input. Move-only. Not thread-safe.
class TableRows {
public:
    /// Nothing after the last chunk.
    /// Returns an error if: a file is malformed, truncated or not UTF-8; the message names file and
    /// line.
    Result<std::optional<TableChunk>> next();

private:
    friend class Table;
    TableRows(QueryResult result, std::vector<ColumnView::Kind> kinds)
        : result_(std::move(result)), kinds_(std::move(kinds)) {}
    QueryResult result_;
    std::vector<ColumnView::Kind> kinds_;
};

/// A table whose columns are known. Refers to its Session, which must outlive it. Not thread-safe.
class Table {
public:
    /// Returns an error if: a file is missing, empty or unreadable, or the query is wrong.
    static Result<Table> open(Session& session, TableSource source);
    /// Text files as a table with the one column "line"; an empty line is null.
    static Result<Table> open_lines(Session& session, std::vector<std::string> paths);

    const std::vector<ColumnInfo>& columns() const { return columns_; }
    /// The column of that name; else the only one equal but for letter case or a ":type" behind its
    /// name (the headers of RecBole).
    std::optional<std::size_t> try_find_column(std::string_view name) const;
    /// Returns an error if: there is none; the message lists the columns and the nearest name.
    Result<std::size_t> find_column(std::string_view name) const;

    /// The number of rows where the files tell it without being read (Parquet), else nothing.
    std::optional<std::uint64_t> num_rows_if_known() const;
    /// Starts to read. The rows of one Table at a time in a Session.
    /// Returns an error if: a column cannot serve the use (a list as a key), or reading fails.
    Result<TableRows> read(std::span<const ColumnRequest> requests) const;
    /// The text of one cell, for messages; empty when it cannot be had. Reads up to that row again.
    std::string cell_text(std::size_t column, std::uint64_t row) const;
    /// "'a.csv', 'b.csv'" or "the query", for messages.
    const std::string& description() const { return description_; }

private:
    Table(Session& session, TableSource source) : session_(&session), source_(std::move(source)) {}
    Status find_columns();
    /// Why a CSV file whose rows do not agree cannot be read, with the line; `otherwise` when that
    /// finds nothing.
    Status explain_csv_failure(const Status& otherwise) const;
    std::string relation_for(std::span<const ColumnRequest> requests) const;

    Session* session_;
    TableSource source_;
    bool is_lines_ = false;
    std::string relation_;
    std::string description_;
    std::vector<ColumnInfo> columns_;
};

}  // namespace segue
