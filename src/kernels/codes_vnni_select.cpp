// AVX-512 with VBMI and VNNI: what comes behind the scan of codes, norms and filters, the best
// scores, the int8 rows of the candidates. Freestanding, like codes_vnni.cpp.

#include "kernels/codes_vnni.h"

#include "kernels/codes_kernels.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && \
    defined(__AVX512VNNI__) && defined(__AVX512VBMI__)

#include <immintrin.h>

namespace segue::kernels {
namespace {

constexpr std::size_t kMaxRowBytes = 4096;
/// Rows that are on their way while others are multiplied.
constexpr std::size_t kRowsAhead = 12;

__m512i load(const void* from) {
    return _mm512_loadu_si512(from);
}

/// A table of kNumLevels words in eight registers.
struct LevelTable {
    __m512i parts[8];

    explicit LevelTable(const std::int16_t* values) {
        for (std::size_t part = 0; part < 8; ++part) {
            parts[part] = load(values + part * 32);
        }
    }

    __m512i operator()(__m512i levels) const {
        const __m512i first = _mm512_permutex2var_epi16(parts[0], levels, parts[1]);
        const __m512i second = _mm512_permutex2var_epi16(parts[2], levels, parts[3]);
        const __m512i third = _mm512_permutex2var_epi16(parts[4], levels, parts[5]);
        const __m512i fourth = _mm512_permutex2var_epi16(parts[6], levels, parts[7]);
        const __mmask32 odd = _mm512_test_epi16_mask(levels, _mm512_set1_epi16(64));
        const __mmask32 upper = _mm512_test_epi16_mask(levels, _mm512_set1_epi16(128));
        return _mm512_mask_blend_epi16(upper, _mm512_mask_blend_epi16(odd, first, second),
                                       _mm512_mask_blend_epi16(odd, third, fourth));
    }
};

/// The first `count` lanes of a register of words.
__mmask32 first_lanes(std::size_t count) {
    return count >= 32 ? ~0U : (1U << count) - 1;
}

/// scores[i] = combine(scores[i], values[levels[i]]) for entries that have a score.
template <typename Combine>
void change_by_levels(const std::uint8_t* levels, std::size_t n, const std::int16_t* values,
                      std::int16_t* scores, Combine combine) {
    const LevelTable table(values);
    for (std::size_t i = 0; i < n; i += 32) {
        const __mmask32 lanes = first_lanes(n - i);
        const __m512i level = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(lanes, levels + i));
        const __m512i score = _mm512_maskz_loadu_epi16(lanes, scores + i);
        const __mmask32 scored =
            _mm512_mask_cmpneq_epi16_mask(lanes, score, _mm512_set1_epi16(kNoScore));
        _mm512_mask_storeu_epi16(scores + i, scored, combine(score, table(level)));
    }
}

void multiply_levels(const std::uint8_t* levels, std::size_t n, const std::int16_t* factors,
                     unsigned shift, std::int16_t* scores) {
    const __m128i bits = _mm_cvtsi32_si128(static_cast<int>(shift));
    change_by_levels(levels, n, factors, scores, [bits](__m512i score, __m512i factor) {
        return _mm512_mulhrs_epi16(_mm512_sll_epi16(score, bits), factor);
    });
}

void add_levels(const std::uint8_t* levels, std::size_t n, const std::int16_t* biases,
                std::int16_t* scores) {
    change_by_levels(levels, n, biases, scores, [](__m512i score, __m512i bias) {
        return _mm512_max_epi16(_mm512_adds_epi16(score, bias), _mm512_set1_epi16(-32767));
    });
}

void mask_scores(const std::uint64_t* bits, std::size_t first_bit, std::size_t n,
                 std::int16_t* scores) {
    for (std::size_t i = 0; i < n; i += 32) {
        const std::size_t bit = first_bit + i;
        const std::uint64_t low = bits[bit / 64] >> (bit % 64);
        const std::uint64_t high = bits[bit / 64 + 1] << 1 << (63 - bit % 64);
        const auto allowed = static_cast<__mmask32>(low | high);
        _mm512_mask_storeu_epi16(scores + i, ~allowed & first_lanes(n - i),
                                 _mm512_set1_epi16(kNoScore));
    }
}

void fold_scores(const std::int16_t* scores, std::size_t num_blocks, std::size_t num_groups,
                 std::int16_t* greatest) {
    for (std::size_t group = 0; group < num_groups; ++group) {
        __m512i most = load(scores + group * kCodeBlock);
        for (std::size_t block = group + num_groups; block < num_blocks; block += num_groups) {
            most = _mm512_max_epi16(most, load(scores + block * kCodeBlock));
        }
        _mm512_storeu_si512(greatest + group * kCodeBlock, most);
    }
}

std::int16_t max_score(const std::int16_t* scores, std::size_t num_blocks, std::size_t step) {
    __m512i greatest = _mm512_set1_epi16(kNoScore);
    for (std::size_t block = 0; block < num_blocks; block += step) {
        greatest = _mm512_max_epi16(greatest, load(scores + block * kCodeBlock));
    }
    const __m512i lower = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(greatest));
    const __m512i upper = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(greatest, 1));
    return static_cast<std::int16_t>(_mm512_reduce_max_epi32(_mm512_max_epi32(lower, upper)));
}

__mmask32 above(const std::int16_t* scores, __m512i threshold) {
    return _mm512_cmpgt_epi16_mask(load(scores), threshold);
}

std::size_t count_above(const std::int16_t* scores, std::size_t num_blocks, std::size_t step,
                        std::int16_t threshold) {
    const __m512i limit = _mm512_set1_epi16(threshold);
    std::size_t count = 0;
    for (std::size_t block = 0; block < num_blocks; block += step) {
        count +=
            static_cast<std::size_t>(__builtin_popcount(above(scores + block * kCodeBlock, limit)));
    }
    return count;
}

std::size_t collect_above(const std::int16_t* scores, std::size_t num_blocks,
                          std::int16_t threshold, std::size_t capacity, std::uint32_t* entries,
                          std::int16_t* values, std::size_t* end_block) {
    const __m512i limit = _mm512_set1_epi16(threshold);
    std::size_t count = 0;
    std::size_t block = 0;
    for (; block < num_blocks && count + kCodeBlock <= capacity; ++block) {
        const std::int16_t* from = scores + block * kCodeBlock;
        for (std::uint32_t left = above(from, limit); left != 0; left &= left - 1) {
            const auto lane = static_cast<std::uint32_t>(__builtin_ctz(left));
            entries[count] = static_cast<std::uint32_t>(block * kCodeBlock) + lane;
            values[count] = from[lane];
            ++count;
        }
    }
    *end_block = block;
    return count;
}

/// The high and the low byte of each element of the query: element = 256 high + low.
struct SplitQuery {
    alignas(64) std::int8_t high[kMaxRowBytes];
    alignas(64) std::int8_t low[kMaxRowBytes];
    std::int32_t sum = 0;

    SplitQuery(const std::int16_t* query, std::size_t row_bytes) {
        for (std::size_t j = 0; j < row_bytes; ++j) {
            low[j] = static_cast<std::int8_t>(query[j] & 255);
            high[j] = static_cast<std::int8_t>((query[j] - low[j]) >> 8);
            sum += query[j];
        }
    }
};

void dot_short_rows(const SplitQuery& query, const std::uint8_t* rows, std::size_t row_bytes,
                    const std::uint32_t* positions, std::size_t n, std::int32_t* dots) {
    const __mmask32 bytes = row_bytes == 32 ? ~0U : 0xFFFFU;
    const __m256i high = _mm256_maskz_loadu_epi8(bytes, query.high);
    const __m256i low = _mm256_maskz_loadu_epi8(bytes, query.low);
    for (std::size_t i = 0; i < n; ++i) {
        if (i + kRowsAhead < n) {
            _mm_prefetch(reinterpret_cast<const char*>(rows) +
                             std::size_t{positions[i + kRowsAhead]} * row_bytes,
                         _MM_HINT_T0);
        }
        const __m256i row =
            _mm256_maskz_loadu_epi8(bytes, rows + std::size_t{positions[i]} * row_bytes);
        const __m256i highs = _mm256_dpbusd_epi32(_mm256_setzero_si256(), row, high);
        const __m256i sums = _mm256_dpbusd_epi32(_mm256_slli_epi32(highs, 8), row, low);
        __m128i four =
            _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
        four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
        four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
        dots[i] = _mm_cvtsi128_si32(four) - 128 * query.sum;
    }
}

void dot_gathered(const std::int16_t* query, const std::uint8_t* rows, std::size_t row_bytes,
                  const std::uint32_t* positions, std::size_t n, std::int32_t* dots) {
    const SplitQuery split(query, row_bytes);
    if (row_bytes < kCodeLineBytes) {
        dot_short_rows(split, rows, row_bytes, positions, n, dots);
        return;
    }
    for (std::size_t i = 0; i < n; ++i) {
        if (i + kRowsAhead < n) {
            const char* next = reinterpret_cast<const char*>(rows) +
                               std::size_t{positions[i + kRowsAhead]} * row_bytes;
            for (std::size_t at = 0; at < row_bytes; at += kCodeLineBytes) {
                _mm_prefetch(next + at, _MM_HINT_T0);
            }
        }
        const std::uint8_t* row = rows + std::size_t{positions[i]} * row_bytes;
        __m512i highs = _mm512_setzero_si512();
        __m512i lows = _mm512_setzero_si512();
        for (std::size_t at = 0; at < row_bytes; at += kCodeLineBytes) {
            const __m512i bytes = load(row + at);
            highs = _mm512_dpbusd_epi32(highs, bytes, load(split.high + at));
            lows = _mm512_dpbusd_epi32(lows, bytes, load(split.low + at));
        }
        const __m512i sums = _mm512_add_epi32(_mm512_slli_epi32(highs, 8), lows);
        dots[i] = _mm512_reduce_add_epi32(sums) - 128 * split.sum;
    }
}

}  // namespace

void add_avx512vnni_selection(CodesKernels& kernels) {
    kernels.multiply_levels = multiply_levels;
    kernels.add_levels = add_levels;
    kernels.mask_scores = mask_scores;
    kernels.fold_scores = fold_scores;
    kernels.max_score = max_score;
    kernels.count_above = count_above;
    kernels.collect_above = collect_above;
    kernels.dot_gathered = dot_gathered;
}

}  // namespace segue::kernels

#endif
