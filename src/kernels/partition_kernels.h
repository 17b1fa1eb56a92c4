#pragma once

// The inner loops of building an index: the nearest of many centres for blocks of rows, and codes
// with the anisotropic loss for 16 entries at a time. Two levels may differ by rounding, which may
// change a choice between nearly equal ones.

#include <cstddef>
#include <cstdint>

namespace segue::kernels {

/// Centres in one tile of packed centres: what pack_queries makes of 64 of them.
inline constexpr std::size_t kCentreTile = 64;
/// Entries that are encoded together.
inline constexpr std::size_t kEncodeTile = 16;

/// The score of centre c for row r is p + biases[c], where p = row r . centre c; with row_weights
/// it is p + biases[c] - row_weights[r] * (row_offsets[r] + centre_offsets[c] - p)^2.
struct NearestArguments {
    const float* rows = nullptr;  // [num_rows x dim]
    std::size_t stride = 0;
    std::size_t num_rows = 0;
    std::size_t dim = 0;
    const float* packed_centres = nullptr;  // [num_tiles x dim x kCentreTile]
    const float* biases = nullptr;  // [num_tiles * kCentreTile] -infinity behind the last centre
    std::size_t num_tiles = 0;
    const float* row_weights = nullptr;     // [num_rows], or null for 0
    const float* row_offsets = nullptr;     // [num_rows], with row_weights only
    const float* centre_offsets = nullptr;  // [num_tiles * kCentreTile], with row_weights only
};

/// kEncodeTile entries, coordinate c of entry e at [c * kEncodeTile + e].
struct EncodeArguments {
    const float* residuals = nullptr;   // [2 * num_subspaces x kEncodeTile]
    const float* directions = nullptr;  // [2 * num_subspaces x kEncodeTile] of length 1, or 0
    const float* codebook = nullptr;    // [num_subspaces x 2 x 16]
    std::size_t num_subspaces = 0;
    float parallel_weight = 1;  // eta >= 1
    unsigned num_rounds = 0;    // at most, after the start
};

/// Immutable, thread-safe.
struct PartitionKernels {
    /// nearest[r] = the centre with the greatest score, the first of equals; 0 where no score is
    /// above -infinity.
    void (*find_nearest)(const NearestArguments& arguments, std::uint32_t* nearest);

    /// codes[s * kEncodeTile + e]: starting from the nearest codeword of each subspace, subspace
    /// after subspace takes the codeword of the least ||r - r'||^2 + (eta - 1) (direction . (r -
    /// r'))^2, the others being what they are, until a round changes nothing. Entries do not
    /// depend on each other. [num_subspaces x kEncodeTile]
    void (*encode)(const EncodeArguments& arguments, std::uint8_t* codes);
};

const PartitionKernels& scalar_partition();
/// Null where this build or this machine does not have the instructions.
const PartitionKernels* avx2_partition();
const PartitionKernels* avx512_partition();

}  // namespace segue::kernels
