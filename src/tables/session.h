#pragma once

// One in-memory DuckDB and the results of its queries.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tables/chunk.h"

namespace segue {

/// "name" for use in SQL, quotes doubled; 'text' likewise.
std::string sql_identifier(std::string_view name);
std::string sql_literal(std::string_view text);

struct SessionOptions {
    /// 0 means one for each core.
    unsigned num_threads = 0;
    /// Bytes DuckDB may hold before it spills to the temporary folder; 0 leaves its own limit, 80 %
    /// of memory.
    std::uint64_t memory_limit_bytes = 0;
};

/// The answer of one query, chunk after chunk in order. Move-only. Not thread-safe. Must not
/// outlive its Session.
class QueryResult {
public:
    QueryResult(QueryResult&&) noexcept;
    QueryResult& operator=(QueryResult&&) noexcept;
    ~QueryResult();

    std::size_t num_columns() const;
    std::string column_name(std::size_t column) const;
    /// The next chunk; nothing after the last one.
    /// Returns an error if: the rest of the input cannot be read.
    Result<std::optional<Chunk>> next();

private:
    friend class Session;
    struct State;
    explicit QueryResult(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// An in-memory database that reads and writes files of this machine only (no network, no
/// extensions fetched) and keeps rows in the order of the input. Move-only. Not thread-safe; its
/// queries use several threads.
class Session {
public:
    /// Returns an error if: DuckDB cannot be loaded (see duckdb_api.h) or does not start.
    static Result<Session> open(const SessionOptions& options);
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();

    /// Runs `sql` to its end; the whole answer lies in memory. Errors as one line.
    Result<QueryResult> query(const std::string& sql);
    /// Runs one SELECT that computes its answer while it is read; one at a time in a session.
    Result<QueryResult> stream(const std::string& sql);
    /// Rows of a query whose answer is a small table of text; null cells are empty.
    Result<std::vector<std::vector<std::string>>> query_text(const std::string& sql);

    /// "v2.0.0"
    std::string library_version() const;

private:
    friend class TableWriter;
    struct State;
    explicit Session(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace segue
