// AVX-512 with VNNI: the nearest of many centres from int8 products, four times as many in a cycle
// as f32. Freestanding, so that no AVX-512 code leaks into the rest of the program.

#include "kernels/partition_kernels.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && \
    defined(__AVX512VNNI__)

#include <immintrin.h>

namespace segue::kernels {
namespace {

/// A tile of sums is kRows x kVectors registers of the 32.
constexpr std::size_t kRows = 6;
constexpr std::size_t kVectors = 4;
constexpr std::size_t kFloats = 16;
/// Bytes of 64 centres and 4 dimensions.
constexpr std::size_t kGroupBytes = kCentreTile * 4;
/// Rows that stay in the first level of cache while a tile of centres passes.
constexpr std::size_t kBlockRows = 8 * kRows;

struct Best {
    float score;
    std::uint32_t centre;
};

/// Products of kRows rows with one tile of centres, less the offset of the rows. The sums are
/// registers of their own until the end: GCC 12 keeps an array in memory that is indexed by a
/// variable anywhere.
void multiply_tile(const std::uint8_t* const* rows, const std::int8_t* centres,
                   std::size_t num_groups, const std::int32_t* corrections,
                   __m512i (&products)[kRows][kVectors]) {
    __m512i sums[kRows][kVectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
        const __m512i correction = _mm512_loadu_si512(corrections + v * kFloats);
#pragma GCC unroll 6
        for (std::size_t r = 0; r < kRows; ++r) {
            sums[r][v] = correction;
        }
    }
    for (std::size_t group = 0; group < num_groups; ++group) {
        const std::int8_t* four_dims = centres + group * kGroupBytes;
        const __m512i right[kVectors] = {
            _mm512_loadu_si512(four_dims), _mm512_loadu_si512(four_dims + 64),
            _mm512_loadu_si512(four_dims + 128), _mm512_loadu_si512(four_dims + 192)};
#pragma GCC unroll 6
        for (std::size_t r = 0; r < kRows; ++r) {
            std::int32_t four;
            __builtin_memcpy(&four, rows[r] + group * 4, sizeof(four));
            const __m512i left = _mm512_set1_epi32(four);
#pragma GCC unroll 4
            for (std::size_t v = 0; v < kVectors; ++v) {
                sums[r][v] = _mm512_dpbusd_epi32(sums[r][v], left, right[v]);
            }
        }
    }
#pragma GCC unroll 6
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kVectors; ++v) {
            products[r][v] = sums[r][v];
        }
    }
}

/// Takes the best centre of a tile if it is better than the one before. That happens some ten
/// times a row, so finding out which it was may be slow.
void take_best(const __m512i (&sums)[kVectors], float row_scale, const float* centre_scales,
               const float* biases, std::size_t first_centre, Best& best) {
    const __m512 scale = _mm512_set1_ps(row_scale);
    __m512 scores[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
        const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[v]),
                                             _mm512_loadu_ps(centre_scales + v * kFloats));
        scores[v] = _mm512_fmadd_ps(product, scale, _mm512_loadu_ps(biases + v * kFloats));
    }
    const __m512 greatest =
        _mm512_max_ps(_mm512_max_ps(scores[0], scores[1]), _mm512_max_ps(scores[2], scores[3]));
    if (_mm512_cmp_ps_mask(greatest, _mm512_set1_ps(best.score), _CMP_GT_OQ) == 0) {
        return;
    }
    best.score = _mm512_reduce_max_ps(greatest);
    const __m512 wanted = _mm512_set1_ps(best.score);
    for (std::size_t v = 0; v < kVectors; ++v) {
        const unsigned equal = _mm512_cmp_ps_mask(scores[v], wanted, _CMP_EQ_OQ);
        if (equal != 0) {
            best.centre = static_cast<std::uint32_t>(first_centre + v * kFloats) +
                          static_cast<std::uint32_t>(__builtin_ctz(equal));
            return;
        }
    }
}

void find_nearest_int8(const Int8NearestArguments& a, std::uint32_t* nearest) {
    Best best[kBlockRows];
    const std::size_t row_bytes = a.num_groups * 4;
    for (std::size_t block = 0; block < a.num_rows; block += kBlockRows) {
        const std::size_t count = a.num_rows - block < kBlockRows ? a.num_rows - block : kBlockRows;
        for (std::size_t r = 0; r < kBlockRows; ++r) {
            best[r] = {-__builtin_inff(), 0};
        }
        for (std::size_t tile = 0; tile < a.num_tiles; ++tile) {
            const std::size_t centre = tile * kCentreTile;
            for (std::size_t first = 0; first < count; first += kRows) {
                const std::uint8_t* rows[kRows];
                for (std::size_t r = 0; r < kRows; ++r) {
                    const std::size_t row = first + r < count ? first + r : count - 1;
                    rows[r] = a.rows + (block + row) * row_bytes;
                }
                __m512i products[kRows][kVectors];
                multiply_tile(rows, a.packed_centres + tile * a.num_groups * kGroupBytes,
                              a.num_groups, a.corrections + centre, products);
                for (std::size_t r = 0; r < kRows && first + r < count; ++r) {
                    take_best(products[r], a.row_scales[block + first + r],
                              a.centre_scales + centre, a.biases + centre, centre, best[first + r]);
                }
            }
        }
        for (std::size_t r = 0; r < count; ++r) {
            nearest[block + r] = best[r].centre;
        }
    }
}

}  // namespace

Int8Nearest avx512vnni_find_nearest() {
    return find_nearest_int8;
}

}  // namespace segue::kernels

#else

namespace segue::kernels {

Int8Nearest avx512vnni_find_nearest() {
    return nullptr;
}

}  // namespace segue::kernels

#endif
