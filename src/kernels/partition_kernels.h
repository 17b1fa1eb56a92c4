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

/// Int8 rows and centres, `num_groups` groups of 4 dimensions, zeros (128 in rows) behind the last
/// dimension. With p = sum over dimensions of (byte of the row - 128) * byte of the centre, exact,
/// the score of centre c for row r is p * centre_scales[c] * row_scales[r] + biases[c].
struct Int8NearestArguments {
    const std::uint8_t* rows = nullptr;  // [num_rows x num_groups * 4]
    const float* row_scales = nullptr;   // [num_rows]
    std::size_t num_rows = 0;
    std::size_t num_groups = 0;  // 1024 at most
    /// [num_tiles x num_groups x kCentreTile x 4]
    const std::int8_t* packed_centres = nullptr;
    const float* centre_scales = nullptr;       // [num_tiles * kCentreTile]
    const std::int32_t* corrections = nullptr;  // [..] -128 * the sum of a centre's bytes
    const float* biases = nullptr;              // [..] -infinity behind the last centre
    std::size_t num_tiles = 0;
};

using Int8Nearest = void (*)(const Int8NearestArguments& arguments, std::uint32_t* nearest);

/// Rows of floats that become rows of bytes.
struct QuantizeArguments {
    const float* rows = nullptr;  // [num_rows x dim] finite
    std::size_t stride = 0;
    std::size_t num_rows = 0;
    std::size_t dim = 0;
    std::size_t row_bytes = 0;  // of a row of bytes, >= dim
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

    /// The same for int8 rows and centres, four times as fast. Null where it would not be.
    Int8Nearest find_nearest_int8 = nullptr;

    /// bytes = round(x / scale) + 128, to even, 128 behind dim; scale = max |x| / 127, or 0 (and
    /// all bytes 128) for rows of zeros and those too small to tell. errors[r] is ||x - scale *
    /// (byte - 128)|| within dim * 2^-23 of itself and sqrt(dim) * 2^-22 of max |x|. Bytes and
    /// scales are the same at every level. bytes [num_rows x row_bytes], scales and errors
    /// [num_rows]. Requires: |x| <= 1e18.
    void (*quantize)(const QuantizeArguments& arguments, std::uint8_t* bytes, float* scales,
                     float* errors);

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
/// Null where this build does not have the instructions; the machine's are the caller's to check.
Int8Nearest avx512vnni_find_nearest();

}  // namespace segue::kernels
