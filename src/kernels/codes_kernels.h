#pragma once

// The inner loops of the tree path: 4-bit codes scored by table lookups in registers, the best of
// the scores found without a heap, the int8 rows of the candidates multiplied. Every function gives
// the same bytes at every level: sums are of integers, and floats are rounded one operation at a
// time.
//
// Codes come in blocks of kCodeBlock entries, `num_lines` lines of 64 bytes each; a line has the
// codes of 4 subspaces. Byte (lane % 16) * 4 + (subspace % 4) of line subspace / 4 holds the code
// of entry `lane` in its low half for lane < 16, in its high half for the others.

#include <cstddef>
#include <cstdint>

namespace segue::kernels {

/// Entries of a block of codes; also the granularity of every array of scores.
inline constexpr std::size_t kCodeBlock = 32;
inline constexpr std::size_t kCodeLineBytes = 64;
/// Leaves in a block of packed centres.
inline constexpr std::size_t kCentreBlock = 16;
/// Queries that scan_shared scores in one pass.
inline constexpr std::size_t kMaxSharedQueries = 4;
/// Elements of tables are not above it: those of two lines are added as bytes. (That is no loss:
/// the error of the codes is some twenty times larger.)
inline constexpr std::uint8_t kLargestLookup = 127;
/// Levels of norms.
inline constexpr std::size_t kNumLevels = 256;
/// The score of an entry that is no candidate. Others are in [-32767, 32767].
inline constexpr std::int16_t kNoScore = -32768;

/// Consecutive blocks of codes whose scores share one bias: a leaf.
struct CodeSegment {
    const std::uint8_t* codes = nullptr;  // [ceil(num_entries / 32) x num_lines x 64]
    std::uint32_t num_entries = 0;
    std::int32_t bias = 0;  // in [-2^30, 2^30]
};

/// One of the queries that collect_shared serves in one pass.
struct SharedQuery {
    const std::uint8_t* tables = nullptr;  // [num_lines x 64]
    std::int32_t bias = 0;                 // in [-2^30, 2^30]
    std::int16_t threshold = kNoScore;
    std::uint32_t* entries = nullptr;  // room for the entries of the segment
    std::int16_t* values = nullptr;    // the same
    std::size_t count = 0;             // result: how many were written
};

/// Packed centres: byte (leaf % 16) * 4 + dimension % 4 of line dimension / 4 of block leaf / 16 is
/// round(centre / scale) + 128.
struct CentreScores {
    const std::uint8_t* centres = nullptr;  // [num_blocks x num_groups x 64]
    std::size_t num_blocks = 0;
    std::size_t num_groups = 0;          // dimensions / 4, rounded up, at most 1024
    const std::int8_t* query = nullptr;  // [num_groups * 4] zeros behind the dimensions
    const float* scales = nullptr;       // [num_blocks * 16]
    const float* offsets = nullptr;      // [num_blocks * 16]
    float query_scale = 1;
    float offset_scale = 1;
};

/// Immutable, thread-safe.
struct CodesKernels {
    /// products[s * 16 + c] = query[2 s] * codebook[s][0][c] + query[2 s + 1] * codebook[s][1][c];
    /// lows and highs [num_subspaces]: the least and the greatest of each subspace.
    void (*multiply_codebook)(const float* query, const float* codebook, std::size_t num_subspaces,
                              float* products, float* lows, float* highs);
    /// tables[s * 16 + c] = round((products[s * 16 + c] - lows[s]) * scale), to even. Requires:
    /// results in [0, kLargestLookup].
    void (*quantize_tables)(const float* products, const float* lows, std::size_t num_subspaces,
                            float scale, std::uint8_t* tables);

    /// scores[l] = (query . (centre l - 128)) * (query_scale * scales[l]) + offset_scale *
    /// offsets[l], the product of integers exact. scores [num_blocks * 16].
    void (*score_centres)(const CentreScores& arguments, float* scores);
    /// How many of n floats are above the threshold.
    std::size_t (*count_floats_above)(const float* scores, std::size_t n, float threshold);
    /// Writes the indices of scores above the threshold, ascending, and returns how many there are.
    /// `out` has room for n.
    std::size_t (*collect_floats_above)(const float* scores, std::size_t n, float threshold,
                                        std::uint32_t* out);

    /// Scores every entry of the segments, one after the other, each segment from a multiple of
    /// kCodeBlock on: the sum of the lookups + bias, at least -32767 and at most 32767; kNoScore
    /// behind the last entry of a segment. tables [num_lines x 64], 16 bytes a subspace. Asks for
    /// the codes of segments ahead. Requires: num_lines <= 512.
    void (*scan)(const std::uint8_t* tables, std::size_t num_lines, const CodeSegment* segments,
                 std::size_t num_segments, std::int16_t* scores);
    /// One segment for each of num_queries <= kMaxSharedQueries queries, each with tables and a
    /// bias of its own (that of the segment is not read): scores[q] is what scan gives.
    void (*scan_shared)(const std::uint8_t* const* tables, const std::int32_t* biases,
                        std::size_t num_queries, std::size_t num_lines, const CodeSegment& segment,
                        std::int16_t* const* scores);
    /// What collect_above gives for the scores of scan_shared, with first_entry added to indices.
    void (*collect_shared)(SharedQuery* queries, std::size_t num_queries, std::size_t num_lines,
                           const CodeSegment& segment, std::uint32_t first_entry);

    /// scores[i] = round(scores[i] * 2^shift * factors[levels[i]] / 2^15) for entries that have a
    /// score; rounded half up. Requires: |score| * 2^shift <= 32767, factors in [0, 32767].
    /// levels [n].
    void (*multiply_levels)(const std::uint8_t* levels, std::size_t n, const std::int16_t* factors,
                            unsigned shift, std::int16_t* scores);
    /// scores[i] += biases[levels[i]] for entries that have a score, in [-32767, 32767].
    void (*add_levels)(const std::uint8_t* levels, std::size_t n, const std::int16_t* biases,
                       std::int16_t* scores);
    /// scores[i] = kNoScore where bit (first_bit + i) % 64 of word (first_bit + i) / 64 is not set.
    /// Reads the word behind the last bit too.
    void (*mask_scores)(const std::uint64_t* bits, std::size_t first_bit, std::size_t n,
                        std::int16_t* scores);

    /// greatest[g * 32 + lane] = the greatest score of the lane in every num_groups-th block from g
    /// on. Requires: num_groups <= num_blocks.
    void (*fold_scores)(const std::int16_t* scores, std::size_t num_blocks, std::size_t num_groups,
                        std::int16_t* greatest);
    /// The greatest score of every step-th block, kNoScore if there are none.
    std::int16_t (*max_score)(const std::int16_t* scores, std::size_t num_blocks, std::size_t step);
    /// How many scores of every step-th block are above the threshold.
    std::size_t (*count_above)(const std::int16_t* scores, std::size_t num_blocks, std::size_t step,
                               std::int16_t threshold);
    /// Writes the indices, ascending, and the scores of entries above the threshold, and returns
    /// how many there are; stops at a block that might not fit. `entries` and `values` have room
    /// for `capacity` >= kCodeBlock; *end_block is the block it stopped at, or num_blocks.
    std::size_t (*collect_above)(const std::int16_t* scores, std::size_t num_blocks,
                                 std::int16_t threshold, std::size_t capacity,
                                 std::uint32_t* entries, std::int16_t* values,
                                 std::size_t* end_block);

    /// dots[i] = query . (row positions[i] - 128). Rows of row_bytes bytes: 16, 32 or a multiple of
    /// 64. query [row_bytes]. Requires: |query| <= 32639, and 255 times its sum fits 31 bits. Asks
    /// for rows ahead.
    void (*dot_gathered)(const std::int16_t* query, const std::uint8_t* rows, std::size_t row_bytes,
                         const std::uint32_t* positions, std::size_t n, std::int32_t* dots);
};

const CodesKernels& scalar_codes();
/// Null where this build or this machine does not have the instructions.
const CodesKernels* avx2_codes();
const CodesKernels* avx512_codes();
/// Null where this build does not have the instructions; the machine's are the caller's to check.
const CodesKernels* avx512vnni_codes();

}  // namespace segue::kernels
