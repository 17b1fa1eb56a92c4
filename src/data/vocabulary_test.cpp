#include "data/vocabulary.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_map>

#include "base/random.h"

namespace segue {
namespace {

std::string random_key(Random& random) {
    std::string key;
    for (std::uint64_t length = random.below(5); length > 0; --length) {
        key += static_cast<char>(random.below(256));
    }
    return key;
}

TEST(StringTable, keeps_strings_of_any_bytes_in_order) {
    StringTable table;
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(StringTableView().size(), 0u);
    const std::vector<std::string> texts = {"", "a", std::string("\0b", 2), "", "Björk"};
    for (const std::string& text : texts) {
        table.append(text);
    }
    ASSERT_EQ(table.size(), texts.size());
    for (std::size_t row = 0; row < texts.size(); ++row) {
        EXPECT_EQ(table[row], texts[row]);
        EXPECT_EQ(table.view()[row], texts[row]);
    }
}

TEST(Vocabulary, agrees_with_a_hash_map_over_many_inserts) {
    Random random(1);
    Vocabulary vocabulary;
    std::unordered_map<std::string, std::uint32_t> oracle;
    for (int round = 0; round < 30000; ++round) {
        const std::string key = random_key(random);
        const auto expected =
            oracle.emplace(key, static_cast<std::uint32_t>(oracle.size())).first->second;
        ASSERT_EQ(vocabulary.insert(key), expected);
    }
    ASSERT_EQ(vocabulary.size(), oracle.size());
    for (const auto& [key, row] : oracle) {
        EXPECT_EQ(vocabulary.find(key), row);
        EXPECT_EQ(vocabulary[row], key);
    }
    for (int round = 0; round < 3000; ++round) {
        const std::string key = random_key(random) + "longer";
        EXPECT_EQ(vocabulary.find(key).has_value(), oracle.count(key) != 0);
    }
}

TEST(Vocabulary, takes_a_key_that_is_its_own_memory) {
    Vocabulary vocabulary;
    for (int key = 0; key < 100; ++key) {
        vocabulary.insert("key " + std::to_string(key));
    }
    for (std::size_t row = 0; row < 100; ++row) {
        EXPECT_EQ(vocabulary.insert(vocabulary[row]), row);
    }
    EXPECT_EQ(vocabulary.size(), 100u);
}

TEST(Vocabulary, finds_nothing_when_empty) {
    EXPECT_EQ(Vocabulary().find(""), std::nullopt);
    EXPECT_EQ(KeyIndex().find({}, "a"), std::nullopt);
    EXPECT_EQ(KeyIndex(StringTableView()).find({}, "a"), std::nullopt);
}

TEST(KeyIndex, finds_every_key_of_a_table_and_the_first_of_equals) {
    Random random(2);
    StringTable table;
    std::unordered_map<std::string, std::uint32_t> first;
    for (std::uint32_t row = 0; row < 5000; ++row) {
        const std::string key = random_key(random);
        table.append(key);
        first.emplace(key, row);
    }
    const KeyIndex index(table.view());
    for (const auto& [key, row] : first) {
        EXPECT_EQ(index.find(table.view(), key), row);
    }
    EXPECT_EQ(index.find(table.view(), "not there"), std::nullopt);
}

TEST(KeyIndex, names_the_first_row_that_repeats_a_key) {
    for (const std::size_t repeat : {1u, 31u, 32u, 33u, 99u}) {
        StringTable table;
        for (std::size_t row = 0; row < 100; ++row) {
            table.append("key " + std::to_string(row == repeat ? repeat / 2 : row));
        }
        EXPECT_EQ(KeyIndex(table.view()).first_repeated(), repeat);
    }
    StringTable distinct;
    for (std::size_t row = 0; row < 100; ++row) {
        distinct.append(std::to_string(row));
    }
    EXPECT_EQ(KeyIndex(distinct.view()).first_repeated(), std::nullopt);
}

}  // namespace
}  // namespace segue
