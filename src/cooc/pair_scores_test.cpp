#include "cooc/pair_scores.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace segue {
namespace {

constexpr std::array<PairScore, 8> kAllScores = {
    PairScore::kConditional,
    PairScore::kCount,
    PairScore::kCosine,
    PairScore::kJaccard,
    PairScore::kLogLikelihoodRatio,
    PairScore::kNormalisedPmi,
    PairScore::kPmi,
    PairScore::kCoocPmi,
};

double score_of(PairScore score, const PairCounts& counts, const CountTotals& totals) {
    return score_pair({.score = score}, counts, totals);
}

TEST(PointwiseMutualInformation, gives_the_published_rows) {
    struct Row {
        double frequency1, frequency2, together, pmi, score;
    };
    constexpr std::array<Row, 5> kPublished = {{
        {1003, 927, 182, 8.602703, 1565.691987},
        {1159, 1666, 192, 7.625565, 1464.108474},
        {1313, 1094, 172, 7.893657, 1357.708924},
        {1025, 818, 144, 8.414000, 1211.615968},
        {1348, 1453, 161, 7.350933, 1183.500231},
    }};
    constexpr double kTotal = 1986008;
    for (const Row& row : kPublished) {
        EXPECT_NEAR(
            pointwise_mutual_information(row.together, row.frequency1, row.frequency2, kTotal),
            row.pmi, 1e-6);
        EXPECT_NEAR(score_of(PairScore::kCoocPmi,
                             {.together = row.together,
                              .frequency_own = row.frequency1,
                              .frequency_other = row.frequency2},
                             {.total_frequency = kTotal}),
                    row.score, 1e-6);
    }
}

TEST(PairScores, follow_their_formulas) {
    const PairCounts counts = {
        .together = 6, .weighted_together = 2.5, .frequency_own = 20, .frequency_other = 12};
    const CountTotals totals = {.total_frequency = 500, .num_groups = 100};
    EXPECT_NEAR(score_of(PairScore::kConditional, counts, totals),
                2.5 / (std::pow(20, .7) * std::pow(12, .4)), 1e-12);
    EXPECT_EQ(score_of(PairScore::kCount, counts, totals), 6);
    EXPECT_NEAR(score_pair({.score = PairScore::kCosine, .shrinkage = 10}, counts, totals),
                6 / (std::sqrt(240) + 10), 1e-12);
    EXPECT_NEAR(score_of(PairScore::kJaccard, counts, totals), 6.0 / 26, 1e-12);
    EXPECT_NEAR(score_of(PairScore::kPmi, counts, totals), std::log2(6.0 * 500 / 240), 1e-12);
    EXPECT_NEAR(score_of(PairScore::kCoocPmi, counts, totals), 6 * std::log2(6.0 * 500 / 240),
                1e-12);
    EXPECT_NEAR(score_of(PairScore::kNormalisedPmi, counts, totals),
                std::log2(6.0 * 100 / 240) / -std::log2(6.0 / 100), 1e-12);
}

TEST(PairScores, log_likelihood_ratio_is_the_sum_over_the_table_of_groups) {
    // 2 * sum of k * ln(k / expected), the textbook form of the same number.
    const auto textbook = [](double both, double own, double other, double num_groups) {
        const std::array<double, 4> seen = {both, own - both, other - both,
                                            num_groups - own - other + both};
        const std::array<double, 4> expected = {
            own * other / num_groups, own * (num_groups - other) / num_groups,
            (num_groups - own) * other / num_groups,
            (num_groups - own) * (num_groups - other) / num_groups};
        double sum = 0;
        for (std::size_t cell = 0; cell < 4; ++cell) {
            sum += seen[cell] > 0 ? seen[cell] * std::log(seen[cell] / expected[cell]) : 0;
        }
        return 2 * sum;
    };
    const auto llr = [](double both, double own, double other, double num_groups) {
        return score_of(PairScore::kLogLikelihoodRatio,
                        {.together = both, .frequency_own = own, .frequency_other = other},
                        {.total_frequency = 1, .num_groups = num_groups});
    };
    EXPECT_NEAR(llr(6, 20, 12, 100), textbook(6, 20, 12, 100), 1e-9);
    EXPECT_NEAR(llr(12, 12, 12, 100), textbook(12, 12, 12, 100), 1e-9);
    EXPECT_NEAR(llr(1, 50, 40, 100), -textbook(1, 50, 40, 100), 1e-9);  // less often than by chance
    EXPECT_NEAR(llr(10, 100, 10, 100), 0, 1e-9);
    const double large = textbook(300, 4000, 5000, 12e6);
    EXPECT_NEAR(llr(300, 4000, 5000, 12e6), large, 1e-6 * large);
}

TEST(PairScores, stay_finite_at_the_edges) {
    const CountTotals totals = {.total_frequency = 9, .num_groups = 3};
    const PairCounts always = {
        .together = 3, .weighted_together = 3, .frequency_own = 3, .frequency_other = 3};
    const PairCounts multiplied = {
        .together = 40, .weighted_together = 40, .frequency_own = 7, .frequency_other = 8};
    for (const PairScore score : kAllScores) {
        EXPECT_TRUE(std::isfinite(score_of(score, always, totals))) << name_of(score);
        EXPECT_TRUE(std::isfinite(score_of(score, multiplied, totals))) << name_of(score);
    }
    EXPECT_EQ(score_of(PairScore::kNormalisedPmi, always, totals), 1);
    EXPECT_EQ(score_of(PairScore::kJaccard, multiplied, totals), 1);
}

TEST(PairScorer, agrees_with_score_pair) {
    const std::vector<std::uint32_t> frequencies = {3, 70, 5000, 12, 0};
    const CountTotals totals = {.total_frequency = 5085, .num_groups = 5200};
    const std::vector<std::uint32_t> partners = {0, 1, 2};
    const std::vector<double> together = {2, 5, 4999};
    const std::vector<double> weighted = {0.25, 3.5, 700};
    const auto expect_agreement = [&](const PairScoreParams& params) {
        std::vector<double> scores(3);
        PairScorer(params, frequencies, totals).score_row(1, partners, together, weighted, scores);
        for (std::size_t place = 0; place < 3; ++place) {
            const double expected =
                score_pair(params,
                           {.together = together[place],
                            .weighted_together = weighted[place],
                            .frequency_own = 70,
                            .frequency_other = static_cast<double>(frequencies[partners[place]])},
                           totals);
            EXPECT_NEAR(scores[place], expected, 1e-9 * (1 + std::abs(expected)))
                << name_of(params.score);
        }
    };
    for (const PairScore score : kAllScores) {
        for (const double sharpness : {1.0, 1.7, 2.0, 2.5, 3.0}) {
            expect_agreement({.score = score, .shrinkage = 3, .sharpness = sharpness});
        }
    }
}

TEST(PairScores, are_sharpened_by_a_power_that_keeps_their_order) {
    const PairCounts counts = {
        .together = 6, .weighted_together = 2.5, .frequency_own = 20, .frequency_other = 12};
    const double plain = score_of(PairScore::kConditional, counts, {});
    for (const double sharpness : {0.5, 1.0, 2.0, 2.5, 3.0, 4.0}) {
        EXPECT_NEAR(score_pair({.sharpness = sharpness}, counts, {}), std::pow(plain, sharpness),
                    1e-12);
    }
}

TEST(PairScores, have_names_that_are_found_again) {
    for (const PairScore score : kAllScores) {
        const Result<PairScore> found = pair_score_by_name(name_of(score));
        ASSERT_TRUE(found.ok());
        EXPECT_EQ(*found, score);
    }
    const Result<PairScore> missing = pair_score_by_name("lift");
    ASSERT_FALSE(missing.ok());
    EXPECT_NE(missing.status().message().find("conditional"), std::string::npos);
}

TEST(PairScoreParams, refuse_what_is_out_of_range) {
    EXPECT_TRUE(PairScoreParams{}.validate().ok());
    EXPECT_FALSE(PairScoreParams{.own_exponent = 5}.validate().ok());
    EXPECT_FALSE(PairScoreParams{.other_exponent = std::nan("")}.validate().ok());
    EXPECT_FALSE(PairScoreParams{.group_exponent = -4.1}.validate().ok());
    EXPECT_FALSE(PairScoreParams{.shrinkage = -1}.validate().ok());
    EXPECT_FALSE(PairScoreParams{.sharpness = 0}.validate().ok());
    EXPECT_FALSE(PairScoreParams{.sharpness = std::nan("")}.validate().ok());
    EXPECT_FALSE(
        PairScoreParams{.shrinkage = std::numeric_limits<double>::infinity()}.validate().ok());
}

}  // namespace
}  // namespace segue
