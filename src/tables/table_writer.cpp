#include "tables/table_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "tables/duckdb_error.h"
#include "tables/session_state.h"
#include "tables/table_source.h"

namespace segue {

namespace {

using Type = OutputColumn::Type;

std::string_view sql_type_of(Type type) {
    switch (type) {
        case Type::kText:
            return "VARCHAR";
        case Type::kInteger:
            return "BIGINT";
        case Type::kFloat:
            return "FLOAT";
        case Type::kDouble:
            return "DOUBLE";
        case Type::kFloatList:
            return "FLOAT[]";
    }
    return "";
}

/// The options of COPY for a file name.
/// Returns an error if: the name tells no format that is written.
Result<std::string> copy_options_for(const std::string& path) {
    // The rename is ours (AtomicFile), so DuckDB must write to the name it is given.
    std::string options = "USE_TMP_FILE false, ";
    const Compression compression = compression_of(path);
    std::string name = to_lower_ascii(path);
    if (compression != Compression::kNone) {
        name.resize(name.rfind('.'));
    }
    const std::string extension = name.substr(std::min(name.size(), name.rfind('.')));
    if (extension == ".parquet" && compression == Compression::kNone) {
        return options + "FORMAT parquet";
    }
    if (extension == ".csv") {
        options += "FORMAT csv, HEADER true";
    } else if (extension == ".tsv") {
        options += "FORMAT csv, HEADER true, DELIMITER '\t'";
    } else if (extension == ".jsonl" || extension == ".ndjson" || extension == ".json") {
        options += "FORMAT json";
    } else {
        return invalid_argument(fmt::format(
            "'{}' does not tell its format; end it in .parquet, .csv, .tsv or .jsonl", path));
    }
    switch (compression) {
        case Compression::kNone:
            return options + ", COMPRESSION none";
        case Compression::kGzip:
            return options + ", COMPRESSION gzip";
        case Compression::kZstd:
            return options + ", COMPRESSION zstd";
    }
    return options;
}

/// Tables of writers in one session need different names.
std::string next_table_name() {
    static std::atomic<unsigned> number{0};
    return fmt::format("segue_out_{}", number++);
}

}  // namespace

Status check_table_name(const std::string& path) {
    return copy_options_for(path).status();
}

struct TableWriter::State {
    const duckdb::Api* api = nullptr;
    Session* session = nullptr;
    std::string path;
    std::string copy_options;
    std::string table;
    std::vector<OutputColumn> columns;
    std::optional<AtomicFile> file;
    duckdb::Appender* appender = nullptr;
    duckdb::DataChunk* chunk = nullptr;
    std::vector<duckdb::Vector*> vectors;  // [columns.size()]
    std::vector<void*> cells;              // [columns.size()]
    std::vector<std::uint64_t>
        list_floats;  // [columns.size()] floats in the child of a list so far
    std::uint64_t chunk_rows = 0;
    std::uint64_t num_rows = 0;
    std::size_t column = 0;
    Status status;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State();

    void make_chunk();
    void start_chunk();
    void flush();
    void close_appender();
    void drop_table();
};

TableWriter::State::~State() {
    if (api == nullptr) {
        return;
    }
    if (chunk != nullptr) {
        api->destroy_data_chunk(&chunk);
    }
    if (appender != nullptr) {
        api->appender_destroy(&appender);
        drop_table();
    }
}

void TableWriter::State::drop_table() {
    // Memory only: when it fails the session frees it at its end.
    (void)session->query("DROP TABLE IF EXISTS " + table);
}

void TableWriter::State::make_chunk() {
    std::vector<duckdb::LogicalType*> types;
    for (const OutputColumn& column_info : columns) {
        duckdb::TypeId id = duckdb::TypeId::kVarchar;
        if (column_info.type == Type::kInteger) {
            id = duckdb::TypeId::kBigint;
        } else if (column_info.type == Type::kDouble) {
            id = duckdb::TypeId::kDouble;
        } else if (column_info.type != Type::kText) {
            id = duckdb::TypeId::kFloat;
        }
        duckdb::LogicalType* type = api->create_logical_type(static_cast<int>(id));
        if (column_info.type == Type::kFloatList) {
            duckdb::LogicalType* list = api->create_list_type(type);
            api->destroy_logical_type(&type);
            type = list;
        }
        types.push_back(type);
    }
    chunk = api->create_data_chunk(types.data(), types.size());
    for (duckdb::LogicalType*& type : types) {
        api->destroy_logical_type(&type);
    }
    start_chunk();
}

void TableWriter::State::start_chunk() {
    vectors.clear();
    cells.clear();
    list_floats.assign(columns.size(), 0);
    for (std::size_t index = 0; index < columns.size(); ++index) {
        vectors.push_back(api->data_chunk_get_vector(chunk, index));
        cells.push_back(api->vector_get_data(vectors.back()));
    }
    chunk_rows = 0;
}

void TableWriter::State::flush() {
    api->data_chunk_set_size(chunk, chunk_rows);
    if (status.ok() && api->append_data_chunk(appender, chunk) != 0) {
        const char* error = api->appender_error(appender);
        status = status_of_duckdb_error(error == nullptr ? "" : error);
    }
    api->data_chunk_reset(chunk);
    start_chunk();
}

void TableWriter::State::close_appender() {
    if (api->appender_close(appender) != 0 && status.ok()) {
        const char* error = api->appender_error(appender);
        status = status_of_duckdb_error(error == nullptr ? "" : error);
    }
    api->appender_destroy(&appender);
    appender = nullptr;
}

TableWriter::TableWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
TableWriter::TableWriter(TableWriter&&) noexcept = default;
TableWriter::~TableWriter() = default;

Result<TableWriter> TableWriter::create(Session& session, const std::string& path,
                                        std::vector<OutputColumn> columns, bool overwrite) {
    if (columns.empty()) {
        return invalid_argument("a table to write has no columns");
    }
    Result<std::string> options = copy_options_for(path);
    if (!options.ok()) {
        return options.status();
    }
    auto state = std::make_unique<State>();
    state->api = session.state_->api;
    state->session = &session;
    state->path = path;
    state->copy_options = std::move(*options);
    state->table = next_table_name();
    state->columns = std::move(columns);
    std::string definition;
    for (const OutputColumn& column : state->columns) {
        definition += fmt::format("{}{} {}", definition.empty() ? "" : ", ",
                                  sql_identifier(column.name), sql_type_of(column.type));
    }
    Result<AtomicFile> file = AtomicFile::create(path, overwrite);
    if (!file.ok()) {
        return file.status();
    }
    state->file.emplace(std::move(*file));
    const Result<QueryResult> made =
        session.query(fmt::format("CREATE TEMP TABLE {} ({})", state->table, definition));
    if (!made.ok()) {
        return made.status();
    }
    if (state->api->appender_create(session.state_->connection, nullptr, state->table.c_str(),
                                    &state->appender) != 0) {
        const char* error = state->api->appender_error(state->appender);
        return status_of_duckdb_error(error == nullptr ? "" : error);
    }
    state->make_chunk();
    return TableWriter(std::move(state));
}

void TableWriter::text(std::string_view cell) {
    State& state = *state_;
    SEGUE_ASSERT(state.columns[state.column].type == Type::kText);
    if (!is_valid_utf8(cell)) {
        if (state.status.ok()) {
            state.status = invalid_argument(
                fmt::format("'{}': the text in column '{}' of row {} is not UTF-8", state.path,
                            state.columns[state.column].name, state.num_rows + 1));
        }
        cell = {};
    }
    state.api->vector_assign_string_element_len(state.vectors[state.column], state.chunk_rows,
                                                cell.data(), cell.size());
    ++state.column;
}

void TableWriter::integer(std::int64_t cell) {
    State& state = *state_;
    SEGUE_ASSERT(state.columns[state.column].type == Type::kInteger);
    static_cast<std::int64_t*>(state.cells[state.column++])[state.chunk_rows] = cell;
}

void TableWriter::number(double cell) {
    State& state = *state_;
    const Type type = state.columns[state.column].type;
    SEGUE_ASSERT(type == Type::kFloat || type == Type::kDouble);
    void* cells = state.cells[state.column++];
    if (type == Type::kFloat) {
        static_cast<float*>(cells)[state.chunk_rows] = static_cast<float>(cell);
    } else {
        static_cast<double*>(cells)[state.chunk_rows] = cell;
    }
}

void TableWriter::floats(std::span<const float> cell) {
    State& state = *state_;
    SEGUE_ASSERT(state.columns[state.column].type == Type::kFloatList);
    duckdb::Vector* list = state.vectors[state.column];
    std::uint64_t& used = state.list_floats[state.column];
    state.api->list_vector_reserve(list, used + cell.size());
    auto* child =
        static_cast<float*>(state.api->vector_get_data(state.api->list_vector_get_child(list)));
    std::copy(cell.begin(), cell.end(), child + used);
    static_cast<duckdb::RawListEntry*>(state.cells[state.column])[state.chunk_rows] = {used,
                                                                                       cell.size()};
    used += cell.size();
    state.api->list_vector_set_size(list, used);
    ++state.column;
}

void TableWriter::null() {
    State& state = *state_;
    duckdb::Vector* vector = state.vectors[state.column];
    state.api->vector_ensure_validity_writable(vector);
    std::uint64_t* validity = state.api->vector_get_validity(vector);
    validity[state.chunk_rows / 64] &= ~(std::uint64_t{1} << (state.chunk_rows % 64));
    if (state.columns[state.column].type == Type::kFloatList) {
        static_cast<duckdb::RawListEntry*>(state.cells[state.column])[state.chunk_rows] = {
            state.list_floats[state.column], 0};
    }
    ++state.column;
}

void TableWriter::end_row() {
    State& state = *state_;
    SEGUE_ASSERT(state.column == state.columns.size());
    state.column = 0;
    ++state.num_rows;
    if (++state.chunk_rows == state.api->vector_size()) {
        state.flush();
    }
}

Status TableWriter::commit() {
    State& state = *state_;
    SEGUE_ASSERT(state.appender != nullptr && state.column == 0);
    if (state.chunk_rows > 0) {
        state.flush();
    }
    state.close_appender();
    if (state.status.ok()) {
        const Result<QueryResult> copied = state.session->query(
            fmt::format("COPY {} TO {} ({})", state.table,
                        sql_literal(state.file->temporary_path()), state.copy_options));
        if (!copied.ok()) {
            state.status =
                copied.status().with_context(fmt::format("cannot write '{}'", state.path));
        }
    }
    state.drop_table();
    return state.status.ok() ? state.file->commit() : state.status;
}

}  // namespace segue
