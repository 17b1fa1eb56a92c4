#pragma once

// What an index is: the tables searches read, whoever owns them. Items lie in leaf order: leaf
// after leaf, and a "position" is a row's number in that order. Building makes IndexParts (owned
// memory); a bundle holds the same tables mapped. Names and types of the tensors are in
// docs/bundle_format.md; docs/index.md explains the method.
//
// What is stored for item j is x_j: j / ||j||^built_exponent for Measure::kDot (0 where j is zero),
// j / ||j|| for kCosine, j itself for kSquaredL2. Searches with another popularity exponent
// multiply by a power of the norm.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/matrix.h"
#include "data/measure.h"

namespace segue {

/// Positions that share one error bound of the int8 rows, and entries of one block of codes.
inline constexpr std::size_t kBlockPositions = 32;
/// Subspaces whose codes share one 64-byte line of a block of codes.
inline constexpr std::size_t kSubspacesPerLine = 4;
/// Centroids of a subspace: 4-bit codes.
inline constexpr std::size_t kCodewords = 16;
/// Dimensions of a subspace (ScaNN's dimensions_per_block).
inline constexpr std::size_t kDimensionsPerBlock = 2;

/// Bytes of one int8 row: rows of up to 32 dimensions do not cross a cache line of 64 bytes, longer
/// ones begin at one.
constexpr std::size_t int8_row_bytes(std::size_t dim) {
    return dim <= 16 ? 16 : dim <= 32 ? 32 : (dim + 63) / 64 * 64;
}

constexpr std::size_t num_subspaces(std::size_t dim) {
    return (dim + kDimensionsPerBlock - 1) / kDimensionsPerBlock;
}

/// Bytes of the codes of kBlockPositions entries: one line of 64 bytes for every 4 subspaces. Byte
/// (lane % 16) * 4 + (subspace % 4) of line subspace / 4 holds the code of entry `lane` in its low
/// half for lane < 16, in its high half for the others. Codes of subspaces that do not exist are 0.
constexpr std::size_t code_block_bytes(std::size_t dim) {
    return (num_subspaces(dim) + kSubspacesPerLine - 1) / kSubspacesPerLine * 64;
}

/// Views of every table. Empty codes: an index for exact search alone.
struct IndexTables {
    Measure measure = Measure::kDot;
    double built_exponent = 0;
    std::size_t num_items = 0;
    std::size_t dim = 0;

    /// [num_leaves + 1] first position of each leaf; a leaf may be empty. One leaf at least.
    std::span<const std::uint64_t> leaf_offsets;
    /// [num_leaves x dim] mean of the x of the leaf: what queries are compared with and residuals
    /// are taken from. Zeros for an empty leaf.
    MatrixView leaf_centres;
    /// [num_items] item row of each position: a permutation.
    std::span<const std::uint32_t> item_rows;

    /// [num_items x int8_row_bytes(dim)] round(x / row_scale) + 128; 128 behind dim. Never clipped:
    /// row_scale = max |x| / 127, and 0 (all 128) for zero rows and rows that are not finite.
    std::span<const std::uint8_t> rows;
    std::span<const float> row_scales;  // [num_items]
    /// [(num_items + 31) / 32] not less than any ||x - row_scale * (row - 128)|| of the block;
    /// infinite where an x is not finite.
    std::span<const float> block_errors;
    /// [num_items] ||j|| of the item itself (not of x), as kernels' squared_norms gives it.
    std::span<const float> norms;
    /// [num_items] norms, coarsely: level L stands for [norm_low * norm_ratio^L, norm_low *
    /// norm_ratio^(L + 1)), widened so that every finite norm is inside of its level; zero norms
    /// and those that are not finite have level 0.
    std::span<const std::uint8_t> norm_levels;
    float norm_low = 1;
    float norm_ratio = 1;

    /// [num_code_blocks x code_block_bytes(dim)] codes of x - centre of its leaf.
    std::span<const std::uint8_t> codes;
    /// [num_leaves + 1] first block of codes of each leaf.
    std::span<const std::uint64_t> code_offsets;
    /// [num_code_blocks * 32] position of each entry, 0xFFFFFFFF behind the last entry of a leaf;
    /// only where items are in more than one leaf (spilling). Otherwise entry e of leaf l is
    /// position leaf_offsets[l] + e.
    std::span<const std::uint32_t> code_positions;
    /// [num_subspaces x 2 x 16] codewords: the first coordinate of all 16, then the second (0
    /// behind dim).
    std::span<const float> codebook;

    std::size_t num_leaves() const { return leaf_offsets.empty() ? 0 : leaf_offsets.size() - 1; }
    bool has_codes() const { return !code_offsets.empty(); }
};

/// Owns the tables of an index. Move-only. Thread-compatible.
struct IndexParts {
    Measure measure = Measure::kDot;
    double built_exponent = 0;
    std::size_t num_items = 0;
    std::size_t dim = 0;
    std::vector<std::uint64_t> leaf_offsets = {0};
    Matrix leaf_centres;
    std::vector<std::uint32_t> item_rows;
    AlignedBuffer<std::uint8_t> rows;
    std::vector<float> row_scales;
    std::vector<float> block_errors;
    std::vector<float> norms;
    std::vector<std::uint8_t> norm_levels;
    float norm_low = 1;
    float norm_ratio = 1;
    AlignedBuffer<std::uint8_t> codes;
    std::vector<std::uint64_t> code_offsets;
    std::vector<std::uint32_t> code_positions;
    std::vector<float> codebook;

    IndexTables tables() const {
        return {.measure = measure,
                .built_exponent = built_exponent,
                .num_items = num_items,
                .dim = dim,
                .leaf_offsets = leaf_offsets,
                .leaf_centres = leaf_centres.view(),
                .item_rows = item_rows,
                .rows = rows.span(),
                .row_scales = row_scales,
                .block_errors = block_errors,
                .norms = norms,
                .norm_levels = norm_levels,
                .norm_low = norm_low,
                .norm_ratio = norm_ratio,
                .codes = codes.span(),
                .code_offsets = code_offsets,
                .code_positions = code_positions,
                .codebook = codebook};
    }
};

}  // namespace segue
