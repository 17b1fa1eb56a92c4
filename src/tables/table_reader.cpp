#include "tables/table_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "tables/column_sql.h"

namespace segue {

namespace {

/// More columns than this are not listed in a message.
constexpr std::size_t kMostColumnsListed = 20;

std::string describe(const TableSource& source) {
    if (!source.sql.empty()) {
        return "the query";
    }
    const std::string first = "'" + source.paths[0] + "'";
    return source.paths.size() == 1 ? first
                                    : fmt::format("{} and {} more", first, source.paths.size() - 1);
}

/// The name without what RecBole puts behind it: "user_id" for "user_id:token".
std::string_view without_type(std::string_view name) {
    return name.substr(0, name.find(':'));
}

std::string list_columns(std::span<const ColumnInfo> columns) {
    std::string list;
    for (std::size_t index = 0; index < std::min(columns.size(), kMostColumnsListed); ++index) {
        list += (index > 0 ? ", " : "") + shortened(columns[index].name);
    }
    return columns.size() > kMostColumnsListed ? list + ", ..." : list;
}

/// The column whose name is least unlike `name`, or nothing when none is near.
std::optional<std::string_view> nearest_column(std::span<const ColumnInfo> columns,
                                               std::string_view name) {
    std::size_t limit = std::max<std::size_t>(1, name.size() / 3);
    std::optional<std::string_view> nearest;
    for (const ColumnInfo& column : columns) {
        const std::size_t distance =
            edit_distance(to_lower_ascii(without_type(column.name)), to_lower_ascii(name), limit);
        if (distance <= limit && (!nearest || distance < limit)) {
            nearest = column.name;
            limit = distance;
        }
    }
    return nearest;
}

/// SQL that ends inside a subquery: without its last semicolon, and safe against a comment at its
/// end.
std::string as_subquery(std::string_view sql) {
    while (!sql.empty() && (sql.back() == ';' || sql.back() == ' ' || sql.back() == '\n' ||
                            sql.back() == '\t' || sql.back() == '\r')) {
        sql.remove_suffix(1);
    }
    return fmt::format("({}\n)", sql);
}

bool is_csv(const TableSource& source) {
    return source.sql.empty() && (format_of(source.paths[0]) == FileFormat::kCsv ||
                                  format_of(source.paths[0]) == FileFormat::kTsv);
}

/// The delimiter that occurs most often in the first line of a CSV file.
char likely_delimiter(std::string_view line) {
    char best = ',';
    for (const char candidate : {',', '\t', ';', '|'}) {
        if (std::count(line.begin(), line.end(), candidate) >
            std::count(line.begin(), line.end(), best)) {
            best = candidate;
        }
    }
    return best;
}

}  // namespace

Result<std::optional<TableChunk>> TableRows::next() {
    Result<std::optional<Chunk>> chunk = result_.next();
    if (!chunk.ok()) {
        return chunk.status();
    }
    if (!chunk->has_value()) {
        return std::optional<TableChunk>();
    }
    TableChunk rows{std::move(**chunk), 0, {}};
    rows.num_rows = rows.chunk.num_rows();
    for (std::size_t column = 0; column < kinds_.size(); ++column) {
        rows.columns.push_back(rows.chunk.column(column, kinds_[column]));
    }
    return std::optional<TableChunk>(std::move(rows));
}

Result<Table> Table::open(Session& session, TableSource source) {
    if (!source.paths.empty() || source.sql.empty()) {
        if (Status status = check_paths(source.paths); !status.ok()) {
            return status;
        }
    }
    Table table(session, std::move(source));
    table.description_ = describe(table.source_);
    if (table.source_.sql.empty()) {
        table.relation_ = sql_of_files(table.source_, true);
    } else {
        if (!table.source_.paths.empty()) {
            const Result<QueryResult> view =
                session.query("CREATE OR REPLACE TEMP VIEW input AS SELECT * FROM " +
                              sql_of_files(table.source_, false));
            if (!view.ok()) {
                return view.status();
            }
        }
        table.relation_ = as_subquery(table.source_.sql);
    }
    if (Status status = table.find_columns(); !status.ok()) {
        return status;
    }
    return table;
}

Result<Table> Table::open_lines(Session& session, std::vector<std::string> paths) {
    if (Status status = check_paths(paths); !status.ok()) {
        return status;
    }
    Table table(session, {.paths = std::move(paths), .sql = {}, .has_header = false});
    table.description_ = describe(table.source_);
    table.relation_ = sql_of_lines(table.source_.paths);
    table.is_lines_ = true;
    table.columns_ = {{"line", "VARCHAR"}};
    return table;
}

Status Table::find_columns() {
    const auto rows = session_->query_text(
        "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM " + relation_ + ")");
    if (!rows.ok()) {
        const bool rows_disagree =
            is_csv(source_) && rows.status().message().find("sniffing") != std::string::npos;
        return rows_disagree ? explain_csv_failure(rows.status()) : rows.status();
    }
    for (const auto& row : *rows) {
        columns_.push_back({row[0], row[1]});
    }
    // A delimiter inside the only name: the rows do not agree on the number of columns.
    if (is_csv(source_) && columns_.size() == 1 &&
        columns_[0].name.find_first_of(",;|\t") != std::string::npos) {
        return explain_csv_failure(Status());
    }
    return Status();
}

Status Table::explain_csv_failure(const Status& otherwise) const {
    const auto lines =
        session_->query_text("SELECT * FROM " + sql_of_lines(source_.paths) + " LIMIT 1");
    if (!lines.ok()) {
        return lines.status();
    }
    const std::string header = lines->empty() ? std::string() : (*lines)[0][0];
    const char delimiter = likely_delimiter(header);
    std::string columns;
    for (std::size_t column = 0; column < split(header, delimiter).size(); ++column) {
        columns += fmt::format("{}'c{}': 'VARCHAR'", column > 0 ? ", " : "", column);
    }
    const auto rows = session_->query_text(fmt::format(
        "SELECT CAST(count(*) AS VARCHAR) FROM read_csv({}, auto_detect=false, columns={{{}}}, "
        "delim={}, quote='\"', escape='\"', header={})",
        sql_path_list(source_.paths), columns, sql_literal(std::string_view(&delimiter, 1)),
        source_.has_header));
    return rows.ok() ? otherwise : rows.status();
}

std::optional<std::size_t> Table::try_find_column(std::string_view name) const {
    std::optional<std::size_t> found;
    const std::string lowered = to_lower_ascii(name);
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        if (columns_[column].name == name) {
            return column;
        }
        const std::string candidate = to_lower_ascii(columns_[column].name);
        if (candidate == lowered || without_type(candidate) == lowered) {
            if (found) {
                return std::nullopt;
            }
            found = column;
        }
    }
    return found;
}

Result<std::size_t> Table::find_column(std::string_view name) const {
    if (const std::optional<std::size_t> column = try_find_column(name)) {
        return *column;
    }
    const std::optional<std::string_view> nearest = nearest_column(columns_, name);
    return invalid_argument(
        fmt::format("{} has no column '{}'{}; its columns are {}", description_, shortened(name),
                    nearest ? fmt::format(", did you mean '{}'?", shortened(*nearest)) : "",
                    list_columns(columns_)));
}

std::optional<std::uint64_t> Table::num_rows_if_known() const {
    if (is_lines_ || !source_.sql.empty() || format_of(source_.paths[0]) != FileFormat::kParquet) {
        return std::nullopt;
    }
    const auto rows = session_->query_text("SELECT CAST(count(*) AS VARCHAR) FROM " + relation_);
    return rows.ok() ? parse_unsigned((*rows)[0][0]) : std::nullopt;
}

std::string Table::relation_for(std::span<const ColumnRequest> requests) const {
    if (is_lines_ || !source_.sql.empty() || format_of(source_.paths[0]) != FileFormat::kJson) {
        return relation_;
    }
    std::vector<std::string> names;
    std::string columns;
    for (const ColumnRequest& request : requests) {
        const ColumnInfo& column = columns_[request.column];
        if (std::find(names.begin(), names.end(), column.name) == names.end()) {
            names.push_back(column.name);
            columns +=
                fmt::format("{}{}: {}", columns.empty() ? "" : ", ", sql_literal(column.name),
                            sql_literal(json_type_of(column, request.use)));
        }
    }
    return fmt::format("read_json({}, columns={{{}}})", sql_path_list(source_.paths), columns);
}

Result<TableRows> Table::read(std::span<const ColumnRequest> requests) const {
    const std::string relation = relation_for(requests);
    std::string select;
    std::vector<ColumnView::Kind> kinds;
    for (const ColumnRequest& request : requests) {
        ColumnInfo column = columns_[request.column];
        if (relation != relation_) {
            column.type = json_type_of(column, request.use);
        }
        const Result<ColumnExpression> expression = expression_of(column, request.use);
        if (!expression.ok()) {
            return expression.status().with_context(description_);
        }
        select += (select.empty() ? "" : ", ") + expression->sql;
        kinds.push_back(expression->kind);
    }
    Result<QueryResult> result =
        session_->stream(fmt::format("SELECT {} FROM {}", select, relation));
    if (!result.ok()) {
        return result.status();
    }
    return TableRows(std::move(*result), std::move(kinds));
}

std::string Table::cell_text(std::size_t column, std::uint64_t row) const {
    const auto rows =
        session_->query_text(fmt::format("SELECT CAST({} AS VARCHAR) FROM {} LIMIT 1 OFFSET {}",
                                         sql_identifier(columns_[column].name), relation_, row));
    return rows.ok() && !rows->empty() ? (*rows)[0][0] : std::string();
}

}  // namespace segue
