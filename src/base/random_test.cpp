#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

namespace segue {
namespace {

TEST(Random, split_mix64_gives_the_published_sequence) {
    // The first values for seed 1234567 of the reference program (Vigna, splitmix64.c).
    std::uint64_t state = 1234567;
    EXPECT_EQ(split_mix64(state), 6457827717110365317u);
    EXPECT_EQ(split_mix64(state), 3203168211198807973u);
    EXPECT_EQ(split_mix64(state), 9817491932198370423u);
}

TEST(Random, same_seed_and_stream_give_the_same_numbers_and_others_differ) {
    std::set<std::uint64_t> first_values;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        for (std::uint64_t stream = 0; stream < 100; ++stream) {
            Random one(seed, stream);
            Random two(seed, stream);
            const std::uint64_t value = one.next();
            EXPECT_EQ(value, two.next());
            first_values.insert(value);
        }
    }
    EXPECT_EQ(first_values.size(), 1000u);
}

TEST(Random, below_takes_every_value_equally_often) {
    Random random(5);
    std::array<int, 7> counts{};
    constexpr int kDraws = 70000;
    for (int draw = 0; draw < kDraws; ++draw) {
        const std::uint64_t value = random.below(7);
        ASSERT_LT(value, 7u);
        ++counts[value];
    }
    double chi_square = 0;
    for (const int count : counts) {
        chi_square += std::pow(count - kDraws / 7, 2) / (kDraws / 7.0);
    }
    EXPECT_LT(chi_square, 22.46);  // 0.1 % of fair dice exceed it at 6 degrees of freedom
    EXPECT_EQ(random.below(1), 0u);
    EXPECT_LT(random.below((std::uint64_t{1} << 63) + 1), (std::uint64_t{1} << 63) + 1);
}

TEST(Random, uniform_and_normal_have_their_moments) {
    Random random(11);
    double sum = 0;
    double normal_sum = 0;
    double normal_squares = 0;
    constexpr int kDraws = 100000;
    for (int draw = 0; draw < kDraws; ++draw) {
        const double value = random.uniform();
        ASSERT_GE(value, 0);
        ASSERT_LT(value, 1);
        sum += value;
        const double normal = random.normal();
        ASSERT_TRUE(std::isfinite(normal));
        normal_sum += normal;
        normal_squares += normal * normal;
    }
    EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
    EXPECT_NEAR(normal_sum / kDraws, 0, 0.015);
    EXPECT_NEAR(normal_squares / kDraws, 1, 0.02);
}

}  // namespace
}  // namespace segue
