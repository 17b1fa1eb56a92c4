// AVX-512 with VBMI and VNNI: one vpermb looks four subspaces of 16 entries up; the lookups of
// two lines are added as bytes, which they fit, and one vpdpbusd adds the four of each entry.
// Freestanding, so that no AVX-512 code leaks into the rest of the program.

#include "kernels/codes_vnni.h"
#include "kernels/codes_kernels.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && \
    defined(__AVX512VNNI__) && defined(__AVX512VBMI__)

#include <immintrin.h>

#include <utility>

namespace segue::kernels {
namespace {

/// Bytes of codes that are on their way while others are scored.
constexpr std::size_t kBytesAhead = 8192;

__m512i load(const void* from) {
    return _mm512_loadu_si512(from);
}

/// A register the compiler may not load again from memory instead: the loops below can do one load
/// of 64 bytes a cycle, and need it for what is new.
__m512i pinned(__m512i value) {
    asm("" : "+v"(value));
    return value;
}

/// Indices of the four tables of a line for the codes in the low halves of its bytes.
__m512i table_index(__m512i codes) {
    constexpr int kAndThenOr = 0xEA;
    return _mm512_ternarylogic_epi32(codes, _mm512_set1_epi8(15), _mm512_set1_epi32(0x30201000),
                                     kAndThenOr);
}

__m512i saturated(__m512i first_half, __m512i second_half) {
    const __m512i both =
        _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtsepi32_epi16(first_half)),
                           _mm512_cvtsepi32_epi16(second_half), 1);
    return _mm512_max_epi16(both, _mm512_set1_epi16(-32767));
}

/// Lookups of the entries in the low and in the high halves of the codes of a line.
struct Lookups {
    __m512i low;
    __m512i high;

    Lookups(__m512i codes, __m512i table)
        : low(_mm512_permutexvar_epi8(table_index(codes), table)),
          high(_mm512_permutexvar_epi8(table_index(_mm512_srli_epi32(codes, 4)), table)) {}
    /// Of two lines, which fit a byte.
    Lookups operator+(const Lookups& other) const {
        Lookups sum = *this;
        sum.low = _mm512_add_epi8(low, other.low);
        sum.high = _mm512_add_epi8(high, other.high);
        return sum;
    }
};

struct LineSums {
    __m512i low;
    __m512i high;

    void add(const Lookups& lookups) {
        low = _mm512_dpbusd_epi32(low, lookups.low, _mm512_set1_epi8(1));
        high = _mm512_dpbusd_epi32(high, lookups.high, _mm512_set1_epi8(1));
    }
};

void prefetch(const std::uint8_t* line) {
    _mm_prefetch(reinterpret_cast<const char*>(line), _MM_HINT_T0);
}

/// The scores of a block whose entries from `count` on do not exist.
__m512i first_scores(__m512i scores, std::size_t count) {
    return count >= kCodeBlock
               ? scores
               : _mm512_mask_mov_epi16(_mm512_set1_epi16(kNoScore), (1U << count) - 1, scores);
}

/// Walks the blocks of the segments, ahead of the scan.
struct BlocksAhead {
    const CodeSegment* segment;
    const CodeSegment* end;
    std::size_t block_bytes;
    const std::uint8_t* codes;
    const std::uint8_t* codes_end;
    const std::uint8_t* last = nullptr;  // block that next() gave

    BlocksAhead(const CodeSegment* segments, std::size_t num_segments, std::size_t bytes)
        : segment(segments),
          end(segments + num_segments),
          block_bytes(bytes),
          codes(nullptr),
          codes_end(nullptr) {
        if (segment != end) {
            enter();
        }
    }
    void enter() {
        codes = segment->codes;
        codes_end = codes + (segment->num_entries + kCodeBlock - 1) / kCodeBlock * block_bytes;
    }
    /// The next block; the last one again and again at the end; null where there are none.
    const std::uint8_t* next() {
        while (codes == codes_end) {
            if (segment + 1 >= end) {
                return last;
            }
            ++segment;
            enter();
        }
        last = codes;
        codes += block_bytes;
        return last;
    }
};

/// Scores the blocks of the segments one after the other: score_block(codes, ahead, bias) asks for
/// the block at `ahead`, too.
template <typename ScoreBlock>
void scan_blocks(std::size_t block_bytes, const CodeSegment* segments, std::size_t num_segments,
                 std::int16_t* scores, ScoreBlock score_block) {
    BlocksAhead ahead(segments, num_segments, block_bytes);
    for (std::size_t bytes = 0; bytes < kBytesAhead; bytes += block_bytes) {
        const std::uint8_t* codes = ahead.next();
        if (codes == nullptr) {
            return;
        }
        for (std::size_t at = 0; at < block_bytes; at += kCodeLineBytes) {
            prefetch(codes + at);
        }
    }
    for (std::size_t s = 0; s < num_segments; ++s) {
        const std::uint8_t* codes = segments[s].codes;
        const __m512i bias = _mm512_set1_epi32(segments[s].bias);
        const std::size_t num_entries = segments[s].num_entries;
        for (std::size_t entry = 0; entry < num_entries; entry += kCodeBlock) {
            const __m512i block = score_block(codes, ahead.next(), bias);
            _mm512_storeu_si512(scores, first_scores(block, num_entries - entry));
            codes += block_bytes;
            scores += kCodeBlock;
        }
    }
}

/// The number of lines, 2 * (pairs) + kRest, is known to the compiler, which keeps the tables in
/// registers.
template <std::size_t kRest, std::size_t... kPair>
void scan_known(std::index_sequence<kPair...>, const std::uint8_t* tables,
                const CodeSegment* segments, std::size_t num_segments, std::int16_t* scores) {
    constexpr std::size_t kLines = 2 * sizeof...(kPair) + kRest;
    constexpr std::size_t kLast = (kLines - 1) * kCodeLineBytes;
    constexpr std::size_t kPairBytes = 2 * kCodeLineBytes;
    const __m512i first[] = {pinned(load(tables + kPair * kPairBytes))..., __m512i()};
    const __m512i second[] = {pinned(load(tables + kPair * kPairBytes + kCodeLineBytes))...,
                              __m512i()};
    const __m512i rest = pinned(load(tables + kLast));
    scan_blocks(kLines * kCodeLineBytes, segments, num_segments, scores,
                [&](const std::uint8_t* codes, const std::uint8_t* ahead, __m512i bias) {
                    const auto lookups = [&](std::size_t at, __m512i table) {
                        prefetch(ahead + at);
                        return Lookups(pinned(load(codes + at)), table);
                    };
                    LineSums sums = {bias, bias};
                    (sums.add(lookups(kPair * kPairBytes, first[kPair]) +
                              lookups(kPair * kPairBytes + kCodeLineBytes, second[kPair])),
                     ...);
                    if constexpr (kRest != 0) {
                        sums.add(lookups(kLast, rest));
                    }
                    return saturated(sums.low, sums.high);
                });
}

void scan_any(const std::uint8_t* tables, std::size_t num_lines, const CodeSegment* segments,
              std::size_t num_segments, std::int16_t* scores) {
    scan_blocks(
        num_lines * kCodeLineBytes, segments, num_segments, scores,
        [&](const std::uint8_t* codes, const std::uint8_t* ahead, __m512i bias) {
            const auto lookups = [&](std::size_t at) {
                prefetch(ahead + at);
                return Lookups(pinned(load(codes + at)), pinned(load(tables + at)));
            };
            LineSums sums = {bias, bias};
            std::size_t line = 0;
            for (; line + 2 <= num_lines; line += 2) {
                sums.add(lookups(line * kCodeLineBytes) + lookups((line + 1) * kCodeLineBytes));
            }
            if (line < num_lines) {
                sums.add(lookups(line * kCodeLineBytes));
            }
            return saturated(sums.low, sums.high);
        });
}

/// Tables that fit the registers, beside what else is in them.
constexpr std::size_t kMostKnownLines = 18;

/// Calls scan_known with num_lines, one of [kLines, kMostKnownLines].
template <std::size_t kLines>
void scan_by_lines(std::size_t num_lines, const std::uint8_t* tables, const CodeSegment* segments,
                   std::size_t num_segments, std::int16_t* scores) {
    if (num_lines == kLines) {
        scan_known<kLines % 2>(std::make_index_sequence<kLines / 2>(), tables, segments,
                               num_segments, scores);
    } else if constexpr (kLines < kMostKnownLines) {
        scan_by_lines<kLines + 1>(num_lines, tables, segments, num_segments, scores);
    }
}

void scan(const std::uint8_t* tables, std::size_t num_lines, const CodeSegment* segments,
          std::size_t num_segments, std::int16_t* scores) {
    if (num_lines <= kMostKnownLines) {
        scan_by_lines<1>(num_lines, tables, segments, num_segments, scores);
    } else {
        scan_any(tables, num_lines, segments, num_segments, scores);
    }
}

/// The scores of one block for kQueries queries, which share its loads and indices.
template <std::size_t kQueries>
struct SharedScores {
    LineSums sums[kQueries];

    void start(std::size_t query, std::int32_t bias) {
        sums[query].low = sums[query].high = _mm512_set1_epi32(bias);
    }

    template <typename TablesOf>
    void add_lines(std::size_t num_lines, const std::uint8_t* codes, TablesOf tables_of) {
        std::size_t line = 0;
        for (; line + 2 <= num_lines; line += 2) {
            const std::size_t at = line * kCodeLineBytes;
            const __m512i first = pinned(load(codes + at));
            const __m512i second = pinned(load(codes + at + kCodeLineBytes));
            const __m512i indices[4] = {
                table_index(first), table_index(_mm512_srli_epi32(first, 4)), table_index(second),
                table_index(_mm512_srli_epi32(second, 4))};
            for (std::size_t q = 0; q < kQueries; ++q) {
                const __m512i table = pinned(load(tables_of(q) + at));
                const __m512i next = pinned(load(tables_of(q) + at + kCodeLineBytes));
                add(q, _mm512_permutexvar_epi8(indices[0], table),
                    _mm512_permutexvar_epi8(indices[1], table),
                    _mm512_permutexvar_epi8(indices[2], next),
                    _mm512_permutexvar_epi8(indices[3], next));
            }
        }
        if (line < num_lines) {
            const __m512i last = pinned(load(codes + line * kCodeLineBytes));
            for (std::size_t q = 0; q < kQueries; ++q) {
                sums[q].add(Lookups(last, load(tables_of(q) + line * kCodeLineBytes)));
            }
        }
    }

    /// Lookups of two lines, which fit a byte together.
    void add(std::size_t query, __m512i low, __m512i high, __m512i next_low, __m512i next_high) {
        const __m512i one = _mm512_set1_epi8(1);
        LineSums& sum = sums[query];
        sum.low = _mm512_dpbusd_epi32(sum.low, _mm512_add_epi8(low, next_low), one);
        sum.high = _mm512_dpbusd_epi32(sum.high, _mm512_add_epi8(high, next_high), one);
    }

    __m512i operator[](std::size_t query) const {
        return saturated(sums[query].low, sums[query].high);
    }
};

/// Asks for the block kBytesAhead ahead, as far as the segment goes.
void prefetch_ahead(const std::uint8_t* codes, std::size_t block_bytes, const std::uint8_t* end) {
    const std::uint8_t* ahead = codes + kBytesAhead;
    for (std::size_t at = 0; at < block_bytes && ahead + at < end; at += kCodeLineBytes) {
        prefetch(ahead + at);
    }
}

template <std::size_t kQueries>
void scan_queries(const std::uint8_t* const* tables, const std::int32_t* biases,
                  std::size_t num_lines, const CodeSegment& segment, std::int16_t* const* scores) {
    const std::size_t block_bytes = num_lines * kCodeLineBytes;
    const std::size_t num_blocks = (segment.num_entries + kCodeBlock - 1) / kCodeBlock;
    const std::uint8_t* end = segment.codes + num_blocks * block_bytes;
    std::size_t entry = 0;
    for (const std::uint8_t* codes = segment.codes; codes != end; codes += block_bytes) {
        prefetch_ahead(codes, block_bytes, end);
        SharedScores<kQueries> block;
        for (std::size_t q = 0; q < kQueries; ++q) {
            block.start(q, biases[q]);
        }
        block.add_lines(num_lines, codes, [&](std::size_t q) { return tables[q]; });
        for (std::size_t q = 0; q < kQueries; ++q) {
            _mm512_storeu_si512(scores[q] + entry,
                                first_scores(block[q], segment.num_entries - entry));
        }
        entry += kCodeBlock;
    }
}

void scan_shared(const std::uint8_t* const* tables, const std::int32_t* biases,
                 std::size_t num_queries, std::size_t num_lines, const CodeSegment& segment,
                 std::int16_t* const* scores) {
    switch (num_queries) {
        case 1:
            return scan_queries<1>(tables, biases, num_lines, segment, scores);
        case 2:
            return scan_queries<2>(tables, biases, num_lines, segment, scores);
        case 3:
            return scan_queries<3>(tables, biases, num_lines, segment, scores);
        case 4:
            return scan_queries<4>(tables, biases, num_lines, segment, scores);
        default:
            return;
    }
}

/// Appends the entries of a block whose scores are above the query's threshold.
void append_above(__m512i scores, std::uint32_t lanes, std::uint32_t first_entry,
                  SharedQuery& query) {
    const std::uint32_t above =
        _mm512_mask_cmpgt_epi16_mask(lanes, scores, _mm512_set1_epi16(query.threshold));
    if (above == 0) {
        return;
    }
    alignas(64) std::int16_t values[kCodeBlock];
    _mm512_store_si512(values, scores);
    for (std::uint32_t left = above; left != 0; left &= left - 1) {
        const auto lane = static_cast<std::uint32_t>(__builtin_ctz(left));
        query.entries[query.count] = first_entry + lane;
        query.values[query.count] = values[lane];
        ++query.count;
    }
}

template <std::size_t kQueries>
void collect_queries(SharedQuery* queries, std::size_t num_lines, const CodeSegment& segment,
                     std::uint32_t first_entry) {
    const std::size_t block_bytes = num_lines * kCodeLineBytes;
    const std::size_t num_blocks = (segment.num_entries + kCodeBlock - 1) / kCodeBlock;
    const std::uint8_t* end = segment.codes + num_blocks * block_bytes;
    const std::uint8_t* tables[kQueries];
    for (std::size_t q = 0; q < kQueries; ++q) {
        tables[q] = queries[q].tables;
        queries[q].count = 0;
    }
    std::uint32_t entry = 0;
    for (const std::uint8_t* codes = segment.codes; codes != end; codes += block_bytes) {
        prefetch_ahead(codes, block_bytes, end);
        SharedScores<kQueries> block;
        for (std::size_t q = 0; q < kQueries; ++q) {
            block.start(q, queries[q].bias);
        }
        block.add_lines(num_lines, codes, [&](std::size_t q) { return tables[q]; });
        const std::uint32_t rest = segment.num_entries - entry;
        const std::uint32_t lanes = rest >= kCodeBlock ? ~0U : (1U << rest) - 1;
        for (std::size_t q = 0; q < kQueries; ++q) {
            append_above(block[q], lanes, first_entry + entry, queries[q]);
        }
        entry += kCodeBlock;
    }
}

void collect_shared(SharedQuery* queries, std::size_t num_queries, std::size_t num_lines,
                    const CodeSegment& segment, std::uint32_t first_entry) {
    switch (num_queries) {
        case 1:
            return collect_queries<1>(queries, num_lines, segment, first_entry);
        case 2:
            return collect_queries<2>(queries, num_lines, segment, first_entry);
        case 3:
            return collect_queries<3>(queries, num_lines, segment, first_entry);
        case 4:
            return collect_queries<4>(queries, num_lines, segment, first_entry);
        default:
            return;
    }
}

}  // namespace

void add_avx512vnni_scans(CodesKernels& kernels) {
    kernels.scan = scan;
    kernels.scan_shared = scan_shared;
    kernels.collect_shared = collect_shared;
}

}  // namespace segue::kernels

#endif
