// Scans of codes, and what is done with the scores that come of them.

#include "kernels/codes_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/codes_test_support.h"

namespace segue::kernels {
namespace {

class Codes : public CodesOfEveryTable {};
INSTANTIATE_TEST_SUITE_P(Levels, Codes, every_supported_table(), name_of_table);

/// With the greatest lookup there is among them.
std::vector<std::uint8_t> random_tables(std::size_t count, std::uint64_t seed) {
    std::vector<std::uint8_t> tables = random_bytes(count, seed);
    for (std::uint8_t& element : tables) {
        element = static_cast<std::uint8_t>(element / 2 > 100 ? kLargestLookup : element / 2);
    }
    return tables;
}

/// The score of one entry, from the description of the layout.
int score_of(const std::vector<std::uint8_t>& tables, std::size_t num_lines,
             const std::uint8_t* codes, std::size_t entry, int bias) {
    const std::size_t lane = entry % 32;
    long sum = bias;
    for (std::size_t s = 0; s < num_lines * 4; ++s) {
        const std::uint8_t byte =
            codes[(entry / 32 * num_lines + s / 4) * 64 + lane % 16 * 4 + s % 4];
        sum += tables[s * 16 + (lane < 16 ? byte % 16 : byte / 16)];
    }
    return static_cast<int>(std::clamp(sum, -32767L, 32767L));
}

TEST_P(Codes, scan_adds_the_lookups_of_every_entry_to_the_bias_of_its_segment) {
    for (const std::size_t num_lines : {1, 2, 3, 8, 13, 16, 127, 128, 129, 512}) {
        const std::vector<std::uint8_t> tables = random_tables(num_lines * 64, 1);
        const std::vector<std::uint32_t> sizes = {0, 1, 31, 32, 33, 0, 64, 95, 200, 0};
        const std::vector<std::int32_t> biases = {5,      -9000,  0,          32000, -32768,
                                                  -70000, 100000, 1073741824, -3,    0};
        std::vector<std::vector<std::uint8_t>> leaves;
        std::vector<CodeSegment> segments;
        std::size_t num_blocks = 0;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const std::size_t blocks = (sizes[i] + 31) / 32;
            leaves.push_back(random_bytes(blocks * num_lines * 64, 2 + i));
            num_blocks += blocks;
        }
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            segments.push_back({leaves[i].data(), sizes[i], biases[i]});
        }
        std::vector<std::int16_t> scores(num_blocks * 32 + 1, 77);
        codes().scan(tables.data(), num_lines, segments.data(), segments.size(), scores.data());
        std::size_t at = 0;
        for (const CodeSegment& segment : segments) {
            for (std::size_t entry = 0; entry < (segment.num_entries + 31) / 32 * 32; ++entry) {
                const int expected =
                    entry < segment.num_entries
                        ? score_of(tables, num_lines, segment.codes, entry, segment.bias)
                        : kNoScore;
                ASSERT_EQ(scores[at], expected) << num_lines << " lines, entry " << entry;
                ++at;
            }
        }
        EXPECT_EQ(scores[at], 77);
    }
}

TEST_P(Codes, queries_that_share_a_scan_get_what_each_gets_alone) {
    for (const std::size_t num_lines : {1, 4, 13, 130}) {
        for (const std::uint32_t num_entries : {0U, 1U, 32U, 45U, 1000U}) {
            const std::vector<std::uint8_t> leaf =
                random_bytes((num_entries + 31) / 32 * num_lines * 64, 3);
            for (std::size_t num_queries = 1; num_queries <= kMaxSharedQueries; ++num_queries) {
                std::vector<std::vector<std::uint8_t>> tables;
                std::vector<std::vector<std::int16_t>> found, alone;
                const std::int32_t biases[] = {-5000, 17, 30000, -40000};
                const std::uint8_t* table_pointers[kMaxSharedQueries] = {};
                std::int16_t* score_pointers[kMaxSharedQueries] = {};
                for (std::size_t q = 0; q < num_queries; ++q) {
                    tables.push_back(random_tables(num_lines * 64, 10 + q));
                    found.emplace_back((num_entries + 31) / 32 * 32);
                    alone.emplace_back((num_entries + 31) / 32 * 32);
                }
                for (std::size_t q = 0; q < num_queries; ++q) {
                    table_pointers[q] = tables[q].data();
                    score_pointers[q] = found[q].data();
                    const CodeSegment segment = {leaf.data(), num_entries, biases[q]};
                    scalar_codes().scan(tables[q].data(), num_lines, &segment, 1, alone[q].data());
                }
                codes().scan_shared(table_pointers, biases, num_queries, num_lines,
                                    {leaf.data(), num_entries, 0}, score_pointers);
                EXPECT_EQ(found, alone);
                SharedQuery queries[kMaxSharedQueries];
                std::vector<std::vector<std::uint32_t>> entries(num_queries);
                std::vector<std::vector<std::int16_t>> values(num_queries);
                for (std::size_t q = 0; q < num_queries; ++q) {
                    entries[q].resize(num_entries + 1, 77);
                    values[q].resize(num_entries + 1, 77);
                    const std::int16_t threshold =
                        num_entries == 0 || q == 3 ? kNoScore : alone[q][num_entries / 2];
                    queries[q] = {.tables = tables[q].data(),
                                  .bias = biases[q],
                                  .threshold = threshold,
                                  .entries = entries[q].data(),
                                  .values = values[q].data()};
                }
                codes().collect_shared(queries, num_queries, num_lines,
                                       {leaf.data(), num_entries, 0}, 1000);
                for (std::size_t q = 0; q < num_queries; ++q) {
                    std::size_t next = 0;
                    for (std::uint32_t i = 0; i < num_entries; ++i) {
                        if (alone[q][i] > queries[q].threshold) {
                            ASSERT_LT(next, queries[q].count);
                            EXPECT_EQ(entries[q][next], 1000 + i);
                            EXPECT_EQ(values[q][next], alone[q][i]);
                            ++next;
                        }
                    }
                    EXPECT_EQ(queries[q].count, next);
                    EXPECT_EQ(entries[q][num_entries], 77);
                    EXPECT_EQ(values[q][num_entries], 77);
                }
            }
        }
    }
}

TEST_P(Codes, levels_multiply_and_move_scores_and_leave_entries_without_one) {
    const std::vector<std::int16_t> factors = random_words(kNumLevels, 0, 32767, 11);
    const std::vector<std::int16_t> biases = random_words(kNumLevels, -32768, 32767, 12);
    for (std::size_t n = 0; n < 140; ++n) {
        const std::vector<std::uint8_t> levels = random_bytes(n, 13 + n);
        for (const unsigned shift : {0U, 3U}) {
            const auto limit = static_cast<std::int16_t>(32767 >> shift);
            std::vector<std::int16_t> scores =
                random_words(n + 1, static_cast<std::int16_t>(-limit), limit, 14 + n);
            for (std::size_t i = 0; i < n; i += 5) {
                scores[i] = kNoScore;
            }
            std::vector<std::int16_t> multiplied = scores;
            codes().multiply_levels(levels.data(), n, factors.data(), shift, multiplied.data());
            std::vector<std::int16_t> moved = scores;
            codes().add_levels(levels.data(), n, biases.data(), moved.data());
            for (std::size_t i = 0; i < n; ++i) {
                if (scores[i] == kNoScore) {
                    EXPECT_EQ(multiplied[i], kNoScore);
                    EXPECT_EQ(moved[i], kNoScore);
                    continue;
                }
                const double product =
                    std::ldexp(scores[i], static_cast<int>(shift)) * factors[levels[i]] / 32768;
                EXPECT_EQ(multiplied[i], std::floor(product + 0.5));
                EXPECT_EQ(moved[i], std::clamp(scores[i] + biases[levels[i]], -32767, 32767));
            }
            EXPECT_EQ(multiplied[n], scores[n]);
            EXPECT_EQ(moved[n], scores[n]);
        }
    }
}

TEST_P(Codes, masks_take_scores_away_from_any_bit_on) {
    Random random(15);
    std::vector<std::uint64_t> bits(8);
    for (std::uint64_t& word : bits) {
        word = random.next();
    }
    for (std::size_t first_bit = 0; first_bit < 130; ++first_bit) {
        for (const std::size_t n : {0, 1, 31, 32, 33, 64, 100, 300}) {
            std::vector<std::int16_t> scores(n + 1, 5);
            codes().mask_scores(bits.data(), first_bit, n, scores.data());
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t bit = first_bit + i;
                ASSERT_EQ(scores[i], (bits[bit / 64] >> (bit % 64) & 1) != 0 ? 5 : kNoScore);
            }
            EXPECT_EQ(scores[n], 5);
        }
    }
}

TEST_P(Codes, the_greatest_scores_of_groups_of_blocks_are_found) {
    for (const std::size_t num_blocks : {1, 2, 7, 40}) {
        const std::vector<std::int16_t> scores =
            random_words(num_blocks * 32, -32768, 32767, 40 + num_blocks);
        for (std::size_t num_groups = 1; num_groups <= num_blocks; num_groups += 3) {
            const std::size_t size = num_groups * 32;
            std::vector<std::int16_t> expected(scores.begin(), scores.begin() + size);
            for (std::size_t i = 0; i < scores.size(); ++i) {
                expected[i % size] = std::max(expected[i % size], scores[i]);
            }
            std::vector<std::int16_t> greatest(size + 1, 9);
            codes().fold_scores(scores.data(), num_blocks, num_groups, greatest.data());
            EXPECT_EQ(greatest.back(), 9);
            greatest.pop_back();
            EXPECT_EQ(greatest, expected);
        }
    }
}

TEST_P(Codes, the_best_scores_are_counted_and_collected) {
    for (const std::size_t num_blocks : {0, 1, 2, 7, 40}) {
        const std::vector<std::int16_t> scores =
            random_words(num_blocks * 32, -32768, 32767, 16 + num_blocks);
        for (const std::size_t step : {1, 3, 50}) {
            std::vector<std::int16_t> looked_at;
            for (std::size_t block = 0; block < num_blocks; block += step) {
                looked_at.insert(looked_at.end(), scores.begin() + block * 32,
                                 scores.begin() + (block + 1) * 32);
            }
            const auto greatest = std::max_element(looked_at.begin(), looked_at.end());
            EXPECT_EQ(codes().max_score(scores.data(), num_blocks, step),
                      greatest == looked_at.end() ? kNoScore : *greatest);
            for (const std::int16_t threshold : {kNoScore, std::int16_t{-1}, std::int16_t{30000}}) {
                EXPECT_EQ(codes().count_above(scores.data(), num_blocks, step, threshold),
                          std::count_if(looked_at.begin(), looked_at.end(),
                                        [&](std::int16_t score) { return score > threshold; }));
            }
        }
        for (const std::size_t capacity : {std::size_t{32}, num_blocks * 32 + 32}) {
            std::vector<std::uint32_t> entries(capacity + 1, 9);
            std::vector<std::int16_t> values(capacity + 1, 9);
            std::size_t end = 99;
            const std::size_t count = codes().collect_above(
                scores.data(), num_blocks, -2000, capacity, entries.data(), values.data(), &end);
            std::size_t expected = 0;
            for (std::size_t i = 0; i < end * 32; ++i) {
                if (scores[i] > -2000) {
                    ASSERT_LT(expected, count);
                    EXPECT_EQ(entries[expected], i);
                    EXPECT_EQ(values[expected], scores[i]);
                    ++expected;
                }
            }
            EXPECT_EQ(count, expected);
            EXPECT_TRUE(end == num_blocks || count + 32 > capacity);
            EXPECT_EQ(entries[capacity], 9);
        }
    }
}

}  // namespace
}  // namespace segue::kernels
