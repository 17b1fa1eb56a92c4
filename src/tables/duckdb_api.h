#pragma once

// The part of DuckDB's C interface that Segue calls, declared here so that building needs no header
// of DuckDB, and found at run time so that everything but reading and writing tables works without
// it.

#include <cstdint>
#include <string>

#include "base/status.h"

namespace segue::duckdb {

struct Database;
struct Connection;
struct Config;
struct Prepared;
struct Pending;
struct Appender;
struct LogicalType;
struct DataChunk;
struct Vector;

/// DuckDB's duckdb_result: passed by value and filled by the library, so its size must agree.
struct RawResult {
    std::uint64_t deprecated_counts[3] = {};
    void* deprecated_columns = nullptr;
    char* deprecated_error = nullptr;
    void* internal = nullptr;
};

/// DuckDB's duckdb_string_t, the cell of a VARCHAR vector: up to 12 bytes lie in place.
struct RawString {
    static constexpr std::uint32_t kInlineBytes = 12;
    std::uint32_t length;
    char prefix[4];
    const char* pointer;

    /// The text of a short cell: the bytes behind the length.
    const char* in_place() const { return reinterpret_cast<const char*>(this) + sizeof(length); }
};
static_assert(sizeof(RawResult) == 48 && sizeof(RawString) == 16);

/// DuckDB's duckdb_list_entry, the cell of a LIST vector.
struct RawListEntry {
    std::uint64_t offset;
    std::uint64_t length;
};

/// Values of DuckDB's duckdb_type; fixed by its interface.
enum class TypeId : int { kBigint = 5, kFloat = 10, kDouble = 11, kVarchar = 17 };

/// The functions, under their names in DuckDB without "duckdb_". State 0 is success.
/// Immutable, thread-safe.
struct Api {
    const char* (*library_version)();
    int (*create_config)(Config**);
    int (*set_config)(Config*, const char*, const char*);
    void (*destroy_config)(Config**);
    int (*open_ext)(const char*, Database**, Config*, char**);
    void (*close)(Database**);
    int (*connect)(Database*, Connection**);
    void (*disconnect)(Connection**);
    void (*free)(void*);

    int (*query)(Connection*, const char*, RawResult*);
    const char* (*result_error)(RawResult*);
    void (*destroy_result)(RawResult*);
    std::uint64_t (*column_count)(RawResult*);
    const char* (*column_name)(RawResult*, std::uint64_t);
    DataChunk* (*fetch_chunk)(RawResult);
    int (*prepare)(Connection*, const char*, Prepared**);
    const char* (*prepare_error)(Prepared*);
    void (*destroy_prepare)(Prepared**);
    int (*pending_prepared_streaming)(Prepared*, Pending**);
    int (*execute_pending)(Pending*, RawResult*);
    const char* (*pending_error)(Pending*);
    void (*destroy_pending)(Pending**);

    LogicalType* (*create_logical_type)(int);
    LogicalType* (*create_list_type)(LogicalType*);
    void (*destroy_logical_type)(LogicalType**);
    DataChunk* (*create_data_chunk)(LogicalType**, std::uint64_t);
    void (*destroy_data_chunk)(DataChunk**);
    void (*data_chunk_reset)(DataChunk*);
    Vector* (*data_chunk_get_vector)(DataChunk*, std::uint64_t);
    std::uint64_t (*data_chunk_get_size)(DataChunk*);
    void (*data_chunk_set_size)(DataChunk*, std::uint64_t);
    std::uint64_t (*vector_size)();
    void* (*vector_get_data)(Vector*);
    std::uint64_t* (*vector_get_validity)(Vector*);
    void (*vector_ensure_validity_writable)(Vector*);
    void (*vector_assign_string_element_len)(Vector*, std::uint64_t, const char*, std::uint64_t);
    Vector* (*list_vector_get_child)(Vector*);
    int (*list_vector_reserve)(Vector*, std::uint64_t);
    int (*list_vector_set_size)(Vector*, std::uint64_t);

    int (*appender_create)(Connection*, const char*, const char*, Appender**);
    int (*append_data_chunk)(Appender*, DataChunk*);
    int (*appender_close)(Appender*);
    const char* (*appender_error)(Appender*);
    int (*appender_destroy)(Appender**);
};

/// Loads the library at `path` (a file, or a name for the dynamic linker) and finds every function.
/// DuckDB's Python extension module serves too: its libpython is loaded first. The library stays
/// loaded for ever. Returns an error if: it cannot be loaded or lacks a function; the message says
/// how to get it.
Result<Api> load_api(const std::string& path);

/// The library of this process, loaded by the first call: $SEGUE_DUCKDB when set, else the one
/// known from the build when its file is there, else libduckdb.so. Any thread may call it; valid
/// for ever.
Result<const Api*> api();

}  // namespace segue::duckdb
