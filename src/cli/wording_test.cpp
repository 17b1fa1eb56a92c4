#include "cli/wording.h"

#include <gtest/gtest.h>

#include "cli/text_table.h"

namespace segue::cli {
namespace {

TEST(Wording, names_the_nearest_word_and_none_far_away) {
    const std::vector<std::string_view> words = {"item", "group", "min-item-frequency", "k"};
    EXPECT_EQ(nearest_word("itme", words), "item");
    EXPECT_EQ(nearest_word("ITEM", words), "item");
    EXPECT_EQ(nearest_word("grp", words), "group");
    EXPECT_EQ(nearest_word("min-item", words), "min-item-frequency");
    EXPECT_EQ(nearest_word("zebra", words), "");
    EXPECT_EQ(nearest_word("", words), "");
}

TEST(Wording, names_the_first_of_many_words) {
    EXPECT_EQ(named({}), "");
    const std::vector<std::string> two = {"a", std::string(1000, 'b')};
    EXPECT_EQ(named(two), "a, " + std::string(60, 'b') + "…");
    EXPECT_EQ(named(two, 1002), "a, " + std::string(60, 'b') + "… and 1,000 more");
    EXPECT_EQ(named(std::vector<std::string>(12, "x")), "x, x, x, x, x, x, x, x, x, x and 2 more");
}

TEST(Wording, counts_columns_as_a_terminal_does) {
    EXPECT_EQ(display_width("plain"), 5U);
    EXPECT_EQ(display_width("Björk"), 5U);
    EXPECT_EQ(display_width("音楽"), 4U);
    EXPECT_EQ(display_width("e\u0301"), 1U);
    EXPECT_EQ(display_width("\xff\xfe"), 2U);
    EXPECT_EQ(clipped("音楽です", 5), "音楽…");
    EXPECT_EQ(clipped("音楽", 4), "音楽");
    EXPECT_EQ(clipped("abc", 0), "");
}

TEST(Wording, makes_any_bytes_one_safe_line) {
    EXPECT_EQ(printable("a\nb\x1b[2J"), "a\\x0ab\\x1b[2J");
    EXPECT_EQ(printable("Sigur Rós"), "Sigur Rós");
    EXPECT_EQ(printable("\xc3"), "\xEF\xBF\xBD");
    EXPECT_EQ(printable("\u202egnp"), "\\x202egnp");
}

TEST(Wording, shortens_numbers) {
    EXPECT_EQ(seconds_text(0.021), "0.02 s");
    EXPECT_EQ(seconds_text(59.94), "59.9 s");
    EXPECT_EQ(seconds_text(125), "2 min 05 s");
    EXPECT_EQ(bytes_text(812), "812 B");
    EXPECT_EQ(bytes_text(3.14e6), "3.1 MB");
}

TEST(TextTable, lines_up_columns_of_any_script) {
    TextTable table({{"title", TextTable::Align::kLeft}, {"n", TextTable::Align::kRight}});
    table.add_row({"音楽", "1"});
    table.add_row({"plain", "1,234"});
    EXPECT_EQ(table.text(),
              "title      n\n"
              "音楽       1\n"
              "plain  1,234\n");
}

}  // namespace
}  // namespace segue::cli
