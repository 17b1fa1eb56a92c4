#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "tables/duckdb_api.h"

namespace segue {

/// Views one column of a Chunk: text, whole numbers or floating-point numbers, each cell present or
/// null. Valid while its Chunk lives.
class ColumnView {
public:
    enum class Kind { kText, kInteger, kNumber };

    ColumnView(Kind kind, const void* cells, const std::uint64_t* validity)
        : kind_(kind), cells_(cells), validity_(validity) {}

    Kind kind() const { return kind_; }
    bool is_null(std::size_t row) const {
        return validity_ != nullptr && (validity_[row / 64] >> (row % 64) & 1) == 0;
    }
    /// Requires: kind() agrees and the cell is not null. Text may lie in the chunk itself.
    std::string_view text(std::size_t row) const {
        const auto& cell = static_cast<const duckdb::RawString*>(cells_)[row];
        return {cell.length <= duckdb::RawString::kInlineBytes ? cell.in_place() : cell.pointer,
                cell.length};
    }
    std::int64_t integer(std::size_t row) const {
        return static_cast<const std::int64_t*>(cells_)[row];
    }
    double number(std::size_t row) const { return static_cast<const double*>(cells_)[row]; }

private:
    Kind kind_;
    const void* cells_;
    const std::uint64_t* validity_;
};

/// Some thousand rows of an answer. Move-only. Immutable, thread-safe.
class Chunk {
public:
    Chunk(const duckdb::Api& api, duckdb::DataChunk* chunk) : chunk_(chunk, Destroy{&api}) {}

    std::size_t num_rows() const {
        return static_cast<std::size_t>(api().data_chunk_get_size(chunk_.get()));
    }
    /// Requires: the column is BIGINT, DOUBLE or VARCHAR in the query, and `kind` says which.
    ColumnView column(std::size_t index, ColumnView::Kind kind) const {
        duckdb::Vector* vector = api().data_chunk_get_vector(chunk_.get(), index);
        return {kind, api().vector_get_data(vector), api().vector_get_validity(vector)};
    }

private:
    struct Destroy {
        const duckdb::Api* api;
        void operator()(duckdb::DataChunk* chunk) const { api->destroy_data_chunk(&chunk); }
    };
    const duckdb::Api& api() const { return *chunk_.get_deleter().api; }
    std::unique_ptr<duckdb::DataChunk, Destroy> chunk_;
};

}  // namespace segue
