#include "tables/session.h"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <thread>
#include <utility>

#include "tables/duckdb_error.h"
#include "tables/session_state.h"

namespace segue {

namespace {

std::string quoted_with(char quote, std::string_view text) {
    std::string quoted(1, quote);
    for (const char c : text) {
        quoted += c;
        if (c == quote) {
            quoted += c;
        }
    }
    quoted += quote;
    return quoted;
}

/// Where DuckDB spills; it makes the folder when it has to and removes it again.
std::string spill_folder() {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    return error ? std::string() : (parent / fmt::format("segue-duckdb-{}", ::getpid())).string();
}

std::vector<std::pair<std::string, std::string>> settings_of(const SessionOptions& options) {
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::pair<std::string, std::string>> settings = {
        {"threads", std::to_string(options.num_threads == 0 ? cores : options.num_threads)},
        {"preserve_insertion_order", "true"},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
        // Tables are read once; caching them would only double the memory.
        {"enable_external_file_cache", "false"},
        {"temp_directory", spill_folder()},
    };
    if (options.memory_limit_bytes != 0) {
        settings.emplace_back("memory_limit", fmt::format("{}B", options.memory_limit_bytes));
    }
    return settings;
}

}  // namespace

std::string sql_identifier(std::string_view name) {
    return quoted_with('"', name);
}
std::string sql_literal(std::string_view text) {
    return quoted_with('\'', text);
}

struct QueryResult::State {
    const duckdb::Api* api = nullptr;
    duckdb::RawResult result;
    duckdb::Prepared* prepared = nullptr;

    ~State() {
        api->destroy_result(&result);
        if (prepared != nullptr) {
            api->destroy_prepare(&prepared);
        }
    }
};

QueryResult::QueryResult(std::unique_ptr<State> state) : state_(std::move(state)) {}
QueryResult::QueryResult(QueryResult&&) noexcept = default;
QueryResult& QueryResult::operator=(QueryResult&&) noexcept = default;
QueryResult::~QueryResult() = default;

std::size_t QueryResult::num_columns() const {
    return static_cast<std::size_t>(state_->api->column_count(&state_->result));
}

std::string QueryResult::column_name(std::size_t column) const {
    const char* name = state_->api->column_name(&state_->result, column);
    return name == nullptr ? std::string() : name;
}

Result<std::optional<Chunk>> QueryResult::next() {
    duckdb::DataChunk* chunk = state_->api->fetch_chunk(state_->result);
    if (chunk != nullptr) {
        return std::optional<Chunk>(Chunk(*state_->api, chunk));
    }
    // A stream ends in the same way when it fails.
    const char* error = state_->api->result_error(&state_->result);
    if (error != nullptr && *error != '\0') {
        return status_of_duckdb_error(error);
    }
    return std::optional<Chunk>();
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Session::State::~State() {
    if (connection != nullptr) {
        api->disconnect(&connection);
    }
    if (database != nullptr) {
        api->close(&database);
    }
}

Result<Session> Session::open(const SessionOptions& options) {
    const Result<const duckdb::Api*> api = duckdb::api();
    if (!api.ok()) {
        return api.status();
    }
    auto state = std::make_unique<State>();
    state->api = *api;
    duckdb::Config* config = nullptr;
    if (state->api->create_config(&config) != 0) {
        return internal_error("DuckDB makes no configuration");
    }
    Status status;
    for (const auto& [name, value] : settings_of(options)) {
        if (status.ok() && state->api->set_config(config, name.c_str(), value.c_str()) != 0) {
            status = internal_error(fmt::format("DuckDB {} does not accept the setting {} = '{}'",
                                                state->api->library_version(), name, value));
        }
    }
    char* error = nullptr;
    if (status.ok() && (state->api->open_ext(nullptr, &state->database, config, &error) != 0 ||
                        state->api->connect(state->database, &state->connection) != 0)) {
        status = status_of_duckdb_error(error == nullptr ? "DuckDB does not start" : error);
    }
    if (error != nullptr) {
        state->api->free(error);
    }
    state->api->destroy_config(&config);
    if (!status.ok()) {
        return status;
    }
    return Session(std::move(state));
}

Result<QueryResult> Session::query(const std::string& sql) {
    auto result = std::make_unique<QueryResult::State>();
    result->api = state_->api;
    if (state_->api->query(state_->connection, sql.c_str(), &result->result) != 0) {
        const char* error = state_->api->result_error(&result->result);
        return status_of_duckdb_error(error == nullptr ? "" : error);
    }
    return QueryResult(std::move(result));
}

Result<QueryResult> Session::stream(const std::string& sql) {
    auto result = std::make_unique<QueryResult::State>();
    const duckdb::Api& api = *state_->api;
    result->api = &api;
    if (api.prepare(state_->connection, sql.c_str(), &result->prepared) != 0) {
        const char* error = api.prepare_error(result->prepared);
        return status_of_duckdb_error(error == nullptr ? "" : error);
    }
    duckdb::Pending* pending = nullptr;
    Status status;
    if (api.pending_prepared_streaming(result->prepared, &pending) != 0) {
        const char* error = api.pending_error(pending);
        status = status_of_duckdb_error(error == nullptr ? "" : error);
    } else if (api.execute_pending(pending, &result->result) != 0) {
        const char* error = api.result_error(&result->result);
        status = status_of_duckdb_error(error == nullptr ? "" : error);
    }
    api.destroy_pending(&pending);
    if (!status.ok()) {
        return status;
    }
    return QueryResult(std::move(result));
}

Result<std::vector<std::vector<std::string>>> Session::query_text(const std::string& sql) {
    Result<QueryResult> result = query(sql);
    if (!result.ok()) {
        return result.status();
    }
    std::vector<std::vector<std::string>> rows;
    for (;;) {
        Result<std::optional<Chunk>> chunk = result->next();
        if (!chunk.ok()) {
            return chunk.status();
        }
        if (!chunk->has_value()) {
            return rows;
        }
        const Chunk& cells = **chunk;
        const std::size_t begin = rows.size();
        rows.resize(begin + cells.num_rows());
        for (std::size_t column = 0; column < result->num_columns(); ++column) {
            const ColumnView view = cells.column(column, ColumnView::Kind::kText);
            for (std::size_t row = 0; row < cells.num_rows(); ++row) {
                rows[begin + row].emplace_back(view.is_null(row) ? std::string_view()
                                                                 : view.text(row));
            }
        }
    }
}

std::string Session::library_version() const {
    return state_->api->library_version();
}

}  // namespace segue
