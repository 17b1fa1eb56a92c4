#pragma once

// Products with rows of bytes, for exact search: one query against rows in memory order, and blocks
// of kQueryBlock queries against rows. Sums are exact integers and what is made of them is rounded
// the same way everywhere, so that every level gives the same bytes.
//
// A row has `row_bytes` bytes: 16, 32 or a multiple of 64, 4096 at most, element i stored as i +
// 128. Behind `dim` there may be any bytes.

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

namespace segue::kernels {

/// What the sum of |element| over a query of select_rows may be: products with 255 and their sum
/// stay in 32 bits.
inline constexpr std::int64_t kMaxQuerySum = 0x7FFFFFFF / 255;
/// The greatest |element| of a query of select_rows: 256 * high + low with signed bytes.
inline constexpr std::int32_t kMaxQueryElement = 127 * 256 + 127;

/// Rows of one call of select_rows are a multiple of this but for the last call.
inline constexpr std::size_t kRowGroup = 16;
/// Rows that share one entry of `BlockScan::limits`.
inline constexpr std::size_t kLimitRows = 32;

/// One query against rows; the value of row r is scales[r] * sum + biases[r], sum = query . (row r
/// - 128), with one rounding of sum to float and one of the whole.
struct RowScan {
    const std::int16_t* query = nullptr;  // [row_bytes] zeros behind dim
    const std::uint8_t* rows = nullptr;   // [num_rows x row_bytes]
    std::size_t row_bytes = 0;
    std::size_t num_rows = 0;
    const float* scales = nullptr;  // [num_rows]
    const float* biases = nullptr;  // [num_rows]
    float threshold = 0;
};

struct RowHit {
    std::uint32_t row = 0;  // of the scan
    std::int32_t sum = 0;
};

/// Least and greatest of what a test in BlockScan uses, over kLimitRows rows.
struct BlockLimits {
    float error = 0;         // multiplied by error_factors
    float length = 0;        // multiplied by length_factors
    float least_factor = 1;  // of row_factors
    float greatest_factor = 1;
    float least_offset = 0;  // of row_offsets
    float inverse_of_greatest_scale = 1;
    float inverse_of_least_scale = 1;  // the greatest float where that scale is 0
};

/// A block of queries against rows. Row r is a hit of query q unless
///     scale[r] * sum < thresholds[q] * factor[r] + offset_factors[q] * offset[r]
///                      - error_factors[q] * error - length_factors[q] * length
/// with sum = query q . (row r - 128), and error and length those of the limits of the row's block.
struct BlockScan {
    const std::uint8_t* packed_queries = nullptr;  // see pack_queries; at a multiple of 64 bytes
    const std::int32_t* query_sums = nullptr;      // [kQueryBlock] sums of elements
    // [kQueryBlock] each
    const float* thresholds = nullptr;  // +infinity for a query that wants nothing
    const float* error_factors = nullptr;
    const float* length_factors = nullptr;
    const float* offset_factors = nullptr;
    /// [kQueryBlock] not less than the length of a query's elements, or null. With them, and
    /// `length` not less than that of any row times its scale, rows may be left out that cannot be
    /// hits.
    const float* query_lengths = nullptr;
    const std::uint8_t* rows = nullptr;  // [num_rows x row_bytes]
    std::size_t row_bytes = 0;
    std::size_t dim = 0;
    std::size_t num_rows = 0;
    const float* scales = nullptr;        // [num_rows]
    const float* factors = nullptr;       // [num_rows], or null for 1
    const float* offsets = nullptr;       // [num_rows], or null for 0
    const BlockLimits* limits = nullptr;  // [num_rows / kLimitRows, rounded up]
};

struct BlockHit {
    std::uint32_t query = 0;  // [0, kQueryBlock)
    std::uint32_t row = 0;    // of the scan
    std::int32_t sum = 0;
};

/// Bytes of a packed block of queries, for any level.
constexpr std::size_t packed_query_bytes(std::size_t dim) {
    return (dim + 3) / 4 * 4 * 2 * kQueryBlock;
}

/// Immutable, thread-safe.
struct Int8Kernels {
    /// Writes the rows whose value is not below the threshold, ascending, and returns how many
    /// there are. `out` has room for num_rows.
    std::size_t (*select_rows)(const RowScan& scan, RowHit* out);

    /// Brings queries [num_queries <= kQueryBlock x dim] into the order select_block wants; zeros
    /// behind the last query.
    void (*pack_queries)(const std::int8_t* queries, std::size_t num_queries, std::size_t dim,
                         std::uint8_t* packed);
    /// Writes the hits, for each query in ascending order of rows, and returns how many there are.
    /// `out` has room for kQueryBlock * num_rows.
    std::size_t (*select_block)(const BlockScan& scan, BlockHit* out);
};

/// Plain loops: the reference the others are tested against.
const Int8Kernels& scalar_int8();

/// Null where this build or this machine does not have the instructions.
const Int8Kernels* avx2_int8();
const Int8Kernels* avx512_int8();
/// Null where this build does not have them; the machine is not asked.
const Int8Kernels* avx512vnni_int8();

}  // namespace segue::kernels
