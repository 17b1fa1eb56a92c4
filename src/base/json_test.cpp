#include <gtest/gtest.h>

#include <cmath>

#include "base/json_reader.h"
#include "base/json_writer.h"

namespace segue {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

TEST(JsonWriter, takes_parts_that_are_written_already) {
    JsonWriter json;
    json.begin_object().raw(R"("a":1)").begin_raw(R"("b":[)").value(2).value(3).end_array();
    EXPECT_EQ(json.begin_raw(R"("c":)").value("d").end_object().take(),
              R"({"a":1,"b":[2,3],"c":"d"})");
}

TEST(JsonWriter, writes_nested_values_without_white_space) {
    JsonWriter json;
    json.begin_object().key("results").begin_array();
    json.begin_object().key("id").value("a").key("score").value(0.5f).end_object();
    json.begin_object().end_object().begin_array().end_array().null().value(true).value(-3);
    json.end_array().key("n").value(std::uint64_t{18446744073709551615u}).end_object();
    EXPECT_EQ(
        json.text(),
        R"({"results":[{"id":"a","score":0.5},{},[],null,true,-3],"n":18446744073709551615})");
}

TEST(JsonWriter, escapes_what_must_be_and_repairs_what_is_no_utf8) {
    const auto written = [](std::string_view text) { return JsonWriter().value(text).take(); };
    EXPECT_EQ(written("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
    EXPECT_EQ(written(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
    EXPECT_EQ(written("Björk ♪"), "\"Björk ♪\"");
    EXPECT_EQ(written("a\xFF"
                      "b\xC3"),
              "\"a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD\"");
    EXPECT_EQ(written("\xF0\x9F\x8E\xB5\xF0\x9F"), "\"\xF0\x9F\x8E\xB5\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonWriter, writes_every_byte_at_every_place_as_it_writes_it_alone) {
    for (std::size_t length = 1; length <= 17; ++length) {
        for (std::size_t place = 0; place < length; ++place) {
            for (int byte = 0; byte < 0x80; ++byte) {
                std::string text(length, 'x');
                text[place] = static_cast<char>(byte);
                const std::string alone = JsonWriter().value(text.substr(place, 1)).take();
                const std::string expected = '"' + std::string(place, 'x') +
                                             alone.substr(1, alone.size() - 2) +
                                             std::string(length - place - 1, 'x') + '"';
                ASSERT_EQ(JsonWriter().value(text).take(), expected) << byte << ' ' << place;
            }
        }
    }
}

TEST(JsonWriter, writes_into_the_memory_of_another_text_and_on_after_a_look) {
    for (const std::size_t size : {0, 3, 5000}) {
        JsonWriter json(std::string(size, '#'));
        json.begin_array().value("a");
        EXPECT_EQ(json.text(), R"(["a")");
        json.value(std::string(2000, 'b')).value(1.5f).end_array();
        EXPECT_EQ(json.take(), R"(["a",")" + std::string(2000, 'b') + R"(",1.5])");
    }
}

TEST(JsonWriter, writes_an_entry_as_it_writes_its_parts) {
    constexpr JsonEntry kEntry = {R"({"id":")", R"(","score":)"};
    for (const std::string& id :
         {std::string(), std::string("a"), std::string("seven-7"), std::string(40, 'b'),
          std::string("b\"c"), std::string("Bj\xF6rk")}) {
        for (const float score : {0.5F, -1234.5F, 1e-20F, 0.123456789F, HUGE_VALF}) {
            JsonWriter whole;
            JsonWriter parts;
            whole.begin_array();
            parts.begin_array();
            for (int times = 0; times < 20; ++times) {
                whole.begin_entry(kEntry, id, score).key("more").value(1).end_object();
                parts.begin_object().key("id").value(id).key("score").value(score);
                parts.key("more").value(1).end_object();
            }
            EXPECT_EQ(whole.raw("[1,2]").end_array().take(), parts.raw("[1,2]").end_array().take());
        }
    }
}

TEST(JsonWriter, writes_numbers_that_read_back_and_null_for_the_rest) {
    EXPECT_EQ(JsonWriter().value(0.1).text(), "0.1");
    EXPECT_EQ(JsonWriter().value(0.1f).text(), "0.1");
    EXPECT_EQ(std::stod(JsonWriter().value(1.0 / 3).take()), 1.0 / 3);
    EXPECT_EQ(JsonWriter().value(std::nan("")).text(), "null");
    EXPECT_EQ(JsonWriter().value(HUGE_VALF).text(), "null");
}

TEST(JsonReader, reads_a_flat_object_as_texts) {
    const auto members = read_flat_json(
        R"({"dim": 64, "alpha": 0.1, "on": true, "name": "B\u00e9la", "k": [10, "20"], "none": [],
            "low": -3, "big": 18446744073709551615})");
    ASSERT_TRUE(members.ok()) << members.status().message();
    EXPECT_EQ(*members, (Members{{"dim", "64"},
                                 {"alpha", "0.1"},
                                 {"on", "true"},
                                 {"name", "Béla"},
                                 {"k", "10"},
                                 {"k", "20"},
                                 {"low", "-3"},
                                 {"big", "18446744073709551615"}}));
    EXPECT_EQ(*read_flat_json("{}"), Members{});
}

TEST(JsonReader, refuses_everything_else) {
    for (const char* const text :
         {"", "[]", "3", "{", "{}x", R"({"a":1,"a":2})", R"({"a":null})", R"({"a":{}})",
          R"({"a":[[]]})", R"({"a":[null]})", R"({"a":nan})", R"({"a":1e999})", R"({a:1})",
          "{\"a\":\"\xFF\"}", R"({"a":1,})"}) {
        const auto members = read_flat_json(text);
        EXPECT_EQ(members.status().code(), StatusCode::kInvalidArgument) << text;
    }
}

TEST(JsonReader, reads_lists_of_texts_and_knows_an_object) {
    EXPECT_EQ(*read_json_strings(R"(["title", "a \"b\""])"),
              (std::vector<std::string>{"title", "a \"b\""}));
    EXPECT_EQ(read_json_strings("[]")->size(), 0u);
    EXPECT_FALSE(read_json_strings("[1]").ok());
    EXPECT_FALSE(read_json_strings("{}").ok());
    EXPECT_TRUE(check_json_object(R"({"a":{"b":[null]}})").ok());
    EXPECT_FALSE(check_json_object("[]").ok());
    EXPECT_FALSE(check_json_object("{} {}").ok());
    // Deeper than any parser should follow.
    EXPECT_FALSE(check_json_object(std::string(100000, '[')).ok());
}

}  // namespace
}  // namespace segue
