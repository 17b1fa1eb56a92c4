// What comes before and after a scan of codes: tables of a query, centres, rows scored exactly.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/codes_kernels.h"
#include "kernels/codes_test_support.h"

namespace segue::kernels {
namespace {

class CodesOfQueries : public CodesOfEveryTable {};
INSTANTIATE_TEST_SUITE_P(Levels, CodesOfQueries, every_supported_table(), name_of_table);

constexpr std::int32_t kGuard = 165;

TEST_P(CodesOfQueries, codebook_products_and_tables_are_the_same_bytes_at_every_level) {
    for (const std::size_t num_subspaces : {1, 2, 5, 16, 50}) {
        const AlignedBuffer<float> query = random_floats(num_subspaces * 2, 4);
        const AlignedBuffer<float> words = random_floats(num_subspaces * 32, 5);
        std::vector<float> products(num_subspaces * 16), lows(num_subspaces), highs(num_subspaces);
        codes().multiply_codebook(query.data(), words.data(), num_subspaces, products.data(),
                                  lows.data(), highs.data());
        float range = 0;
        for (std::size_t s = 0; s < num_subspaces; ++s) {
            for (std::size_t c = 0; c < 16; ++c) {
                const double exact =
                    static_cast<double>(query[2 * s]) * static_cast<double>(words[s * 32 + c]) +
                    static_cast<double>(query[2 * s + 1]) *
                        static_cast<double>(words[s * 32 + 16 + c]);
                EXPECT_NEAR(products[s * 16 + c], exact, 1e-6 * (1 + std::abs(exact) * 8));
            }
            const float* first = products.data() + s * 16;
            EXPECT_EQ(lows[s], *std::min_element(first, first + 16));
            EXPECT_EQ(highs[s], *std::max_element(first, first + 16));
            range = std::max(range, highs[s] - lows[s]);
        }
        std::vector<float> scalar_products(products.size());
        scalar_codes().multiply_codebook(query.data(), words.data(), num_subspaces,
                                         scalar_products.data(), lows.data(), highs.data());
        EXPECT_EQ(products, scalar_products);
        std::vector<std::uint8_t> tables(products.size()), scalar_tables(products.size());
        const float scale = kLargestLookup / range;
        codes().quantize_tables(products.data(), lows.data(), num_subspaces, scale, tables.data());
        scalar_codes().quantize_tables(products.data(), lows.data(), num_subspaces, scale,
                                       scalar_tables.data());
        EXPECT_EQ(tables, scalar_tables);
        EXPECT_EQ(*std::max_element(tables.begin(), tables.end()), kLargestLookup);
        EXPECT_EQ(*std::min_element(tables.begin(), tables.end()), 0);
    }
}

TEST_P(CodesOfQueries, centres_are_scored_as_plain_sums_of_integers) {
    for (const std::size_t num_groups : {1, 2, 16, 25, 1024}) {
        for (const std::size_t num_blocks : {0, 1, 3, 4, 9}) {
            const std::vector<std::uint8_t> centres = random_bytes(num_blocks * num_groups * 64, 6);
            const std::vector<std::uint8_t> query = random_bytes(num_groups * 4, 7);
            const AlignedBuffer<float> scales = random_floats(num_blocks * 16, 8);
            const AlignedBuffer<float> offsets = random_floats(num_blocks * 16, 9);
            const CentreScores arguments = {
                .centres = centres.data(),
                .num_blocks = num_blocks,
                .num_groups = num_groups,
                .query = reinterpret_cast<const std::int8_t*>(query.data()),
                .scales = scales.data(),
                .offsets = offsets.data(),
                .query_scale = 0.37F,
                .offset_scale = 0.5F};
            std::vector<float> scores(num_blocks * 16), scalar(num_blocks * 16);
            codes().score_centres(arguments, scores.data());
            scalar_codes().score_centres(arguments, scalar.data());
            EXPECT_EQ(scores, scalar);
            for (std::size_t leaf = 0; leaf < scores.size(); ++leaf) {
                double dot = 0;
                for (std::size_t i = 0; i < num_groups * 4; ++i) {
                    dot += (centres[(leaf / 16 * num_groups + i / 4) * 64 + leaf % 16 * 4 + i % 4] -
                            128.0) *
                           arguments.query[i];
                }
                const double exact = dot * 0.37 * static_cast<double>(scales[leaf]) +
                                     0.5 * static_cast<double>(offsets[leaf]);
                ASSERT_NEAR(scores[leaf], exact, 1e-6 * (std::abs(dot) + 1));
            }
        }
    }
}

TEST_P(CodesOfQueries, floats_above_a_threshold_are_counted_for_every_length) {
    for (std::size_t n = 0; n < 70; ++n) {
        const AlignedBuffer<float> scores = random_floats(n + 1, n);
        const float threshold = n == 0 ? 0 : scores[n / 2];
        const auto expected =
            std::count_if(scores.data(), scores.data() + n, [&](float s) { return s > threshold; });
        EXPECT_EQ(codes().count_floats_above(scores.data(), n, threshold), expected);
        std::vector<std::uint32_t> above(n + 1, 77);
        const std::size_t count =
            codes().collect_floats_above(scores.data(), n, threshold, above.data());
        ASSERT_EQ(count, expected);
        std::size_t next = 0;
        for (std::uint32_t i = 0; i < n; ++i) {
            if (scores[i] > threshold) {
                EXPECT_EQ(above[next++], i);
            }
        }
        EXPECT_EQ(above[n], 77);
    }
}

TEST_P(CodesOfQueries, gathered_rows_are_multiplied_exactly) {
    for (const std::size_t row_bytes : {16, 32, 64, 128, 192, 4096}) {
        constexpr std::size_t kRows = 50;
        std::vector<std::uint8_t> rows = random_bytes(kRows * row_bytes, 17);
        std::fill_n(rows.begin(), row_bytes, std::uint8_t{255});
        std::fill_n(rows.begin() + static_cast<std::ptrdiff_t>(row_bytes), row_bytes,
                    std::uint8_t{0});
        const auto limit =
            static_cast<std::int16_t>(std::min<std::size_t>(32639, 2147483647 / 255 / row_bytes));
        std::vector<std::int16_t> query =
            random_words(row_bytes, static_cast<std::int16_t>(-limit), limit, 18);
        for (const bool extreme : {false, true}) {
            if (extreme) {
                std::fill(query.begin(), query.end(), limit);
            }
            for (std::size_t n = 0; n <= 40; n = n < 3 ? n + 1 : n + 12) {
                std::vector<std::uint32_t> positions(n);
                Random random(n);
                for (std::size_t i = 0; i < n; ++i) {
                    positions[i] = static_cast<std::uint32_t>(i < 2 ? i : random.below(kRows));
                }
                std::vector<std::int32_t> dots(n + 1, kGuard);
                codes().dot_gathered(query.data(), rows.data(), row_bytes, positions.data(), n,
                                     dots.data());
                for (std::size_t i = 0; i < n; ++i) {
                    long dot = 0;
                    for (std::size_t j = 0; j < row_bytes; ++j) {
                        dot += query[j] * (rows[positions[i] * row_bytes + j] - 128L);
                    }
                    ASSERT_EQ(dots[i], dot);
                }
                EXPECT_EQ(dots[n], kGuard);
            }
        }
    }
}

}  // namespace
}  // namespace segue::kernels
