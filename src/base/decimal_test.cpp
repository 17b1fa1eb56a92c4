#include "base/decimal.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "base/random.h"

namespace segue {
namespace {

std::string written(float number) {
    char text[kMostFloatChars];
    return {text, write_decimal(number, text)};
}

std::string expected(float number) {
    char text[kMostFloatChars];
    return {text, std::to_chars(text, text + sizeof(text), number).ptr};
}

TEST(Decimal, writes_what_the_standard_library_writes) {
    Random random(3);
    for (int draw = 0; draw < 300'000; ++draw) {
        const auto bits = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32U));
        const auto number = std::bit_cast<float>(bits);
        if (std::isfinite(number)) {
            ASSERT_EQ(written(number), expected(number)) << bits;
        }
        const auto score = static_cast<float>(random.uniform() * 3 - 1.5);
        ASSERT_EQ(written(score), expected(score));
    }
}

TEST(Decimal, writes_decimals_that_are_short_and_those_beside_them) {
    for (int number = -70'000; number <= 70'000; ++number) {
        for (const float scale : {1.0F, 10.0F, 1000.0F, 65536.0F}) {
            const float value = static_cast<float>(number) / scale;
            ASSERT_EQ(written(value), expected(value)) << value;
            const float next = std::nextafter(value, 1e9F);
            ASSERT_EQ(written(next), expected(next)) << next;
        }
    }
}

TEST(Decimal, writes_powers_of_two_and_their_neighbours) {
    for (int exponent = -149; exponent < 128; ++exponent) {
        const float power = std::ldexp(1.0F, exponent);
        for (const float value : {std::nextafter(power, 0.0F), power, -power,
                                  std::nextafter(power, std::numeric_limits<float>::max())}) {
            ASSERT_EQ(written(value), expected(value)) << exponent;
        }
    }
    EXPECT_EQ(written(0.0F), "0");
    EXPECT_EQ(written(-0.0F), "-0");
}

}  // namespace
}  // namespace segue
