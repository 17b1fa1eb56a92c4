// Codes for AVX2 and for AVX-512 without VBMI and VNNI: pshufb looks one subspace of each line up
// at a time, the bytes of the other three give 0. Written once with Highway.

#include "kernels/codes_kernels.h"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS ~(HWY_AVX2 | HWY_AVX3 | HWY_EMU128 | HWY_SCALAR)
// NOLINTNEXTLINE(readability-identifier-naming): Highway's name
#define HWY_TARGET_INCLUDE "kernels/codes_simd.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::ScalableTag<std::int32_t>;
using Bytes = hn::ScalableTag<std::uint8_t>;
using Words = hn::ScalableTag<std::uint16_t>;
using Scores = hn::ScalableTag<std::int16_t>;
/// 16 bytes become 16 words become 8 sums.
using ShortBytes = hn::FixedTag<std::uint8_t, 16>;
using ShortWords = hn::FixedTag<std::int16_t, 16>;
using ShortInts = hn::FixedTag<std::int32_t, 8>;

inline constexpr std::size_t kFloatLanes = HWY_LANES(float);
inline constexpr std::size_t kVectorBytes = HWY_LANES(std::uint8_t);
inline constexpr std::size_t kScoreLanes = HWY_LANES(std::int16_t);
inline constexpr std::size_t kParts = kCodeLineBytes / kVectorBytes;
/// Sums of two lookups that fit 16 bits.
inline constexpr std::size_t kLinesOfWords = 128;
inline constexpr std::size_t kRowsAhead = 12;

inline void multiply_codebook(const float* query, const float* codebook, std::size_t num_subspaces,
                              float* products, float* lows, float* highs) {
    const Floats floats;
    for (std::size_t s = 0; s < num_subspaces; ++s) {
        const float* words = codebook + s * 32;
        auto low = hn::Inf(floats);
        auto high = hn::Neg(low);
        for (std::size_t c = 0; c < 16; c += kFloatLanes) {
            const auto first = hn::Mul(hn::Set(floats, query[2 * s]), hn::LoadU(floats, words + c));
            const auto second =
                hn::Mul(hn::Set(floats, query[2 * s + 1]), hn::LoadU(floats, words + 16 + c));
            const auto sum = hn::Add(first, second);
            hn::StoreU(sum, floats, products + s * 16 + c);
            low = hn::Min(low, sum);
            high = hn::Max(high, sum);
        }
        lows[s] = hn::GetLane(hn::MinOfLanes(floats, low));
        highs[s] = hn::GetLane(hn::MaxOfLanes(floats, high));
    }
}

inline void quantize_tables(const float* products, const float* lows, std::size_t num_subspaces,
                            float scale, std::uint8_t* tables) {
    const Floats floats;
    const hn::Rebind<std::uint8_t, Floats> bytes;
    for (std::size_t i = 0; i < num_subspaces * 16; i += kFloatLanes) {
        const auto above = hn::Sub(hn::LoadU(floats, products + i), hn::Set(floats, lows[i / 16]));
        const auto rounded = hn::NearestInt(hn::Mul(above, hn::Set(floats, scale)));
        hn::StoreU(hn::DemoteTo(bytes, rounded), bytes, tables + i);
    }
}

inline void score_centres(const CentreScores& arguments, float* scores) {
    constexpr std::size_t kRegisters = kCodeLineBytes / 16;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < arguments.num_groups * 4; ++i) {
        sum += arguments.query[i];
    }
    for (std::size_t block = 0; block < arguments.num_blocks; ++block) {
        const std::uint8_t* centres =
            arguments.centres + block * arguments.num_groups * kCodeLineBytes;
        hn::Vec<ShortInts> sums[kRegisters] = {hn::Zero(ShortInts()), hn::Zero(ShortInts()),
                                               hn::Zero(ShortInts()), hn::Zero(ShortInts())};
        auto unused = hn::Zero(ShortInts());
        for (std::size_t group = 0; group < arguments.num_groups; ++group) {
            alignas(8) std::int16_t four[4];
            for (std::size_t i = 0; i < 4; ++i) {
                four[i] = arguments.query[group * 4 + i];
            }
            std::int64_t bits;
            __builtin_memcpy(&bits, four, sizeof(bits));
            const auto weights =
                hn::BitCast(ShortWords(), hn::Set(hn::FixedTag<std::int64_t, 4>(), bits));
            for (std::size_t r = 0; r < kRegisters; ++r) {
                const auto words = hn::PromoteTo(
                    ShortWords(),
                    hn::LoadU(ShortBytes(), centres + group * kCodeLineBytes + r * 16));
                sums[r] =
                    hn::ReorderWidenMulAccumulate(ShortInts(), words, weights, sums[r], unused);
            }
        }
        for (std::size_t r = 0; r < kRegisters; ++r) {
            alignas(32) std::int32_t pairs[8];
            hn::StoreU(sums[r], ShortInts(), pairs);
            for (std::size_t i = 0; i < 4; ++i) {
                const std::size_t leaf = block * kCentreBlock + r * 4 + i;
                const auto dot = static_cast<float>(pairs[2 * i] + pairs[2 * i + 1] - 128 * sum);
                const float scaled = dot * (arguments.query_scale * arguments.scales[leaf]);
                const float offset = arguments.offset_scale * arguments.offsets[leaf];
                scores[leaf] = scaled + offset;
            }
        }
    }
}

inline std::size_t count_floats_above(const float* scores, std::size_t n, float threshold) {
    const Floats floats;
    const auto limit = hn::Set(floats, threshold);
    std::size_t count = 0;
    std::size_t i = 0;
    for (; i + kFloatLanes <= n; i += kFloatLanes) {
        count += hn::CountTrue(floats, hn::Gt(hn::LoadU(floats, scores + i), limit));
    }
    for (; i < n; ++i) {
        count += scores[i] > threshold ? 1 : 0;
    }
    return count;
}

/// The pairs of neighbouring bytes, added.
HWY_INLINE hn::Vec<Words> sum_pairs(hn::Vec<Bytes> bytes) {
    const auto words = hn::BitCast(Words(), bytes);
    return hn::Add(hn::And(words, hn::Set(Words(), 0xFF)), hn::ShiftRight<8>(words));
}

/// The lookups of a register of codes: 4 tables of 16 bytes, byte i in table i % 4.
HWY_INLINE hn::Vec<Bytes> look_up(hn::Vec<Bytes> codes, const std::uint8_t* tables) {
    constexpr std::uint32_t kOthers[4] = {0x80808000U, 0x80800080U, 0x80008080U, 0x00808080U};
    auto found = hn::Zero(Bytes());
    for (std::size_t s = 0; s < 4; ++s) {
        const auto others =
            hn::BitCast(Bytes(), hn::Set(hn::Repartition<std::uint32_t, Bytes>(), kOthers[s]));
        const auto table = hn::LoadDup128(Bytes(), tables + s * 16);
        found = hn::Or(found, hn::TableLookupBytesOr0(table, hn::Or(codes, others)));
    }
    return found;
}

/// Stores scores of consecutive lanes from sums of pairs of subspaces.
HWY_INLINE void store_scores(hn::Vec<Ints> sums, std::int16_t* scores) {
    const hn::Rebind<std::int16_t, Ints> half;
    hn::StoreU(hn::Max(hn::DemoteTo(half, sums), hn::Set(half, std::int16_t{-32767})), half,
               scores);
}

HWY_INLINE hn::Vec<Ints> sum_word_pairs(hn::Vec<Words> words) {
    const auto wide = hn::BitCast(hn::Repartition<std::uint32_t, Words>(), words);
    const auto sums =
        hn::Add(hn::And(wide, hn::Set(hn::Repartition<std::uint32_t, Words>(), 0xFFFF)),
                hn::ShiftRight<16>(wide));
    return hn::BitCast(Ints(), sums);
}

inline void score_block(const std::uint8_t* tables, std::size_t num_lines,
                        const std::uint8_t* codes, std::int32_t bias, std::int16_t* scores) {
    const auto nibble = hn::Set(Bytes(), std::uint8_t{15});
    for (std::size_t part = 0; part < kParts; ++part) {
        auto low = hn::Set(Ints(), bias);
        auto high = low;
        for (std::size_t first = 0; first < num_lines; first += kLinesOfWords) {
            const std::size_t end =
                first + kLinesOfWords < num_lines ? first + kLinesOfWords : num_lines;
            auto low_words = hn::Zero(Words());
            auto high_words = hn::Zero(Words());
            for (std::size_t line = first; line < end; ++line) {
                const auto both =
                    hn::LoadU(Bytes(), codes + line * kCodeLineBytes + part * kVectorBytes);
                const auto upper =
                    hn::BitCast(Bytes(), hn::ShiftRight<4>(hn::BitCast(Words(), both)));
                const std::uint8_t* four_tables = tables + line * kCodeLineBytes;
                low_words =
                    hn::Add(low_words, sum_pairs(look_up(hn::And(both, nibble), four_tables)));
                high_words =
                    hn::Add(high_words, sum_pairs(look_up(hn::And(upper, nibble), four_tables)));
            }
            low = hn::Add(low, sum_word_pairs(low_words));
            high = hn::Add(high, sum_word_pairs(high_words));
        }
        store_scores(low, scores + part * kFloatLanes);
        store_scores(high, scores + 16 + part * kFloatLanes);
    }
}

HWY_INLINE void score_segment(const std::uint8_t* tables, std::size_t num_lines,
                              const CodeSegment& segment, std::int32_t bias, std::int16_t* scores) {
    for (std::size_t entry = 0; entry < segment.num_entries; entry += kCodeBlock) {
        score_block(tables, num_lines,
                    segment.codes + entry / kCodeBlock * num_lines * kCodeLineBytes, bias,
                    scores + entry);
        for (std::size_t lane = segment.num_entries - entry; lane < kCodeBlock; ++lane) {
            scores[entry + lane] = kNoScore;
        }
    }
}

inline void scan(const std::uint8_t* tables, std::size_t num_lines, const CodeSegment* segments,
                 std::size_t num_segments, std::int16_t* scores) {
    const std::size_t block_bytes = num_lines * kCodeLineBytes;
    for (std::size_t i = 0; i < num_segments; ++i) {
        if (i + 1 < num_segments) {
            // The whole next leaf: the lookups here take longer than its lines do.
            const std::size_t bytes =
                (segments[i + 1].num_entries + kCodeBlock - 1) / kCodeBlock * block_bytes;
            for (std::size_t at = 0; at < bytes && at < 16384; at += kCodeLineBytes) {
                __builtin_prefetch(segments[i + 1].codes + at);
            }
        }
        score_segment(tables, num_lines, segments[i], segments[i].bias, scores);
        scores += (segments[i].num_entries + kCodeBlock - 1) / kCodeBlock * kCodeBlock;
    }
}

inline void scan_shared(const std::uint8_t* const* tables, const std::int32_t* biases,
                        std::size_t num_queries, std::size_t num_lines, const CodeSegment& segment,
                        std::int16_t* const* scores) {
    for (std::size_t q = 0; q < num_queries; ++q) {
        score_segment(tables[q], num_lines, segment, biases[q], scores[q]);
    }
}

inline void collect_shared(SharedQuery* queries, std::size_t num_queries, std::size_t num_lines,
                           const CodeSegment& segment, std::uint32_t first_entry) {
    for (std::size_t q = 0; q < num_queries; ++q) {
        SharedQuery& query = queries[q];
        query.count = 0;
        for (std::uint32_t entry = 0; entry < segment.num_entries; entry += kCodeBlock) {
            std::int16_t scores[kCodeBlock];
            score_block(query.tables, num_lines,
                        segment.codes + entry / kCodeBlock * num_lines * kCodeLineBytes, query.bias,
                        scores);
            const std::uint32_t rest = segment.num_entries - entry;
            for (std::uint32_t lane = 0; lane < kCodeBlock && lane < rest; ++lane) {
                if (scores[lane] > query.threshold) {
                    query.entries[query.count] = first_entry + entry + lane;
                    query.values[query.count++] = scores[lane];
                }
            }
        }
    }
}

inline void fold_scores(const std::int16_t* scores, std::size_t num_blocks, std::size_t num_groups,
                        std::int16_t* greatest) {
    const std::size_t size = num_groups * kCodeBlock;
    for (std::size_t lane = 0; lane < size; lane += kScoreLanes) {
        auto most = hn::LoadU(Scores(), scores + lane);
        for (std::size_t i = lane + size; i < num_blocks * kCodeBlock; i += size) {
            most = hn::Max(most, hn::LoadU(Scores(), scores + i));
        }
        hn::StoreU(most, Scores(), greatest + lane);
    }
}

inline std::int16_t max_score(const std::int16_t* scores, std::size_t num_blocks,
                              std::size_t step) {
    auto greatest = hn::Set(Scores(), kNoScore);
    for (std::size_t block = 0; block < num_blocks; block += step) {
        for (std::size_t i = 0; i < kCodeBlock; i += kScoreLanes) {
            greatest = hn::Max(greatest, hn::LoadU(Scores(), scores + block * kCodeBlock + i));
        }
    }
    std::int16_t lanes[kScoreLanes];
    hn::StoreU(greatest, Scores(), lanes);
    std::int16_t best = kNoScore;
    for (const std::int16_t lane : lanes) {
        best = lane > best ? lane : best;
    }
    return best;
}

inline std::size_t count_above(const std::int16_t* scores, std::size_t num_blocks, std::size_t step,
                               std::int16_t threshold) {
    const auto limit = hn::Set(Scores(), threshold);
    std::size_t count = 0;
    for (std::size_t block = 0; block < num_blocks; block += step) {
        for (std::size_t i = 0; i < kCodeBlock; i += kScoreLanes) {
            count += hn::CountTrue(
                Scores(), hn::Gt(hn::LoadU(Scores(), scores + block * kCodeBlock + i), limit));
        }
    }
    return count;
}

inline std::size_t collect_above(const std::int16_t* scores, std::size_t num_blocks,
                                 std::int16_t threshold, std::size_t capacity,
                                 std::uint32_t* entries, std::int16_t* values,
                                 std::size_t* end_block) {
    const auto limit = hn::Set(Scores(), threshold);
    std::size_t count = 0;
    std::size_t block = 0;
    for (; block < num_blocks && count + kCodeBlock <= capacity; ++block) {
        const std::int16_t* from = scores + block * kCodeBlock;
        std::uint32_t left = 0;
        for (std::size_t i = 0; i < kCodeBlock; i += kScoreLanes) {
            std::uint8_t bits[8] = {};
            hn::StoreMaskBits(Scores(), hn::Gt(hn::LoadU(Scores(), from + i), limit), bits);
            std::uint32_t word;
            __builtin_memcpy(&word, bits, sizeof(word));
            left |= word << i;
        }
        for (; left != 0; left &= left - 1) {
            const auto lane = static_cast<std::uint32_t>(__builtin_ctz(left));
            entries[count] = static_cast<std::uint32_t>(block * kCodeBlock) + lane;
            values[count] = from[lane];
            ++count;
        }
    }
    *end_block = block;
    return count;
}

inline void dot_gathered(const std::int16_t* query, const std::uint8_t* rows, std::size_t row_bytes,
                         const std::uint32_t* positions, std::size_t n, std::int32_t* dots) {
    std::int32_t query_sum = 0;
    for (std::size_t j = 0; j < row_bytes; ++j) {
        query_sum += query[j];
    }
    for (std::size_t i = 0; i < n; ++i) {
        if (i + kRowsAhead < n) {
            const std::uint8_t* next = rows + std::size_t{positions[i + kRowsAhead]} * row_bytes;
            for (std::size_t at = 0; at < row_bytes; at += kCodeLineBytes) {
                __builtin_prefetch(next + at);
            }
        }
        const std::uint8_t* row = rows + std::size_t{positions[i]} * row_bytes;
        auto sums = hn::Zero(ShortInts());
        auto unused = hn::Zero(ShortInts());
        for (std::size_t at = 0; at < row_bytes; at += 16) {
            const auto words = hn::PromoteTo(ShortWords(), hn::LoadU(ShortBytes(), row + at));
            sums = hn::ReorderWidenMulAccumulate(ShortInts(), words,
                                                 hn::LoadU(ShortWords(), query + at), sums, unused);
        }
        std::int32_t lanes[8];
        hn::StoreU(sums, ShortInts(), lanes);
        std::int32_t dot = -128 * query_sum;
        for (const std::int32_t lane : lanes) {
            dot += lane;
        }
        dots[i] = dot;
    }
}

inline CodesKernels make_kernels() {
    CodesKernels kernels = scalar_codes();
    kernels.multiply_codebook = multiply_codebook;
    kernels.quantize_tables = quantize_tables;
    kernels.score_centres = score_centres;
    kernels.count_floats_above = count_floats_above;
    kernels.scan = scan;
    kernels.scan_shared = scan_shared;
    kernels.collect_shared = collect_shared;
    kernels.fold_scores = fold_scores;
    kernels.max_score = max_score;
    kernels.count_above = count_above;
    kernels.collect_above = collect_above;
    kernels.dot_gathered = dot_gathered;
    return kernels;
}

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace segue::kernels {

const CodesKernels* avx2_codes() {
#if HWY_TARGETS & HWY_AVX2
    static const CodesKernels kKernels = N_AVX2::make_kernels();
    return (hwy::SupportedTargets() & HWY_AVX2) != 0 ? &kKernels : nullptr;
#else
    return nullptr;
#endif
}

const CodesKernels* avx512_codes() {
#if HWY_TARGETS & HWY_AVX3
    static const CodesKernels kKernels = N_AVX3::make_kernels();
    return (hwy::SupportedTargets() & HWY_AVX3) != 0 ? &kKernels : nullptr;
#else
    return nullptr;
#endif
}

}  // namespace segue::kernels
#endif
