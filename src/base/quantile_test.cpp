#include "base/quantile.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace segue {
namespace {

TEST(Quantile, is_a_value_or_between_two) {
    const std::vector<std::int64_t> values = {10, 20, 30, 40, 50};
    EXPECT_EQ(quantile(values, 0), 10);
    EXPECT_EQ(quantile(values, 0.5), 30);
    EXPECT_EQ(quantile(values, 1), 50);
    EXPECT_DOUBLE_EQ(quantile(values, 0.25), 20);
    EXPECT_DOUBLE_EQ(quantile(values, 0.99), 49.6);
    EXPECT_EQ(quantile(std::vector<float>{1, 2}, 0.5), 1.5);
}

TEST(Quantile, of_one_value_is_that_and_of_nothing_0) {
    EXPECT_EQ(quantile(std::vector<float>{7}, 0.99), 7);
    EXPECT_EQ(quantile(std::vector<float>(), 0.5), 0);
}

}  // namespace
}  // namespace segue
