#include "base/checksum.h"

#include <gtest/gtest.h>

#include <vector>

namespace segue {
namespace {

TEST(Checksum, is_xxh3_as_published) {
    // The value of the empty input in xxHash's documentation of XXH3_64bits with seed 0.
    EXPECT_EQ(to_hex(xxh3_64(std::string_view())), "2d06800538d394c2");
    const std::vector<std::byte> bytes = {std::byte{'a'}, std::byte{'b'}};
    EXPECT_EQ(xxh3_64(bytes), xxh3_64(std::string_view("ab")));
    EXPECT_NE(xxh3_64(std::string_view("ab")), xxh3_64(std::string_view("ba")));
}

TEST(Checksum, prints_sixteen_digits) {
    EXPECT_EQ(to_hex(0), "0000000000000000");
    EXPECT_EQ(to_hex(0x00F1A2B3C4D5E6F7), "00f1a2b3c4d5e6f7");
}

}  // namespace
}  // namespace segue
