#include "recommend/text_search.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace segue {
namespace {

StringTable table_of(const std::vector<std::string>& texts) {
    StringTable table;
    for (const std::string& text : texts) {
        table.append(text);
    }
    return table;
}

std::vector<std::uint32_t> rows_of(const std::vector<TextMatch>& matches) {
    std::vector<std::uint32_t> rows;
    for (const TextMatch& match : matches) {
        rows.push_back(match.row);
    }
    return rows;
}

using Rows = std::vector<std::uint32_t>;

TEST(TextSearch, equal_texts_ignore_ascii_case_and_come_most_frequent_first) {
    const StringTable texts = table_of({"Hello", "HELLO", "hello!", "other", "hellO"});
    const std::vector<std::uint32_t> frequencies = {2, 9, 50, 1, 2};
    EXPECT_EQ(rows_of(find_equal_texts(texts.view(), "hello", frequencies)), (Rows{1, 0, 4}));
}

TEST(TextSearch, an_empty_text_finds_nothing_even_among_empty_texts) {
    const StringTable texts = table_of({"", "a", ""});
    EXPECT_TRUE(find_equal_texts(texts.view(), "", {}).empty());
    EXPECT_TRUE(find_near_texts(texts.view(), "", {}, 10).empty());
    EXPECT_TRUE(find_near_texts(texts.view(), "a", {}, 0).empty());
    EXPECT_TRUE(find_near_texts(StringTableView(), "a", {}, 5).empty());
}

TEST(TextSearch, containing_texts_come_before_misspelt_ones) {
    const StringTable texts =
        table_of({"Yesterdai", "Yesterday Once More", "yesterday (live)", "Yesterday", "Help"});
    const std::vector<std::uint32_t> frequencies = {100, 3, 7, 50, 90};
    const auto matches = find_near_texts(texts.view(), "YESTERDAY", frequencies, 10);
    EXPECT_EQ(rows_of(matches), (Rows{2, 1, 0}));
    EXPECT_EQ(matches[0].distance, 7u);
    EXPECT_EQ(matches[2].distance, 1u);
}

TEST(TextSearch, misspelt_texts_come_nearest_first_and_only_to_a_bound) {
    const StringTable texts =
        table_of({"jalane", "jolen", "jolenes sister and more", "joleme", "totally different"});
    EXPECT_EQ(rows_of(find_near_texts(texts.view(), "jolene", {}, 10)), (Rows{2, 1, 3, 0}));
    EXPECT_EQ(rows_of(find_near_texts(texts.view(), "jolene", {}, 2)), (Rows{2, 1}));
}

TEST(TextSearch, the_letter_filter_never_loses_a_text_within_the_limit) {
    // Every text over four letters up to length 5 against an unfiltered scan.
    StringTable texts;
    std::vector<std::string> all = {""};
    for (std::size_t begin = 0, length = 0; length < 5; ++length) {
        const std::size_t end = all.size();
        for (; begin < end; ++begin) {
            for (const char letter : {'a', 'b', '!', 'Z'}) {
                all.push_back(all[begin] + letter);
            }
        }
    }
    for (const std::string& text : all) {
        texts.append(text);
    }
    for (const std::string asked : {"abab", "zz!ba", "b"}) {
        const std::size_t limit = (asked.size() + 3) / 4;
        std::size_t expected = 0;
        for (const std::string& text : all) {
            const std::string lowered = to_lower_ascii(text);
            const bool contains = lowered.find(asked) != std::string::npos;
            const bool near = edit_distance(asked, lowered, limit) <= limit;
            expected += lowered != asked && (contains || near) ? 1 : 0;
        }
        EXPECT_EQ(find_near_texts(texts.view(), asked, {}, all.size()).size(), expected) << asked;
    }
}

}  // namespace
}  // namespace segue
