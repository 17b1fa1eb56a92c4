// Plain loops: the reference the other levels are tested against.

#include <algorithm>
#include <cmath>

#include "kernels/codes_kernels.h"

namespace segue::kernels {
namespace {

constexpr std::int32_t kLeastScore = -32767;
constexpr std::int32_t kGreatestScore = 32767;

std::int16_t saturated(std::int32_t score) {
    return static_cast<std::int16_t>(std::clamp(score, kLeastScore, kGreatestScore));
}

void multiply_codebook(const float* query, const float* codebook, std::size_t num_subspaces,
                       float* products, float* lows, float* highs) {
    for (std::size_t s = 0; s < num_subspaces; ++s) {
        const float* words = codebook + s * 32;
        float* out = products + s * 16;
        for (std::size_t c = 0; c < 16; ++c) {
            const float first = query[2 * s] * words[c];
            const float second = query[2 * s + 1] * words[16 + c];
            out[c] = first + second;
        }
        lows[s] = *std::min_element(out, out + 16);
        highs[s] = *std::max_element(out, out + 16);
    }
}

void quantize_tables(const float* products, const float* lows, std::size_t num_subspaces,
                     float scale, std::uint8_t* tables) {
    for (std::size_t i = 0; i < num_subspaces * 16; ++i) {
        tables[i] = static_cast<std::uint8_t>(std::lrintf((products[i] - lows[i / 16]) * scale));
    }
}

void score_centres(const CentreScores& arguments, float* scores) {
    for (std::size_t leaf = 0; leaf < arguments.num_blocks * kCentreBlock; ++leaf) {
        const std::uint8_t* block =
            arguments.centres + leaf / kCentreBlock * arguments.num_groups * kCodeLineBytes;
        std::int32_t dot = 0;
        for (std::size_t i = 0; i < arguments.num_groups * 4; ++i) {
            const int centre = block[i / 4 * kCodeLineBytes + leaf % kCentreBlock * 4 + i % 4];
            dot += (centre - 128) * arguments.query[i];
        }
        const float scaled =
            static_cast<float>(dot) * (arguments.query_scale * arguments.scales[leaf]);
        const float offset = arguments.offset_scale * arguments.offsets[leaf];
        scores[leaf] = scaled + offset;
    }
}

std::size_t count_floats_above(const float* scores, std::size_t n, float threshold) {
    return static_cast<std::size_t>(
        std::count_if(scores, scores + n, [&](float score) { return score > threshold; }));
}

std::size_t collect_floats_above(const float* scores, std::size_t n, float threshold,
                                 std::uint32_t* out) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (scores[i] > threshold) {
            out[count++] = static_cast<std::uint32_t>(i);
        }
    }
    return count;
}

void scan_segment(const std::uint8_t* tables, std::size_t num_lines, const CodeSegment& segment,
                  std::int32_t bias, std::int16_t* scores) {
    const std::size_t num_blocks = (segment.num_entries + kCodeBlock - 1) / kCodeBlock;
    for (std::size_t entry = 0; entry < num_blocks * kCodeBlock; ++entry) {
        if (entry >= segment.num_entries) {
            scores[entry] = kNoScore;
            continue;
        }
        const std::size_t lane = entry % kCodeBlock;
        const std::uint8_t* codes =
            segment.codes + entry / kCodeBlock * num_lines * kCodeLineBytes + lane % 16 * 4;
        std::int32_t sum = bias;
        for (std::size_t s = 0; s < num_lines * 4; ++s) {
            const unsigned byte = codes[s / 4 * kCodeLineBytes + s % 4];
            sum += tables[s * 16 + (lane < 16 ? byte & 15U : byte >> 4)];
        }
        scores[entry] = saturated(sum);
    }
}

void scan(const std::uint8_t* tables, std::size_t num_lines, const CodeSegment* segments,
          std::size_t num_segments, std::int16_t* scores) {
    for (std::size_t i = 0; i < num_segments; ++i) {
        scan_segment(tables, num_lines, segments[i], segments[i].bias, scores);
        scores += (segments[i].num_entries + kCodeBlock - 1) / kCodeBlock * kCodeBlock;
    }
}

void scan_shared(const std::uint8_t* const* tables, const std::int32_t* biases,
                 std::size_t num_queries, std::size_t num_lines, const CodeSegment& segment,
                 std::int16_t* const* scores) {
    for (std::size_t q = 0; q < num_queries; ++q) {
        scan_segment(tables[q], num_lines, segment, biases[q], scores[q]);
    }
}

void collect_shared(SharedQuery* queries, std::size_t num_queries, std::size_t num_lines,
                    const CodeSegment& segment, std::uint32_t first_entry) {
    for (std::size_t q = 0; q < num_queries; ++q) {
        SharedQuery& query = queries[q];
        query.count = 0;
        for (std::uint32_t entry = 0; entry < segment.num_entries; entry += kCodeBlock) {
            const CodeSegment block = {
                segment.codes + entry / kCodeBlock * num_lines * kCodeLineBytes,
                std::min<std::uint32_t>(kCodeBlock, segment.num_entries - entry), 0};
            std::int16_t scores[kCodeBlock];
            scan_segment(query.tables, num_lines, block, query.bias, scores);
            for (std::uint32_t lane = 0; lane < block.num_entries; ++lane) {
                if (scores[lane] > query.threshold) {
                    query.entries[query.count] = first_entry + entry + lane;
                    query.values[query.count++] = scores[lane];
                }
            }
        }
    }
}

void multiply_levels(const std::uint8_t* levels, std::size_t n, const std::int16_t* factors,
                     unsigned shift, std::int16_t* scores) {
    for (std::size_t i = 0; i < n; ++i) {
        if (scores[i] != kNoScore) {
            const std::int32_t product = scores[i] * (1 << shift) * factors[levels[i]];
            scores[i] = static_cast<std::int16_t>((product + (1 << 14)) >> 15);
        }
    }
}

void add_levels(const std::uint8_t* levels, std::size_t n, const std::int16_t* biases,
                std::int16_t* scores) {
    for (std::size_t i = 0; i < n; ++i) {
        if (scores[i] != kNoScore) {
            scores[i] = saturated(scores[i] + biases[levels[i]]);
        }
    }
}

void mask_scores(const std::uint64_t* bits, std::size_t first_bit, std::size_t n,
                 std::int16_t* scores) {
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t bit = first_bit + i;
        if ((bits[bit / 64] >> (bit % 64) & 1) == 0) {
            scores[i] = kNoScore;
        }
    }
}

void fold_scores(const std::int16_t* scores, std::size_t num_blocks, std::size_t num_groups,
                 std::int16_t* greatest) {
    const std::size_t size = num_groups * kCodeBlock;
    std::copy_n(scores, size, greatest);
    for (std::size_t i = size; i < num_blocks * kCodeBlock; ++i) {
        greatest[i % size] = std::max(greatest[i % size], scores[i]);
    }
}

std::int16_t max_score(const std::int16_t* scores, std::size_t num_blocks, std::size_t step) {
    std::int16_t greatest = kNoScore;
    for (std::size_t block = 0; block < num_blocks; block += step) {
        const std::int16_t* first = scores + block * kCodeBlock;
        greatest = std::max(greatest, *std::max_element(first, first + kCodeBlock));
    }
    return greatest;
}

std::size_t count_above(const std::int16_t* scores, std::size_t num_blocks, std::size_t step,
                        std::int16_t threshold) {
    std::size_t count = 0;
    for (std::size_t block = 0; block < num_blocks; block += step) {
        const std::int16_t* first = scores + block * kCodeBlock;
        count += static_cast<std::size_t>(std::count_if(
            first, first + kCodeBlock, [&](std::int16_t score) { return score > threshold; }));
    }
    return count;
}

std::size_t collect_above(const std::int16_t* scores, std::size_t num_blocks,
                          std::int16_t threshold, std::size_t capacity, std::uint32_t* entries,
                          std::int16_t* values, std::size_t* end_block) {
    std::size_t count = 0;
    std::size_t block = 0;
    for (; block < num_blocks && count + kCodeBlock <= capacity; ++block) {
        for (std::size_t i = block * kCodeBlock; i < (block + 1) * kCodeBlock; ++i) {
            if (scores[i] > threshold) {
                entries[count] = static_cast<std::uint32_t>(i);
                values[count] = scores[i];
                ++count;
            }
        }
    }
    *end_block = block;
    return count;
}

void dot_gathered(const std::int16_t* query, const std::uint8_t* rows, std::size_t row_bytes,
                  const std::uint32_t* positions, std::size_t n, std::int32_t* dots) {
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint8_t* row = rows + std::size_t{positions[i]} * row_bytes;
        std::int32_t dot = 0;
        for (std::size_t j = 0; j < row_bytes; ++j) {
            dot += query[j] * (row[j] - 128);
        }
        dots[i] = dot;
    }
}

}  // namespace

const CodesKernels& scalar_codes() {
    static constexpr CodesKernels kKernels = {
        .multiply_codebook = multiply_codebook,
        .quantize_tables = quantize_tables,
        .score_centres = score_centres,
        .count_floats_above = count_floats_above,
        .collect_floats_above = collect_floats_above,
        .scan = scan,
        .scan_shared = scan_shared,
        .collect_shared = collect_shared,
        .multiply_levels = multiply_levels,
        .add_levels = add_levels,
        .mask_scores = mask_scores,
        .fold_scores = fold_scores,
        .max_score = max_score,
        .count_above = count_above,
        .collect_above = collect_above,
        .dot_gathered = dot_gathered,
    };
    return kKernels;
}

}  // namespace segue::kernels
