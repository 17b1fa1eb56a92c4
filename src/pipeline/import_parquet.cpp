#include <fmt/core.h>

#include <limits>
#include <optional>

#include "base/text.h"
#include "pipeline/vector_collector.h"
#include "tables/session.h"

namespace segue {
namespace {

constexpr std::string_view kSeparator = ",";

/// The first column there is of `names`.
std::optional<std::string> find_column(const std::vector<std::vector<std::string>>& columns,
                                       std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        for (const std::vector<std::string>& row : columns) {
            if (row.front() == name) {
                return row.front();
            }
        }
    }
    return std::nullopt;
}

/// Numbers between commas; "nan", "inf" and null are not finite. Nothing when one is no number.
std::optional<std::vector<float>> parse_list(std::string_view text) {
    std::vector<float> vector;
    if (text.empty()) {
        return vector;
    }
    for (const std::string_view piece : split(text, kSeparator.front())) {
        const std::optional<double> number = parse_double(piece);
        vector.push_back(number ? static_cast<float>(*number)
                                : std::numeric_limits<float>::quiet_NaN());
    }
    return vector;
}

}  // namespace

Status read_parquet_vectors(const std::string& path, VectorCollector& collector) {
    Result<Session> session = Session::open({});
    if (!session.ok()) {
        return session.status();
    }
    const std::string source = fmt::format("read_parquet({})", sql_literal(path));
    const auto columns = session->query_text(
        fmt::format("SELECT column_name FROM (DESCRIBE SELECT * FROM {})", source));
    if (!columns.ok()) {
        return columns.status();
    }
    const auto key = find_column(*columns, {"id", "item_Id", "item", "key"});
    const auto embedding = find_column(*columns, {"embedding", "vector"});
    if (!key || !embedding) {
        return invalid_argument(
            fmt::format("'{}' has no columns id and embedding (a list of floats)", path));
    }
    // A list travels as text between the database and here; its floats read back to the same bits.
    Result<QueryResult> rows = session->stream(fmt::format(
        "SELECT CAST({} AS VARCHAR), array_to_string(list_transform(CAST({} AS FLOAT[]), "
        "lambda x: coalesce(CAST(x AS VARCHAR), 'nan')), ',') FROM {}",
        sql_identifier(*key), sql_identifier(*embedding), source));
    if (!rows.ok()) {
        return rows.status().with_context(fmt::format("'{}'", path));
    }
    for (std::uint64_t row = 1;;) {
        const Result<std::optional<Chunk>> next = rows->next();
        if (!next.ok()) {
            return next.status().with_context(fmt::format("'{}'", path));
        }
        if (!next->has_value()) {
            return {};
        }
        const Chunk& chunk = **next;
        const ColumnView keys = chunk.column(0, ColumnView::Kind::kText);
        const ColumnView lists = chunk.column(1, ColumnView::Kind::kText);
        for (std::size_t i = 0; i < chunk.num_rows(); ++i, ++row) {
            collector.count_line();
            if (keys.is_null(i) || lists.is_null(i)) {
                collector.fault(row, keys.is_null(i) ? ImportFault::kNoKey : ImportFault::kNoVector,
                                keys.is_null(i) ? "the id is null" : "the embedding is null");
                continue;
            }
            collector.add(row, keys.text(i), *parse_list(lists.text(i)));
        }
    }
}

}  // namespace segue
