// Products of bytes with vpdpbusd: four multiply-adds a lane in one instruction. Compiled for
// AVX-512 with VNNI and VBMI, chosen where the machine has them. Freestanding, so that no code of
// this level is shared with the rest of the program.

#include "kernels/int8_kernels.h"

#if defined(__AVX512VNNI__) && defined(__AVX512VBMI__)
#include <immintrin.h>

namespace segue::kernels {
namespace {

constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kMaxRowBytes = 4096;
constexpr std::size_t kLanes = 16;

/// 256 * high + low, each signed bytes, repeated where a line has several rows.
struct SplitQuery {
    alignas(64) std::int8_t high[kMaxRowBytes];
    alignas(64) std::int8_t low[kMaxRowBytes];
    std::int32_t offset;  // 128 times the sum of its elements

    explicit SplitQuery(const RowScan& scan) {
        const std::size_t size = scan.row_bytes < kLineBytes ? kLineBytes : scan.row_bytes;
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const std::int32_t element = scan.query[i < scan.row_bytes ? i : i % scan.row_bytes];
            const std::int32_t upper = (element + 128) >> 8;
            high[i] = static_cast<std::int8_t>(upper);
            low[i] = static_cast<std::int8_t>(element - 256 * upper);
            sum += i < scan.row_bytes ? element : 0;
        }
        offset = 128 * sum;
    }
};

inline __m512i load_line(const void* from) {
    return _mm512_loadu_si512(from);
}

/// Lane sums of 256 * high + low.
inline __m512i combine(__m512i high, __m512i low) {
    return _mm512_add_epi32(_mm512_slli_epi32(high, 8), low);
}

inline __m512i multiply_line(__m512i line, const SplitQuery& query) {
    const __m512i zero = _mm512_setzero_si512();
    return combine(_mm512_dpbusd_epi32(zero, line, load_line(query.high)),
                   _mm512_dpbusd_epi32(zero, line, load_line(query.low)));
}

/// Lane i of each group of four lanes: the sum of that group of the i-th argument.
inline __m512i sum_groups(__m512i a, __m512i b, __m512i c, __m512i d) {
    const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

/// Adds neighbouring groups of four lanes: those of a, then those of b.
inline __m512i add_neighbours(__m512i a, __m512i b) {
    return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
}

inline __m512i sums_of_rows_of_16(const std::uint8_t* rows, const SplitQuery& query) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i sums = sum_groups(multiply_line(load_line(rows), query),
                                    multiply_line(load_line(rows + kLineBytes), query),
                                    multiply_line(load_line(rows + 2 * kLineBytes), query),
                                    multiply_line(load_line(rows + 3 * kLineBytes), query));
    return _mm512_permutexvar_epi32(order, sums);
}

inline __m512i sums_of_rows_of_32(const std::uint8_t* rows, const SplitQuery& query) {
    const __m512i order = _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    __m512i sums[2];
    for (std::size_t half = 0; half < 2; ++half) {
        const std::uint8_t* from = rows + half * 4 * kLineBytes;
        sums[half] = sum_groups(multiply_line(load_line(from), query),
                                multiply_line(load_line(from + kLineBytes), query),
                                multiply_line(load_line(from + 2 * kLineBytes), query),
                                multiply_line(load_line(from + 3 * kLineBytes), query));
    }
    return _mm512_permutexvar_epi32(order, add_neighbours(sums[0], sums[1]));
}

/// kLines 0: any number of lines.
template <std::size_t kLines>
inline __m512i sums_of_rows_of_lines(const std::uint8_t* rows, std::size_t row_bytes,
                                     const SplitQuery& query) {
    const std::size_t num_lines = kLines != 0 ? kLines : row_bytes / kLineBytes;
    __m512i sums[4];
    for (std::size_t quarter = 0; quarter < 4; ++quarter) {
        __m512i high[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                           _mm512_setzero_si512()};
        __m512i low[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                          _mm512_setzero_si512()};
        const std::uint8_t* from = rows + quarter * 4 * row_bytes;
        for (std::size_t line = 0; line < num_lines; ++line) {
            const __m512i high_query = load_line(query.high + line * kLineBytes);
            const __m512i low_query = load_line(query.low + line * kLineBytes);
            for (std::size_t r = 0; r < 4; ++r) {
                const __m512i bytes = load_line(from + r * row_bytes + line * kLineBytes);
                high[r] = _mm512_dpbusd_epi32(high[r], bytes, high_query);
                low[r] = _mm512_dpbusd_epi32(low[r], bytes, low_query);
            }
        }
        sums[quarter] = sum_groups(combine(high[0], low[0]), combine(high[1], low[1]),
                                   combine(high[2], low[2]), combine(high[3], low[3]));
    }
    return add_neighbours(add_neighbours(sums[0], sums[1]), add_neighbours(sums[2], sums[3]));
}

/// The sum of one row: for rows that do not fill a group.
inline std::int32_t sum_of_row(const std::uint8_t* row, std::size_t row_bytes,
                               const SplitQuery& query) {
    __m512i sums = _mm512_setzero_si512();
    for (std::size_t i = 0; i < row_bytes; i += kLineBytes) {
        const std::size_t rest = row_bytes - i;
        const __mmask64 mask = rest >= kLineBytes ? ~__mmask64{0} : (__mmask64{1} << rest) - 1;
        const __m512i bytes = _mm512_maskz_loadu_epi8(mask, row + i);
        const __m512i zero = _mm512_setzero_si512();
        sums = _mm512_add_epi32(
            sums, combine(_mm512_dpbusd_epi32(zero, bytes, load_line(query.high + i)),
                          _mm512_dpbusd_epi32(zero, bytes, load_line(query.low + i))));
    }
    return _mm512_reduce_add_epi32(sums);
}

/// kWidth: 16 and 32 for rows of so many bytes, else 64 times the number of lines or 0 for any.
template <std::size_t kWidth>
std::size_t select_rows_of(const RowScan& scan, RowHit* out) {
    const SplitQuery query(scan);
    const __m512i offset = _mm512_set1_epi32(query.offset);
    const __m512 threshold = _mm512_set1_ps(scan.threshold);
    std::size_t count = 0;
    for (std::size_t first = 0; first < scan.num_rows; first += kRowGroup) {
        const std::uint8_t* rows = scan.rows + first * scan.row_bytes;
        __mmask16 wanted = 0xFFFF;
        __m512i sums;
        if (scan.num_rows - first >= kRowGroup) {
            if constexpr (kWidth == 16) {
                sums = sums_of_rows_of_16(rows, query);
            } else if constexpr (kWidth == 32) {
                sums = sums_of_rows_of_32(rows, query);
            } else {
                sums = sums_of_rows_of_lines<kWidth / kLineBytes>(rows, scan.row_bytes, query);
            }
        } else {
            const std::size_t rest = scan.num_rows - first;
            alignas(64) std::int32_t single[kRowGroup] = {};
            for (std::size_t row = 0; row < rest; ++row) {
                single[row] = sum_of_row(rows + row * scan.row_bytes, scan.row_bytes, query);
            }
            sums = load_line(single);
            wanted = static_cast<__mmask16>((1U << rest) - 1);
        }
        sums = _mm512_sub_epi32(sums, offset);
        const __m512 values = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(wanted, scan.scales + first),
                                              _mm512_cvtepi32_ps(sums),
                                              _mm512_maskz_loadu_ps(wanted, scan.biases + first));
        unsigned hits = _mm512_mask_cmp_ps_mask(wanted, values, threshold, _CMP_NLT_UQ);
        if (__builtin_expect(hits != 0, 0)) {
            alignas(64) std::int32_t stored[kRowGroup];
            _mm512_store_si512(stored, sums);
            for (; hits != 0; hits &= hits - 1) {
                const auto row = static_cast<unsigned>(__builtin_ctz(hits));
                out[count++] = {static_cast<std::uint32_t>(first + row), stored[row]};
            }
        }
    }
    return count;
}

std::size_t select_rows(const RowScan& scan, RowHit* out) {
    switch (scan.row_bytes) {
        case 16:
            return select_rows_of<16>(scan, out);
        case 32:
            return select_rows_of<32>(scan, out);
        case 64:
            return select_rows_of<64>(scan, out);
        case 128:
            return select_rows_of<128>(scan, out);
        default:
            return select_rows_of<0>(scan, out);
    }
}

constexpr std::size_t kQuad = 4;  // elements that one lane multiplies at once
constexpr std::size_t kQueryVectors = kQueryBlock / kLanes;
constexpr std::size_t kTileRows = 4;

/// packed [dim / 4, rounded up][kQueryBlock][4]
void pack_queries(const std::int8_t* queries, std::size_t num_queries, std::size_t dim,
                  std::uint8_t* packed) {
    for (std::size_t i = 0; i < (dim + kQuad - 1) / kQuad * kQuad; ++i) {
        std::uint8_t* group = packed + i / kQuad * kQuad * kQueryBlock + i % kQuad;
        for (std::size_t query = 0; query < kQueryBlock; ++query) {
            const bool exists = i < dim && query < num_queries;
            group[query * kQuad] = exists ? static_cast<std::uint8_t>(queries[query * dim + i]) : 0;
        }
    }
}

/// Greatest magnitude of a limit of the sums: above any sum, and far from the end of 32 bits.
constexpr float kGreatestLimit = 0x1p30F;

/// What the queries have in common for all rows of a block of rows.
struct TileLimits {
    /// A tile starts from these; sums that stay negative are no hits.
    alignas(64) std::int32_t starts[kQueryBlock];
    /// error_factors * error + length_factors * length
    alignas(64) float errors[kQueryBlock];

    /// Returns false if no row can be a hit.
    bool set(const BlockScan& scan, const BlockLimits& limits) {
        unsigned possible = scan.query_lengths == nullptr ? 1 : 0;
        // Somewhat more, for the rounding of products and sums.
        const __m512 length = _mm512_set1_ps(limits.length * (1 + 0x1p-18F));
        for (std::size_t q = 0; q < kQueryBlock; q += kLanes) {
            const __m512 error = _mm512_fmadd_ps(
                _mm512_loadu_ps(scan.length_factors + q), _mm512_set1_ps(limits.length),
                _mm512_mul_ps(_mm512_loadu_ps(scan.error_factors + q),
                              _mm512_set1_ps(limits.error)));
            _mm512_store_ps(errors + q, error);
            const __m512 rest = _mm512_fmsub_ps(_mm512_loadu_ps(scan.offset_factors + q),
                                                _mm512_set1_ps(limits.least_offset), error);
            const __m512 threshold = _mm512_loadu_ps(scan.thresholds + q);
            const __m512 product = _mm512_min_ps(
                _mm512_fmadd_ps(threshold, _mm512_set1_ps(limits.least_factor), rest),
                _mm512_fmadd_ps(threshold, _mm512_set1_ps(limits.greatest_factor), rest));
            if (possible == 0) {
                const __m512 greatest =
                    _mm512_mul_ps(_mm512_loadu_ps(scan.query_lengths + q), length);
                possible |= _mm512_cmp_ps_mask(greatest, product, _CMP_NLT_UQ);
            }
            const __m512 sum = _mm512_min_ps(
                _mm512_mul_ps(product, _mm512_set1_ps(limits.inverse_of_greatest_scale)),
                _mm512_mul_ps(product, _mm512_set1_ps(limits.inverse_of_least_scale)));
            // Less by what rounding may have added; NaN, the second argument, becomes the least.
            const __m512 slack =
                _mm512_fmadd_ps(_mm512_abs_ps(sum), _mm512_set1_ps(0x1p-20F), _mm512_set1_ps(2));
            const __m512 bounded = _mm512_max_ps(
                _mm512_min_ps(_mm512_set1_ps(kGreatestLimit), _mm512_sub_ps(sum, slack)),
                _mm512_set1_ps(-kGreatestLimit));
            const __m512i offset =
                _mm512_slli_epi32(_mm512_loadu_si512(scan.query_sums + q), 7);  // times 128
            const __m512i limit = _mm512_add_epi32(_mm512_cvtps_epi32(bounded), offset);
            _mm512_store_si512(starts + q, _mm512_sub_epi32(_mm512_set1_epi32(-1), limit));
        }
        return possible != 0;
    }
};

using Tile = __m512i[kTileRows][kQueryVectors];

inline std::int32_t load_quad(const std::uint8_t* from) {
    std::int32_t quad;
    __builtin_memcpy(&quad, from, sizeof(quad));
    return quad;
}

/// Appends the hits of a tile that has candidates; returns the new count.
[[gnu::noinline]] std::size_t append_hits(const BlockScan& scan, const TileLimits& limits,
                                          const Tile& tile, std::size_t first_row, BlockHit* out,
                                          std::size_t count) {
    for (std::size_t r = 0; r < kTileRows && first_row + r < scan.num_rows; ++r) {
        const std::size_t row = first_row + r;
        const __m512 scale = _mm512_set1_ps(scan.scales[row]);
        const __m512 factor = _mm512_set1_ps(scan.factors != nullptr ? scan.factors[row] : 1);
        const __m512 row_offset = _mm512_set1_ps(scan.offsets != nullptr ? scan.offsets[row] : 0);
        for (std::size_t v = 0; v < kQueryVectors; ++v) {
            const std::size_t q = v * kLanes;
            if (_mm512_movepi32_mask(tile[r][v]) == 0xFFFF) {
                continue;
            }
            const __m512i offset = _mm512_slli_epi32(_mm512_loadu_si512(scan.query_sums + q), 7);
            const __m512i start = _mm512_load_si512(limits.starts + q);
            const __m512i sums = _mm512_sub_epi32(_mm512_sub_epi32(tile[r][v], start), offset);
            const __m512 products = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(sums));
            const __m512 rest = _mm512_fmsub_ps(_mm512_loadu_ps(scan.offset_factors + q),
                                                row_offset, _mm512_load_ps(limits.errors + q));
            const __m512 least =
                _mm512_fmadd_ps(_mm512_loadu_ps(scan.thresholds + q), factor, rest);
            unsigned hits = _mm512_cmp_ps_mask(products, least, _CMP_NLT_UQ);
            alignas(64) std::int32_t stored[kLanes];
            _mm512_store_si512(stored, sums);
            for (; hits != 0; hits &= hits - 1) {
                const auto lane = static_cast<unsigned>(__builtin_ctz(hits));
                out[count++] = {static_cast<std::uint32_t>(q + lane),
                                static_cast<std::uint32_t>(row), stored[lane]};
            }
        }
    }
    return count;
}

std::size_t select_block(const BlockScan& scan, BlockHit* out) {
    TileLimits limits;
    std::size_t count = 0;
    const std::size_t num_quads = (scan.dim + kQuad - 1) / kQuad;
    for (std::size_t first = 0; first < scan.num_rows; first += kTileRows) {
        if (first % kLimitRows == 0 && !limits.set(scan, scan.limits[first / kLimitRows])) {
            first += kLimitRows - kTileRows;
            continue;
        }
        const std::uint8_t* rows[kTileRows];
        for (std::size_t r = 0; r < kTileRows; ++r) {
            const std::size_t row = first + r < scan.num_rows ? first + r : scan.num_rows - 1;
            rows[r] = scan.rows + row * scan.row_bytes;
        }
        Tile tile;
        for (std::size_t v = 0; v < kQueryVectors; ++v) {
            const __m512i start = _mm512_load_si512(limits.starts + v * kLanes);
            for (std::size_t r = 0; r < kTileRows; ++r) {
                tile[r][v] = start;
            }
        }
        const std::uint8_t* queries = scan.packed_queries;
        for (std::size_t quad = 0; quad < num_quads; ++quad, queries += kQuad * kQueryBlock) {
            __m512i packed[kQueryVectors];
            for (std::size_t v = 0; v < kQueryVectors; ++v) {
                packed[v] = _mm512_load_si512(queries + v * kLineBytes);
            }
            for (std::size_t r = 0; r < kTileRows; ++r) {
                const __m512i bytes = _mm512_set1_epi32(load_quad(rows[r] + quad * kQuad));
                for (std::size_t v = 0; v < kQueryVectors; ++v) {
                    tile[r][v] = _mm512_dpbusd_epi32(tile[r][v], bytes, packed[v]);
                }
            }
        }
        __m512i all = _mm512_set1_epi32(-1);
        for (std::size_t r = 0; r < kTileRows; ++r) {
            all = _mm512_and_si512(all, _mm512_and_si512(_mm512_and_si512(tile[r][0], tile[r][1]),
                                                         _mm512_and_si512(tile[r][2], tile[r][3])));
        }
        if (__builtin_expect(_mm512_movepi32_mask(all) != 0xFFFF, 0)) {
            // A copy: the tile itself stays in registers.
            Tile found;
            for (std::size_t r = 0; r < kTileRows; ++r) {
                for (std::size_t v = 0; v < kQueryVectors; ++v) {
                    found[r][v] = tile[r][v];
                }
            }
            count = append_hits(scan, limits, found, first, out, count);
        }
    }
    return count;
}

}  // namespace

const Int8Kernels* avx512vnni_int8() {
    static constexpr Int8Kernels kKernels = {
        .select_rows = select_rows,
        .pack_queries = pack_queries,
        .select_block = select_block,
    };
    return &kKernels;
}

}  // namespace segue::kernels

#else

namespace segue::kernels {

const Int8Kernels* avx512vnni_int8() {
    return nullptr;
}

}  // namespace segue::kernels

#endif
