#pragma once

// Where one thread keeps the rows it counted until the triangle is whole.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/large_vector.h"
#include "cooc/mirrored_triangle.h"

namespace segue {

/// Rows written once, into blocks of memory that never move: a block is four times as large as the
/// one before, so that small tables need little and large ones ask for huge pages. One thread.
template <typename Value>
class TriangleBlocks {
public:
    /// Begins a row of `size` entries at the end of the chunk and returns where its columns and
    /// values go; both hold until the blocks are gone.
    std::pair<std::span<std::uint32_t>, std::span<Value>> append_row(std::size_t size) {
        if (blocks_.empty() ||
            blocks_.back().columns.size() + size > blocks_.back().columns.capacity()) {
            begin_block(size);
        }
        Block& block = blocks_.back();
        const std::size_t begin = block.columns.size();
        block.columns.resize(begin + size);
        block.values.resize(begin + size);
        row_ends_.push_back(begin + size - chunk_begin_);
        return {std::span(block.columns).subspan(begin), std::span(block.values).subspan(begin)};
    }

    /// The rows since the last call.
    TriangleChunk<Value> end_chunk() {
        TriangleChunk<Value> chunk;
        if (!blocks_.empty()) {
            const Block& block = blocks_.back();
            chunk.columns = std::span(block.columns).subspan(chunk_begin_);
            chunk.values = std::span(block.values).subspan(chunk_begin_);
            chunk_begin_ = block.columns.size();
        }
        chunk.row_ends = std::exchange(row_ends_, {});
        return chunk;
    }

private:
    static constexpr std::size_t kFirstBlock = 1 << 16;  // entries
    static constexpr std::size_t kLargestBlock = 1 << 22;

    struct Block {
        LargeVector<std::uint32_t> columns;
        LargeVector<Value> values;
    };

    /// A chunk is in one block: what there is of it moves along.
    void begin_block(std::size_t size) {
        const std::size_t num_begun =
            blocks_.empty() ? 0 : blocks_.back().columns.size() - chunk_begin_;
        const std::size_t usual =
            blocks_.empty() ? kFirstBlock
                            : std::min(4 * blocks_.back().columns.capacity(), kLargestBlock);
        const std::size_t capacity = std::max(usual, 2 * (num_begun + size));
        Block block;
        block.columns.reserve(capacity);
        block.values.reserve(capacity);
        if (num_begun > 0) {
            Block& last = blocks_.back();
            const auto begin = static_cast<std::ptrdiff_t>(chunk_begin_);
            block.columns.assign(last.columns.begin() + begin, last.columns.end());
            block.values.assign(last.values.begin() + begin, last.values.end());
            last.columns.resize(chunk_begin_);
            last.values.resize(chunk_begin_);
        }
        chunk_begin_ = 0;
        blocks_.push_back(std::move(block));
    }

    std::vector<Block> blocks_;
    std::size_t chunk_begin_ = 0;          // in the last block
    std::vector<std::uint64_t> row_ends_;  // of the chunk that is being written
};

}  // namespace segue
