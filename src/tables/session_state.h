#pragma once

// Inside of Session, for the files of this folder that talk to DuckDB themselves.

#include "tables/session.h"

namespace segue {

struct Session::State {
    const duckdb::Api* api = nullptr;
    duckdb::Database* database = nullptr;
    duckdb::Connection* connection = nullptr;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State();
};

}  // namespace segue
