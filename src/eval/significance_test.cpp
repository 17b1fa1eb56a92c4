#include "eval/significance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace segue {
namespace {

/// Values of `num_groups` groups: what they share, and noise of each recipe's own around `gain`.
std::vector<std::vector<double>> noisy_values(std::size_t num_groups,
                                              const std::vector<double>& gains) {
    std::vector<std::vector<double>> values(gains.size());
    Random random(3);
    for (std::size_t group = 0; group < num_groups; ++group) {
        const double shared = random.normal();
        for (std::size_t row = 0; row < gains.size(); ++row) {
            values[row].push_back(shared + gains[row] + 0.1 * random.normal());
        }
    }
    return values;
}

std::vector<PairedDifference> bootstrap(const std::vector<std::vector<double>>& values,
                                        std::size_t reference, unsigned num_threads = 2) {
    ThreadPool pool(num_threads);
    const auto differences = paired_bootstrap(values, reference, {}, pool);
    EXPECT_TRUE(differences.ok()) << differences.status().message();
    return *differences;
}

TEST(PairedBootstrap, tells_apart_what_differs_and_ties_what_does_not) {
    const auto differences = bootstrap(noisy_values(400, {0, 0, -0.05}), 0);
    EXPECT_EQ(differences[0].mean, 0);
    EXPECT_EQ(differences[0].low, 0);
    EXPECT_TRUE(differences[0].is_tie());
    EXPECT_TRUE(differences[1].is_tie());
    EXPECT_FALSE(differences[2].is_tie());
    EXPECT_LT(differences[2].high, 0);
}

TEST(PairedBootstrap, has_the_width_of_the_normal_interval_where_that_holds) {
    const std::vector<std::vector<double>> values = noisy_values(900, {0, 0.02});
    const PairedDifference difference = bootstrap(values, 0)[1];
    double sum = 0;
    double squares = 0;
    for (std::size_t group = 0; group < values[0].size(); ++group) {
        const double d = values[1][group] - values[0][group];
        sum += d;
        squares += d * d;
    }
    const double n = 900;
    const double error = std::sqrt((squares / n - (sum / n) * (sum / n)) / n);
    EXPECT_NEAR(difference.mean, sum / n, 1e-12);
    EXPECT_NEAR(difference.high - difference.low, 2 * 1.96 * error, 0.1 * 4 * error);
    EXPECT_NEAR((difference.high + difference.low) / 2, difference.mean, 0.3 * error);
}

TEST(PairedBootstrap, is_the_same_for_any_number_of_threads) {
    const std::vector<std::vector<double>> values = noisy_values(100, {0, 0.01, 0.02});
    const auto one = bootstrap(values, 2, 1);
    const auto three = bootstrap(values, 2, 3);
    for (std::size_t row = 0; row < one.size(); ++row) {
        EXPECT_EQ(one[row].low, three[row].low);
        EXPECT_EQ(one[row].high, three[row].high);
    }
}

TEST(PairedBootstrap, refuses_rows_of_different_lengths_and_empty_ones) {
    ThreadPool pool(1);
    EXPECT_FALSE(paired_bootstrap(std::vector<std::vector<double>>{{1, 2}, {1}}, 0, {}, pool).ok());
    EXPECT_FALSE(paired_bootstrap(std::vector<std::vector<double>>{{}, {}}, 0, {}, pool).ok());
    EXPECT_FALSE(
        paired_bootstrap(std::vector<std::vector<double>>{{1}}, 0, {.num_resamples = 2}, pool)
            .ok());
    EXPECT_FALSE(
        paired_bootstrap(std::vector<std::vector<double>>{{1}}, 0, {.confidence = 1}, pool).ok());
}

TEST(GroupValuesOf, takes_one_metric_out_of_the_rows) {
    Judgement judgement;
    judgement.num_groups = 2;
    judgement.group_metric_names = {"recall@20", "mrr"};
    judgement.group_values = {1, 2, 3, 4};
    EXPECT_EQ(group_values_of(judgement, "mrr"), (std::vector<double>{2, 4}));
    EXPECT_TRUE(group_values_of(judgement, "ndcg@20").empty());
}

}  // namespace
}  // namespace segue
