#include "ingest/key_numbers.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "base/random.h"

namespace segue {
namespace {

TEST(KeyNumbers, whole_numbers_are_numbered_like_their_text) {
    Random random(1);
    KeyNumbers numbers;
    std::map<std::int64_t, std::uint32_t> oracle;
    for (int draw = 0; draw < 50000; ++draw) {
        std::int64_t key = static_cast<std::int64_t>(random.next());
        if (draw % 3 != 0) {
            key = static_cast<std::int64_t>(random.below(3000)) - 1500 +
                  (draw % 2) * ((1 << 22) - 100);
        }
        const auto expected =
            oracle.emplace(key, static_cast<std::uint32_t>(oracle.size())).first->second;
        ASSERT_EQ(numbers.number_of(key), expected);
        ASSERT_EQ(numbers.keys()[expected], std::to_string(key));
    }
    EXPECT_EQ(numbers.size(), oracle.size());
}

TEST(KeyNumbers, extremes_and_zero_first) {
    KeyNumbers numbers;
    EXPECT_EQ(numbers.number_of(std::int64_t{0}), 0u);
    EXPECT_EQ(numbers.number_of(std::numeric_limits<std::int64_t>::min()), 1u);
    EXPECT_EQ(numbers.number_of(std::numeric_limits<std::int64_t>::max()), 2u);
    EXPECT_EQ(numbers.number_of(std::int64_t{0}), 0u);
    EXPECT_EQ(numbers.keys()[1], "-9223372036854775808");
    EXPECT_EQ(numbers.keys()[2], "9223372036854775807");
}

TEST(KeyNumbers, text_is_numbered_by_first_appearance) {
    KeyNumbers numbers;
    EXPECT_EQ(numbers.number_of("b"), 0u);
    EXPECT_EQ(numbers.number_of("a"), 1u);
    EXPECT_EQ(numbers.number_of("a"), 1u);
    EXPECT_EQ(numbers.number_of("b"), 0u);
    EXPECT_EQ(numbers.size(), 2u);
}

}  // namespace
}  // namespace segue
