#include "cooc/score_defaults.h"

#include <gtest/gtest.h>

#include "cooc/cooc_test_tables.h"

namespace segue {
namespace {

TEST(MeanSupport, is_the_mean_count_of_pairs_that_have_one) {
    for (const std::uint32_t window : {0u, 3u}) {
        const RandomTable table = random_table(51, 200, 90, 20, false);
        const CountOptions options = {.window = window};
        double together = 0;
        double num_pairs = 0;
        for (const auto& [pair, sums] : brute_force_counts(table.input(), options)) {
            together += sums.together;
            num_pairs += 1;
        }
        const auto support = mean_support(table.input(), options);
        ASSERT_TRUE(support.ok());
        EXPECT_DOUBLE_EQ(*support, together / num_pairs);
    }
}

TEST(MeanSupport, of_nothing_is_zero) {
    EXPECT_EQ(*mean_support({table_of(0, {}).view(), {}}, {}), 0);
    EXPECT_EQ(*mean_support({table_of(3, {{0}, {1}}).view(), {}}, {}), 0);
    EXPECT_FALSE(mean_support({table_of(3, {{0, 1}}).view(), {}}, {.window = 1}).ok());
}

TEST(Sharpness, grows_with_support_in_steps_between_one_and_three) {
    EXPECT_EQ(sharpness_for(0), 1);
    EXPECT_EQ(sharpness_for(2.3), 1);
    EXPECT_EQ(sharpness_for(3), 1.5);
    EXPECT_EQ(sharpness_for(5.6), 3);
    EXPECT_EQ(sharpness_for(400), 3);
}

}  // namespace
}  // namespace segue
