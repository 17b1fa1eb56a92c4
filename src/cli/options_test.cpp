#include "cli/options.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/json_reader.h"

namespace segue::cli {
namespace {

struct Everything {
    std::string file;
    std::vector<std::string> rest;
    bool force = false;
    std::string out;
    std::optional<std::string> title;
    std::vector<std::string> items;
    std::vector<std::string> groups;
    std::vector<std::string> recipes = {"cooc", "ials"};
    std::string format = "auto";
    std::uint64_t k = 10;
    std::optional<std::uint32_t> threads;
    std::uint64_t seed = 1;
    std::optional<double> exponent;

    void declare(Options& options) {
        options.positional("FILE", file, "a file");
        options.positionals("KEY", rest, "keys", false);
        options.flag("force", force, "overwrite");
        options.text("out", out, "PATH", "where to");
        options.text("title", title, "TEXT", "a title");
        options.list("item", items, "KEY", "an item");
        options.greedy_list("group", groups, "KEY", "groups");
        options.comma_list("recipe", recipes, "NAME,NAME", "recipes");
        options.choice("format", format, {"auto", "lists"}, "the format");
        options.number("k", k, kResultsRange, "how many");
        options.number("threads", threads, kThreadsRange, "threads");
        options.number("seed", seed, kSeedRange, "seed");
        options.number("exponent", exponent, kExponentRange, "exponent");
        options.example("An example", "segue try FILE");
    }
};

struct Parsed {
    Everything values;
    Status status;
    std::string json;
};

/// `values` stays bound to its own Options only during the call.
Parsed parse(const std::vector<std::string>& arguments) {
    Parsed parsed;
    Options options("try", "Tries.");
    parsed.values.declare(options);
    parsed.status = parse_arguments(arguments, options);
    parsed.json = options.values_json();
    return parsed;
}

std::string temporary_file(const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + name;
    std::ofstream(path) << text;
    return path;
}

TEST(Options, read_every_kind_of_argument) {
    const Parsed parsed = parse({"model",
                                 "a",
                                 "--force",
                                 "--item",
                                 "x",
                                 "--item=-y",
                                 "--group",
                                 "g1",
                                 "g2",
                                 "--k",
                                 "7",
                                 "--exponent",
                                 "-0.5",
                                 "--title",
                                 "-o-",
                                 "--recipe",
                                 "ials,cooc,popularity",
                                 "--format=lists",
                                 "--threads",
                                 "3",
                                 "--seed",
                                 "18446744073709551615",
                                 "--",
                                 "--b"});
    ASSERT_TRUE(parsed.status.ok()) << parsed.status.message();
    EXPECT_EQ(parsed.values.file, "model");
    EXPECT_EQ(parsed.values.rest, (std::vector<std::string>{"a", "--b"}));
    EXPECT_TRUE(parsed.values.force);
    EXPECT_EQ(parsed.values.items, (std::vector<std::string>{"x", "-y"}));
    EXPECT_EQ(parsed.values.groups, (std::vector<std::string>{"g1", "g2"}));
    EXPECT_EQ(parsed.values.recipes, (std::vector<std::string>{"ials", "cooc", "popularity"}));
    EXPECT_EQ(parsed.values.k, 7U);
    EXPECT_EQ(parsed.values.exponent, -0.5);
    EXPECT_EQ(parsed.values.title, "-o-");
    EXPECT_EQ(parsed.values.format, "lists");
    EXPECT_EQ(parsed.values.threads, 3U);
    EXPECT_EQ(parsed.values.seed, 18446744073709551615U);
}

TEST(Options, keep_odd_keys_as_they_are) {
    const Parsed parsed = parse({"[m,n]", "++", "/w", "-", "-7", "--item", "[a,b]", "--item", "a=b",
                                 "--item=c=d", "--group", "[p,q]", "{r}"});
    ASSERT_TRUE(parsed.status.ok()) << parsed.status.message();
    EXPECT_EQ(parsed.values.file, "[m,n]");
    EXPECT_EQ(parsed.values.rest, (std::vector<std::string>{"++", "/w", "-", "-7"}));
    EXPECT_EQ(parsed.values.items, (std::vector<std::string>{"[a,b]", "a=b", "c=d"}));
    EXPECT_EQ(parsed.values.groups, (std::vector<std::string>{"[p,q]", "{r}"}));
}

TEST(Options, refuse_what_is_wrong_and_say_why) {
    const struct {
        std::vector<std::string> arguments;
        std::string message;
    } cases[] = {
        {{}, "FILE is missing"},
        {{"m", "--forse"}, "unknown flag --forse, did you mean --force?"},
        {{"m", "--zzz=1"}, "unknown flag --zzz"},
        {{"m", "-x"}, "unknown flag -x"},
        {{"m", "--k"}, "--k needs a value: N"},
        {{"m", "--k="}, "--k needs a value: N"},
        {{"m", "--out", "--force"}, "--out needs a value: PATH"},
        {{"m", "--k", "4000000000"},
         "--k: expected a whole number from 1 to 1,000,000, found \"4000000000\""},
        {{"m", "--k", "0"}, "--k: expected a whole number from 1 to 1,000,000, found \"0\""},
        {{"m", "--k", "-1"}, "--k: expected a whole number from 1 to 1,000,000, found \"-1\""},
        {{"m", "--k", "ten"}, "--k: expected a whole number from 1 to 1,000,000, found \"ten\""},
        {{"m", "--k", "1", "--k", "2"}, "--k is given more than once"},
        {{"m", "--exponent", "nan"}, "--exponent: expected a number from -2 to 2, found \"nan\""},
        {{"m", "--format", "csv"}, "--format: expected one of auto, lists, found \"csv\""},
        {{"m", "--recipe", "a,,b"}, "--recipe: an empty name in \"a,,b\""},
        {{"m", "--config", "/nowhere/x.json"}, "--config"},
    };
    for (const auto& wrong : cases) {
        const Parsed parsed = parse(wrong.arguments);
        EXPECT_FALSE(parsed.status.ok()) << wrong.message;
        EXPECT_TRUE(parsed.status.message().starts_with(wrong.message)) << parsed.status.message();
        EXPECT_EQ(parsed.status.message().find('\n'), std::string::npos);
    }
}

TEST(Options, take_from_a_file_what_the_command_line_leaves_out) {
    const std::string path = temporary_file(
        "segue_config.json",
        R"({"k": 33, "item": ["a", "b"], "force": true, "exponent": 0.25, "file": "other"})");
    const Parsed parsed = parse({"--config", path, "--k", "5"});
    ASSERT_TRUE(parsed.status.ok()) << parsed.status.message();
    EXPECT_EQ(parsed.values.file, "other");
    EXPECT_EQ(parsed.values.k, 5U);
    EXPECT_EQ(parsed.values.items, (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(parsed.values.force);
    EXPECT_EQ(parsed.values.exponent, 0.25);
    std::remove(path.c_str());
}

TEST(Options, refuse_a_wrong_file_of_values) {
    for (const char* text : {R"({"kk": 1})", R"({"k": "ten"})", R"({"k": [1, 2]})", "[1]", "{",
                             R"({"help": true})", ""}) {
        const std::string path = temporary_file("segue_wrong_config.json", text);
        const Parsed parsed = parse({"m", "--config", path});
        EXPECT_FALSE(parsed.status.ok()) << text;
        EXPECT_TRUE(parsed.status.message().starts_with("--config")) << parsed.status.message();
        std::remove(path.c_str());
    }
}

TEST(Options, read_back_the_values_they_print) {
    const Parsed first = parse({"m", "--item", "x y", "--k", "1000000", "--exponent", "-1e-3",
                                "--force", "--seed", "18446744073709551615", "--recipe", "ials"});
    ASSERT_TRUE(first.status.ok()) << first.status.message();
    const std::string path = temporary_file("segue_printed_config.json", first.json);
    const Parsed second = parse({"--config", path});
    ASSERT_TRUE(second.status.ok()) << second.status.message();
    EXPECT_EQ(second.json, first.json);
    std::remove(path.c_str());
}

TEST(Options, explain_themselves) {
    Everything values;
    Options options("try", "Tries.");
    values.declare(options);
    const std::string help = options.help_text();
    EXPECT_NE(help.find("usage: segue try FILE [KEY...] [flags]"), std::string::npos) << help;
    EXPECT_NE(help.find("--k N"), std::string::npos);
    EXPECT_NE(help.find("how many [10]"), std::string::npos) << help;
    EXPECT_NE(help.find("--item KEY  "), std::string::npos) << help;
    EXPECT_NE(help.find("an item (repeatable)\n"), std::string::npos) << help;
    EXPECT_NE(help.find("--group KEY...  "), std::string::npos) << help;
    EXPECT_NE(help.find("recipes [cooc,ials]"), std::string::npos) << help;
    EXPECT_NE(help.find("An example:\n    segue try FILE\n"), std::string::npos);
}

}  // namespace
}  // namespace segue::cli
