// AVX-512 with VBMI and VNNI: what comes before the scan of codes, the lookup tables of a query and
// the scores of centres. Freestanding, like codes_vnni.cpp.

#include "kernels/codes_vnni.h"

#include "kernels/codes_kernels.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && \
    defined(__AVX512VNNI__) && defined(__AVX512VBMI__)

#include <immintrin.h>

namespace segue::kernels {
namespace {

constexpr std::size_t kFloats = 16;

__m512i load(const void* from) {
    return _mm512_loadu_si512(from);
}

void multiply_codebook(const float* query, const float* codebook, std::size_t num_subspaces,
                       float* products, float* lows, float* highs) {
    for (std::size_t s = 0; s < num_subspaces; ++s) {
        const float* words = codebook + s * 32;
        const __m512 first = _mm512_mul_ps(_mm512_set1_ps(query[2 * s]), _mm512_loadu_ps(words));
        const __m512 second =
            _mm512_mul_ps(_mm512_set1_ps(query[2 * s + 1]), _mm512_loadu_ps(words + 16));
        const __m512 sum = _mm512_add_ps(first, second);
        _mm512_storeu_ps(products + s * 16, sum);
        lows[s] = _mm512_reduce_min_ps(sum);
        highs[s] = _mm512_reduce_max_ps(sum);
    }
}

void quantize_tables(const float* products, const float* lows, std::size_t num_subspaces,
                     float scale, std::uint8_t* tables) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (std::size_t s = 0; s < num_subspaces; ++s) {
        const __m512 above =
            _mm512_sub_ps(_mm512_loadu_ps(products + s * 16), _mm512_set1_ps(lows[s]));
        const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(above, factor));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(tables + s * 16),
                         _mm512_cvtusepi32_epi8(rounded));
    }
}

/// The scores of kBlocks blocks of packed centres.
template <int kBlocks>
void score_centre_blocks(const CentreScores& arguments, std::size_t block, __m512i base,
                         float* scores) {
    __m512i sums[kBlocks];
    for (int b = 0; b < kBlocks; ++b) {
        sums[b] = base;
    }
    const std::size_t block_bytes = arguments.num_groups * kCodeLineBytes;
    const std::uint8_t* centres = arguments.centres + block * block_bytes;
    for (std::size_t group = 0; group < arguments.num_groups; ++group) {
        int four;
        __builtin_memcpy(&four, arguments.query + group * 4, 4);
        const __m512i weights = _mm512_set1_epi32(four);
        for (int b = 0; b < kBlocks; ++b) {
            const std::size_t at = static_cast<std::size_t>(b) * block_bytes;
            sums[b] =
                _mm512_dpbusd_epi32(sums[b], load(centres + at + group * kCodeLineBytes), weights);
        }
    }
    for (int b = 0; b < kBlocks; ++b) {
        const std::size_t leaf = (block + static_cast<std::size_t>(b)) * kCentreBlock;
        const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(arguments.query_scale),
                                           _mm512_loadu_ps(arguments.scales + leaf));
        const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[b]), scale);
        const __m512 offset = _mm512_mul_ps(_mm512_set1_ps(arguments.offset_scale),
                                            _mm512_loadu_ps(arguments.offsets + leaf));
        _mm512_storeu_ps(scores + leaf, _mm512_add_ps(scaled, offset));
    }
}

void score_centres(const CentreScores& arguments, float* scores) {
    int sum = 0;
    for (std::size_t i = 0; i < arguments.num_groups * 4; ++i) {
        sum += arguments.query[i];
    }
    const __m512i base = _mm512_set1_epi32(-128 * sum);
    std::size_t block = 0;
    for (; block + 4 <= arguments.num_blocks; block += 4) {
        score_centre_blocks<4>(arguments, block, base, scores);
    }
    for (; block < arguments.num_blocks; ++block) {
        score_centre_blocks<1>(arguments, block, base, scores);
    }
}

std::size_t count_floats_above(const float* scores, std::size_t n, float threshold) {
    const __m512 limit = _mm512_set1_ps(threshold);
    std::size_t count = 0;
    std::size_t i = 0;
    for (; i + kFloats <= n; i += kFloats) {
        const __mmask16 above = _mm512_cmp_ps_mask(_mm512_loadu_ps(scores + i), limit, _CMP_GT_OQ);
        count += static_cast<std::size_t>(__builtin_popcount(above));
    }
    if (i < n) {
        const auto rest = static_cast<__mmask16>((1U << (n - i)) - 1);
        const __mmask16 above = _mm512_mask_cmp_ps_mask(
            rest, _mm512_maskz_loadu_ps(rest, scores + i), limit, _CMP_GT_OQ);
        count += static_cast<std::size_t>(__builtin_popcount(above));
    }
    return count;
}

/// Appends the numbers of the bits set, `first` added, and returns how many there are.
std::size_t append_bits(std::uint32_t bits, std::uint32_t first, std::uint32_t* out) {
    std::size_t count = 0;
    for (; bits != 0; bits &= bits - 1) {
        out[count++] = first + static_cast<std::uint32_t>(__builtin_ctz(bits));
    }
    return count;
}

std::size_t collect_floats_above(const float* scores, std::size_t n, float threshold,
                                 std::uint32_t* out) {
    const __m512 limit = _mm512_set1_ps(threshold);
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; i += kFloats) {
        const auto lanes = static_cast<__mmask16>(n - i >= kFloats ? 0xFFFFU : (1U << (n - i)) - 1);
        const __mmask16 above = _mm512_mask_cmp_ps_mask(
            lanes, _mm512_maskz_loadu_ps(lanes, scores + i), limit, _CMP_GT_OQ);
        count += append_bits(above, static_cast<std::uint32_t>(i), out + count);
    }
    return count;
}

}  // namespace

const CodesKernels* avx512vnni_codes() {
    static const CodesKernels kKernels = [] {
        CodesKernels kernels = {};
        kernels.multiply_codebook = multiply_codebook;
        kernels.quantize_tables = quantize_tables;
        kernels.score_centres = score_centres;
        kernels.count_floats_above = count_floats_above;
        kernels.collect_floats_above = collect_floats_above;
        add_avx512vnni_scans(kernels);
        add_avx512vnni_selection(kernels);
        return kernels;
    }();
    return &kKernels;
}

}  // namespace segue::kernels

#else

namespace segue::kernels {

const CodesKernels* avx512vnni_codes() {
    return nullptr;
}

}  // namespace segue::kernels

#endif
