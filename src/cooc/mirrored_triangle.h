#pragma once

// A symmetric matrix from its upper triangle: pairs are counted and scored once, then written to
// both sides.

#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include "base/large_vector.h"
#include "base/thread_pool.h"
#include "data/sparse.h"

namespace segue {

/// The rows of one chunk of items, one after the other: entries (item, partner) with partner >=
/// item, ascending. Views TriangleBlocks.
template <typename Value>
struct TriangleChunk {
    std::vector<std::uint64_t> row_ends;  // [rows of the chunk] where each row ends in what follows
    std::span<const std::uint32_t> columns;  // [num_entries]
    std::span<const Value> values;           // [num_entries]
};

/// Compressed rows of the whole matrix, columns ascending in each.
template <typename Value>
struct MirroredMatrix {
    std::vector<std::uint64_t> offsets;  // [num_items + 1]
    LargeVector<std::uint32_t> columns;  // [num_entries]
    LargeVector<Value> values;           // [num_entries]

    std::size_t num_items() const { return offsets.size() - 1; }
    std::size_t num_entries() const { return columns.size(); }
    SparseView view() const requires std::same_as<Value, float> {
        return {num_items(), num_items(), offsets, columns, values};
    }
};

/// Entries (i, j) with i < j appear as (j, i) too. `chunks` tells which items each of `triangle`
/// has. Made for float and double.
template <typename Value>
MirroredMatrix<Value> mirror_triangle(const Chunks& chunks,
                                      std::span<const TriangleChunk<Value>> triangle,
                                      ThreadPool& pool);

extern template MirroredMatrix<float> mirror_triangle(const Chunks&,
                                                      std::span<const TriangleChunk<float>>,
                                                      ThreadPool&);
extern template MirroredMatrix<double> mirror_triangle(const Chunks&,
                                                       std::span<const TriangleChunk<double>>,
                                                       ThreadPool&);

}  // namespace segue
