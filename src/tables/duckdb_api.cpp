#include "tables/duckdb_api.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace segue::duckdb {

namespace {

constexpr std::string_view kHowToGetIt =
    "run ./dev setup, or pip install duckdb==2.0.0 and set SEGUE_DUCKDB to its "
    "_duckdb.cpython-*.so, "
    "or to any libduckdb.so";

std::string last_linker_error() {
    const char* message = ::dlerror();
    return message == nullptr ? "unknown error" : message;
}

Status cannot_load(const std::string& path, const std::string& why) {
    return not_found(
        fmt::format("cannot load DuckDB from '{}': {}; to get it, {}", path, why, kHowToGetIt));
}

/// "libpython3.11.so.1.0" for "..._duckdb.cpython-311-x86_64-linux-gnu.so", empty for a plain
/// library.
std::string python_library_for(const std::string& path) {
    constexpr std::string_view kTag = ".cpython-3";
    const std::string name = std::filesystem::path(path).filename().string();
    const std::size_t tag = name.find(kTag);
    if (tag == std::string::npos) {
        return {};
    }
    const std::size_t begin = tag + kTag.size();
    const std::size_t end = name.find_first_not_of("0123456789", begin);
    return fmt::format("libpython3.{}.so.1.0", name.substr(begin, end - begin));
}

/// Finds functions one after the other and remembers the first that is missing.
class Binder {
public:
    explicit Binder(void* library) : library_(library) {}

    template <typename Function>
    void operator()(Function*& function, const char* name) {
        function = reinterpret_cast<Function*>(::dlsym(library_, name));
        if (function == nullptr && missing_.empty()) {
            missing_ = name;
        }
    }
    const std::string& missing() const { return missing_; }

private:
    void* library_;
    std::string missing_;
};

void bind_queries(Binder& bind, Api& api) {
    bind(api.library_version, "duckdb_library_version");
    bind(api.create_config, "duckdb_create_config");
    bind(api.set_config, "duckdb_set_config");
    bind(api.destroy_config, "duckdb_destroy_config");
    bind(api.open_ext, "duckdb_open_ext");
    bind(api.close, "duckdb_close");
    bind(api.connect, "duckdb_connect");
    bind(api.disconnect, "duckdb_disconnect");
    bind(api.free, "duckdb_free");
    bind(api.query, "duckdb_query");
    bind(api.result_error, "duckdb_result_error");
    bind(api.destroy_result, "duckdb_destroy_result");
    bind(api.column_count, "duckdb_column_count");
    bind(api.column_name, "duckdb_column_name");
    bind(api.fetch_chunk, "duckdb_fetch_chunk");
    bind(api.prepare, "duckdb_prepare");
    bind(api.prepare_error, "duckdb_prepare_error");
    bind(api.destroy_prepare, "duckdb_destroy_prepare");
    bind(api.pending_prepared_streaming, "duckdb_pending_prepared_streaming");
    bind(api.execute_pending, "duckdb_execute_pending");
    bind(api.pending_error, "duckdb_pending_error");
    bind(api.destroy_pending, "duckdb_destroy_pending");
}

void bind_vectors(Binder& bind, Api& api) {
    bind(api.create_logical_type, "duckdb_create_logical_type");
    bind(api.create_list_type, "duckdb_create_list_type");
    bind(api.destroy_logical_type, "duckdb_destroy_logical_type");
    bind(api.create_data_chunk, "duckdb_create_data_chunk");
    bind(api.destroy_data_chunk, "duckdb_destroy_data_chunk");
    bind(api.data_chunk_reset, "duckdb_data_chunk_reset");
    bind(api.data_chunk_get_vector, "duckdb_data_chunk_get_vector");
    bind(api.data_chunk_get_size, "duckdb_data_chunk_get_size");
    bind(api.data_chunk_set_size, "duckdb_data_chunk_set_size");
    bind(api.vector_size, "duckdb_vector_size");
    bind(api.vector_get_data, "duckdb_vector_get_data");
    bind(api.vector_get_validity, "duckdb_vector_get_validity");
    bind(api.vector_ensure_validity_writable, "duckdb_vector_ensure_validity_writable");
    bind(api.vector_assign_string_element_len, "duckdb_vector_assign_string_element_len");
    bind(api.list_vector_get_child, "duckdb_list_vector_get_child");
    bind(api.list_vector_reserve, "duckdb_list_vector_reserve");
    bind(api.list_vector_set_size, "duckdb_list_vector_set_size");
    bind(api.appender_create, "duckdb_appender_create");
    bind(api.append_data_chunk, "duckdb_append_data_chunk");
    bind(api.appender_close, "duckdb_appender_close");
    bind(api.appender_error, "duckdb_appender_error");
    bind(api.appender_destroy, "duckdb_appender_destroy");
}

/// The library used when SEGUE_DUCKDB is not set.
std::string default_path() {
    const std::string built_with = SEGUE_DUCKDB_DEFAULT;
    std::error_code ignored;
    return !built_with.empty() && std::filesystem::exists(built_with, ignored) ? built_with
                                                                               : "libduckdb.so";
}

}  // namespace

Result<Api> load_api(const std::string& path) {
    const std::string python = python_library_for(path);
    if (!python.empty() && ::dlopen(python.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        return cannot_load(path, fmt::format("it needs {} ({})", python, last_linker_error()));
    }
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        return cannot_load(path, last_linker_error());
    }
    Api functions{};
    Binder bind(library);
    bind_queries(bind, functions);
    bind_vectors(bind, functions);
    if (!bind.missing().empty()) {
        return cannot_load(path, "it has no function " + bind.missing());
    }
    return functions;
}

Result<const Api*> api() {
    static const Result<Api> kLoaded = [] {
        const char* wanted = std::getenv("SEGUE_DUCKDB");
        return load_api(wanted != nullptr && *wanted != '\0' ? wanted : default_path());
    }();
    if (!kLoaded.ok()) {
        return kLoaded.status();
    }
    return &kLoaded.value();
}

}  // namespace segue::duckdb
