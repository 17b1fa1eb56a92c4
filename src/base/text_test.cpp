#include "base/text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace segue {
namespace {

std::string encoded(std::uint32_t code_point) {
    std::string text;
    const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (code_point < 0x80) {
        add(code_point);
    } else if (code_point < 0x800) {
        add(0xC0 | code_point >> 6);
        add(0x80 | (code_point & 63));
    } else if (code_point < 0x10000) {
        add(0xE0 | code_point >> 12);
        add(0x80 | (code_point >> 6 & 63));
        add(0x80 | (code_point & 63));
    } else {
        add(0xF0 | code_point >> 18);
        add(0x80 | (code_point >> 12 & 63));
        add(0x80 | (code_point >> 6 & 63));
        add(0x80 | (code_point & 63));
    }
    return text;
}

TEST(Text, utf8_accepts_every_code_point_but_surrogates) {
    for (std::uint32_t code_point = 0; code_point < 0x120000; code_point += 1 + code_point / 4096) {
        const bool valid = code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
        EXPECT_EQ(is_valid_utf8(encoded(code_point) + "y"), valid) << code_point;
    }
}

TEST(Text, utf8_accepts_no_short_or_long_sequence) {
    for (const std::uint32_t code_point : {0xE9u, 0x20ACu, 0x1F3B5u}) {
        const std::string text = encoded(code_point);
        for (std::size_t length = 1; length < text.size(); ++length) {
            EXPECT_FALSE(is_valid_utf8(text.substr(0, length)));
            EXPECT_FALSE(is_valid_utf8(text.substr(0, length) + "abc"));
            EXPECT_FALSE(is_valid_utf8(text.substr(length)));
        }
    }
    for (const char* const overlong : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
                                       "\xF4\x90\x80\x80", "\xFF", "\xF8\x88\x80\x80\x80"}) {
        EXPECT_FALSE(is_valid_utf8(overlong));
    }
}

TEST(Text, splits) {
    using Pieces = std::vector<std::string_view>;
    EXPECT_EQ(split_on_space(" a\tbc \r\n d "), (Pieces{"a", "bc", "d"}));
    EXPECT_EQ(split_on_space(" \n"), Pieces{});
    EXPECT_EQ(split("a,,b,", ','), (Pieces{"a", "", "b", ""}));
    EXPECT_EQ(split("", ','), Pieces{""});
}

TEST(Text, numbers_are_the_whole_text_or_nothing) {
    EXPECT_EQ(parse_double("0.25"), 0.25);
    EXPECT_EQ(parse_double("-1e3"), -1000);
    for (const char* const text : {"", " 1", "1 ", "1x", "nan", "inf", "1e999", "0x10", "+1"}) {
        EXPECT_EQ(parse_double(text), std::nullopt) << text;
    }
    EXPECT_EQ(parse_unsigned("18446744073709551615"), 18446744073709551615u);
    for (const char* const text : {"", "-1", "1.0", "18446744073709551616", " 1", "1e2"}) {
        EXPECT_EQ(parse_unsigned(text), std::nullopt) << text;
    }
}

std::size_t slow_distance(std::string_view left, std::string_view right) {
    if (left.empty() || right.empty()) {
        return left.size() + right.size();
    }
    const std::size_t changed =
        slow_distance(left.substr(1), right.substr(1)) + (left[0] == right[0] ? 0 : 1);
    return std::min({slow_distance(left.substr(1), right) + 1,
                     slow_distance(left, right.substr(1)) + 1, changed});
}

TEST(Text, edit_distance_equals_the_recursive_definition_up_to_its_limit) {
    EXPECT_EQ(edit_distance("kitten", "sitting", 10), 3u);
    Random random(3);
    const auto word = [&] {
        std::string text;
        for (std::uint64_t length = random.below(6); length > 0; --length) {
            text += static_cast<char>('a' + random.below(3));
        }
        return text;
    };
    for (int round = 0; round < 300; ++round) {
        const std::string left = word();
        const std::string right = word();
        const std::size_t exact = slow_distance(left, right);
        for (std::size_t limit = 0; limit < 7; ++limit) {
            EXPECT_EQ(edit_distance(left, right, limit), std::min(exact, limit + 1));
        }
    }
}

TEST(Text, shortens_to_whole_characters) {
    EXPECT_EQ(shortened(""), "");
    EXPECT_EQ(shortened("exact", 5), "exact");
    EXPECT_EQ(shortened("longer", 5), "longe…");
    EXPECT_EQ(shortened("abc", 0), "…");
    const std::string text = "aé音😀b";
    const std::vector<std::size_t> ends = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
    for (std::size_t limit = 0; limit < text.size(); ++limit) {
        EXPECT_EQ(shortened(text, limit), text.substr(0, ends[limit]) + "…") << limit;
    }
    const std::string start(kQuotedBytes, 'x');
    EXPECT_EQ(shortened(std::string(3'000'000, 'x')), start + "…");
    EXPECT_LE(shortened(std::string(1000, '\x80')).size(), kQuotedBytes + 3);
}

TEST(Text, lowers_ascii_alone_and_groups_digits) {
    EXPECT_EQ(to_lower_ascii("AbZ[Ä"), "abz[Ä");
    EXPECT_EQ(with_commas(0), "0");
    EXPECT_EQ(with_commas(999), "999");
    EXPECT_EQ(with_commas(1000), "1,000");
    EXPECT_EQ(with_commas(1234567), "1,234,567");
}

}  // namespace
}  // namespace segue
