// One session from a table to answers, through the program as people call it.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "cli_program.h"

namespace segue {
namespace {

class CliSession : public CliFolder {
protected:
    static RunResult expect_done(const std::vector<std::string>& arguments) {
        const RunResult result = run(arguments);
        EXPECT_EQ(result.exit_code, 0) << arguments.front() << ": " << result.errors;
        return result;
    }
    static std::vector<std::string> lines_of(const std::string& text) {
        std::istringstream stream(text);
        std::vector<std::string> lines;
        for (std::string line; std::getline(stream, line);) {
            lines.push_back(line);
        }
        return lines;
    }
};

TEST_F(CliSession, answers_by_title_and_by_key_alike) {
    const std::string by_title =
        expect_done({"similar", "ials.segue", "--title", "genre 1 SONG 1", "--json"}).output;
    EXPECT_TRUE(by_title.starts_with("{\"results\":[{\"id\":\"")) << by_title;
    EXPECT_NE(by_title.find("\"fields\":{\"title\":\"Genre 1 song "), std::string::npos)
        << by_title;
    EXPECT_TRUE(by_title.ends_with("\"unknown\":[],\"source\":\"neighbours\"}\n")) << by_title;

    // The key of that title, from the table.
    std::string key;
    for (const std::string& line : lines_of(read_whole(path("rows.csv")))) {
        if (line.find(",Genre 1 song 1,") != std::string::npos) {
            const std::size_t comma = line.find(',');
            key = line.substr(comma + 1, line.find(',', comma + 1) - comma - 1);
        }
    }
    EXPECT_EQ(expect_done({"similar", "ials.segue", "--item", key, "--json"}).output, by_title);
    const RunResult text = expect_done({"similar", "ials.segue", "--item", key, "--k", "3"});
    EXPECT_EQ(lines_of(text.output).size(), 4U) << text.output;
    EXPECT_NE(text.output.find("together "), std::string::npos);
    EXPECT_NE(text.errors.find("next: segue "), std::string::npos);
}

TEST_F(CliSession, names_near_titles_once_with_what_tells_them_apart) {
    write("covers.csv",
          "group,item,title,artist\na,1,Hello,Adele\nb,1,Hello,Adele\na,2,Hello,Lionel\n"
          "b,3,hello,Nobody\na,4,Help,Beatles\nb,4,Help,Beatles\n");
    expect_done({"fit", "covers.csv", "--title", "title", "--attribute", "artist", "--recipe",
                 "cooc", "--out", "covers.segue"});
    const RunResult near = run({"similar", "covers.segue", "--title", "Hell"});
    EXPECT_EQ(near.exit_code, 1);
    EXPECT_NE(near.errors.find("hint: near it: \"Hello\" (Adele), \"Help\" (Beatles)\n"),
              std::string::npos)
        << near.errors;
}

TEST_F(CliSession, says_that_nothing_is_similar_to_a_vector_of_zeros) {
    write("zeros.json", "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]");
    const RunResult result =
        expect_done({"similar", "ials.segue", "--vector", "zeros.json", "--json"});
    EXPECT_TRUE(result.output.starts_with("{\"results\":[]")) << result.output;
    EXPECT_EQ(result.errors, "'zeros.json': all numbers are 0; nothing is similar to that\n");
}

TEST_F(CliSession, never_offers_what_was_asked_or_excluded) {
    const std::string answer =
        expect_done({"similar", "cooc.segue", "--item", "1", "--item", "2", "--item", "zz",
                     "--exclude", "3", "--k", "300", "--json"})
            .output;
    for (const char* key : {"1", "2", "3"}) {
        EXPECT_EQ(answer.find("\"id\":\"" + std::string(key) + "\""), std::string::npos) << key;
    }
    EXPECT_NE(answer.find("\"unknown\":[\"zz\"]"), std::string::npos);
}

TEST_F(CliSession, recommends_what_groups_do_not_have) {
    expect_done({"recommend", "ials.segue", "--all", "--k", "5", "--out", "lists.csv"});
    std::set<std::string> seen;
    for (const std::string& line : lines_of(read_whole(path("rows.csv")))) {
        const std::size_t comma = line.find(',');
        seen.insert(line.substr(0, line.find(',', comma + 1)));
    }
    std::vector<std::string> rows = lines_of(read_whole(path("lists.csv")));
    ASSERT_GT(rows.size(), 1000U);
    EXPECT_EQ(rows.front(), "group,rank,item,score");
    for (std::size_t i = 1; i < rows.size(); ++i) {
        std::istringstream cells(rows[i]);
        std::string group;
        std::string rank;
        std::string item;
        std::getline(cells, group, ',');
        std::getline(cells, rank, ',');
        std::getline(cells, item, ',');
        EXPECT_EQ(seen.count(group + "," + item), 0U) << rows[i];
    }
    // The same lists for one group, by key, by table, and by its history in a table.
    expect_done({"recommend", "ials.segue", "--group", "7", "--k", "5", "--out", "one.csv"});
    write("who.csv", "group\n7\n");
    expect_done(
        {"recommend", "ials.segue", "--groups", "who.csv", "--k", "5", "--out", "who_lists.csv"});
    EXPECT_EQ(read_whole(path("one.csv")), read_whole(path("who_lists.csv")));
    for (const std::string& line : lines_of(read_whole(path("one.csv")))) {
        EXPECT_NE(std::find(rows.begin(), rows.end(), line), rows.end()) << line;
    }
}

TEST_F(CliSession, fits_an_index_and_says_how_it_searched) {
    const RunResult described = expect_done({"describe", "ials.segue", "--json"});
    EXPECT_NE(described.output.find("\"index\":{\"path\":\"exact\",\"blessed\":"),
              std::string::npos)
        << described.output;
    const RunResult group = expect_done(
        {"similar", "ials.segue", "--group", "7", "--k", "3", "--explain-search", "--json"});
    EXPECT_NE(group.output.find("\"source\":\"exact\",\"search\":{\"path\":\"exact\","),
              std::string::npos)
        << group.output;
    EXPECT_NE(expect_done({"similar", "ials.segue", "--item", "1", "--explain-search"})
                  .output.find("search: none, answered from stored neighbours"),
              std::string::npos);
    expect_done({"fit", "rows.csv", "--title", "title", "--recipe", "ials", "--dim", "16",
                 "--no-index", "--out", "plain.segue"});
    EXPECT_NE(expect_done({"describe", "plain.segue", "--json"}).output.find("\"index\":null"),
              std::string::npos);
    EXPECT_EQ(expect_done({"similar", "plain.segue", "--group", "7", "--k", "9", "--json"}).output,
              expect_done({"similar", "ials.segue", "--group", "7", "--k", "9", "--json"}).output);
}

TEST_F(CliSession, indexes_a_bundle_in_place_and_judges_it) {
    std::filesystem::copy_file(path("ials.segue"), path("indexed.segue"));
    const std::vector<std::string> build = {
        "index",  "indexed.segue",    "--path",  "tree",         "--num-leaves", "12",
        "--json", "--max-latency-ms", "1000000", "--min-recall", "0.01"};
    const RunResult good = expect_done(build);
    EXPECT_TRUE(good.output.starts_with("{\"path\":\"tree\",\"recall@10\":")) << good.output;
    EXPECT_NE(good.output.find(",\"blessed\":true,"), std::string::npos) << good.output;
    EXPECT_NE(good.output.find("\"num_leaves\":12"), std::string::npos);
    const std::string bytes = read_whole(path("indexed.segue"));
    expect_done(build);
    EXPECT_EQ(read_whole(path("indexed.segue")), bytes);

    const RunResult by_tree = expect_done({"similar", "indexed.segue", "--group", "7", "--leaves",
                                           "12", "--candidates", "200", "--json"});
    EXPECT_NE(by_tree.output.find("\"source\":\"index\""), std::string::npos);
    const RunResult exact =
        expect_done({"similar", "indexed.segue", "--group", "7", "--exact", "--json"});
    EXPECT_EQ(by_tree.output.substr(0, by_tree.output.find("\"source\"")),
              exact.output.substr(0, exact.output.find("\"source\"")));

    // Not blessed: written and reported all the same, and a failure.
    const RunResult bad = run({"index", "indexed.segue", "--json", "--max-latency-ms", "0.00001"});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_NE(bad.output.find(",\"blessed\":false,"), std::string::npos) << bad.output;
    EXPECT_NE(bad.errors.find("segue index: the index is not blessed: p99 is "), std::string::npos)
        << bad.errors;
    EXPECT_NE(expect_done({"describe", "indexed.segue", "--json"}).output.find("\"blessed\":false"),
              std::string::npos);
}

TEST_F(CliSession, lists_neighbours_and_looks_up_means) {
    expect_done({"neighbours", "cooc.segue", "--all", "--k", "3", "--out", "neighbours.csv"});
    EXPECT_EQ(lines_of(read_whole(path("neighbours.csv"))).front(),
              "item,rank,neighbour,score,frequency1,frequency2,together");
    const std::string vectors =
        expect_done({"lookup", "ials.segue", "1 nobody", "", "--json"}).output;
    EXPECT_NE(vectors.find("\"unknown\":[\"nobody\"]"), std::string::npos) << vectors;
    EXPECT_NE(vectors.find("{\"query\":\"\",\"embedding\":[0,0,"), std::string::npos) << vectors;
}

TEST_F(CliSession, tells_of_neighbours_how_often_they_are_together) {
    std::map<std::string, std::set<std::string>> groups_of;
    for (const std::string& line : lines_of(read_whole(path("rows.csv")))) {
        const std::size_t comma = line.find(',');
        const std::string item = line.substr(comma + 1, line.find(',', comma + 1) - comma - 1);
        groups_of[item].insert(line.substr(0, comma));
    }
    // Lists longer than the stored ones, and than there are items.
    for (const std::string model : {"cooc.segue", "ials.segue"}) {
        expect_done({"neighbours", model, "--all", "--k", "1000000", "--out", "all.csv"});
        const std::vector<std::string> rows = lines_of(read_whole(path("all.csv")));
        ASSERT_GT(rows.size(), 1U);
        for (std::size_t i = 1; i < rows.size(); ++i) {
            std::vector<std::string> cells;
            std::istringstream line(rows[i]);
            for (std::string cell; std::getline(line, cell, ',');) {
                cells.push_back(cell);
            }
            ASSERT_EQ(cells.size(), 7U) << rows[i];
            std::size_t together = 0;
            for (const std::string& group : groups_of[cells[0]]) {
                together += groups_of[cells[2]].count(group);
            }
            ASSERT_EQ(cells[6], std::to_string(together)) << rows[i];
        }
        std::filesystem::remove(path("all.csv"));
    }
}

TEST_F(CliSession, brings_vectors_back_from_every_format_as_the_same_bundle) {
    std::vector<std::string> bundles;
    for (const std::string format : {"jsonl", "csv", "npy", "parquet"}) {
        const std::string file = "vectors." + format;
        expect_done({"export", "ials.segue", "--format", format, "--out", file});
        expect_done({"import", file, "--out", format + ".segue"});
        bundles.push_back(read_whole(path(format + ".segue")));
        EXPECT_EQ(bundles.back(), bundles.front()) << format;
    }
    expect_done({"export", "ials.segue", "--shards", "3", "--out", "shards/"});
    expect_done({"import", "shards/embedding-000000000000.json",
                 "shards/embedding-000000000001.json", "shards/embedding-000000000002.json",
                 "--out", "shards.segue"});
    EXPECT_EQ(read_whole(path("shards.segue")), bundles.front());
    expect_done({"similar", "shards.segue", "--item", "1"});
}

TEST_F(CliSession, counts_pairs_as_the_blueprint_does) {
    write("mini.csv", "g,i\nA,1\nA,2\nA,3\nB,1\nB,2\nC,2\nC,3\nD,1\nD,4\nE,1\nE,2\nE,3\nE,4\n");
    expect_done({"cooccur", "mini.csv", "--group", "g", "--item", "i", "--min-item-frequency", "2",
                 "--max-group-size", "3", "--out", "mini_pairs.csv"});
    const std::vector<std::string> rows = lines_of(read_whole(path("mini_pairs.csv")));
    ASSERT_EQ(rows.size(), 13U);
    EXPECT_EQ(rows[0], "item1,item2,cooc,frequency1,frequency2,pmi,score");
    EXPECT_TRUE(rows[1].starts_with("1,1,3,3,3,1.58496")) << rows[1];
    EXPECT_TRUE(rows[2].starts_with("2,2,3,3,3,1.58496")) << rows[2];
    EXPECT_TRUE(rows[3].starts_with("3,3,2,2,2,2.16992")) << rows[3];
    EXPECT_TRUE(rows[12].starts_with("3,1,1,2,3,0.58496")) << rows[12];
}

TEST_F(CliSession, counts_one_item_under_two_titles_as_two_rows_when_rows_are_told_apart) {
    write("spellings.csv", "g,i,t\nA,1,One\nA,1,one\nA,1,one\nA,2,Two\n");
    const auto own_count = [](const std::vector<std::string>& texts) {
        std::vector<std::string> arguments = {
            "cooccur",      "spellings.csv", "--group", "g",     "--item",   "i",
            "--duplicates", "row",           "--force", "--out", "spelt.csv"};
        arguments.insert(arguments.end(), texts.begin(), texts.end());
        expect_done(arguments);
        for (const std::string& row : lines_of(read_whole(path("spelt.csv")))) {
            if (row.starts_with("1,1,")) {
                return row.substr(0, row.find(',', 4));
            }
        }
        return std::string("no row");
    };
    EXPECT_NE(own_count({}), own_count({"--title", "t"}));
}

TEST_F(CliSession, judges_recipes_beside_popularity) {
    const std::string report =
        expect_done({"evaluate", "rows.csv", "--split", "holdout:0.2", "--recipe", "ials", "--dim",
                     "16", "--k", "10,20", "--item-to-item", "--json"})
            .output;
    EXPECT_TRUE(report.starts_with("{\"models\":[{\"recipe\":\"popularity\",\"metrics\":{"))
        << report;
    const RunResult guessed =
        expect_done({"evaluate", "rows.csv", "--recipe", "popularity", "--k", "5"});
    EXPECT_NE(guessed.errors.find("guessed columns: --group group --item item\n"),
              std::string::npos)
        << guessed.errors;
    for (const char* part : {"\"recipe\":\"cooc\"", "\"recipe\":\"ials\"", "\"recall@20\":",
                             "\"ndcg@10\":", "\"item_hr@20\":", "\"train_seconds\":"}) {
        EXPECT_NE(report.find(part), std::string::npos) << part;
    }
}

TEST_F(CliSession, gives_the_same_bytes_again_and_with_more_threads) {
    for (const std::string threads : {"1", "3"}) {
        expect_done({"fit", "rows.csv", "--title", "title", "--recipe", "ials", "--dim", "16",
                     "--threads", threads, "--out", "again" + threads + ".segue"});
        EXPECT_EQ(read_whole(path("again" + threads + ".segue")), read_whole(path("ials.segue")));
    }
}

TEST_F(CliSession, fits_by_the_values_it_printed) {
    const std::string values =
        expect_done({"fit", "rows.csv", "--title", "title", "--recipe", "ials", "--dim", "16",
                     "--out", "by_config.segue", "--print-config"})
            .output;
    write("fit.json", values);
    const RunResult fitted = expect_done({"fit", "--config", "fit.json"});
    EXPECT_EQ(fitted.errors.find("is not used"), std::string::npos) << fitted.errors;
    EXPECT_EQ(read_whole(path("by_config.segue")), read_whole(path("ials.segue")));
}

TEST_F(CliSession, warns_of_flags_that_no_recipe_goes_by) {
    const auto warnings_of = [](const std::vector<std::string>& arguments) {
        std::vector<std::string> lines = lines_of(expect_done(arguments).errors);
        std::erase_if(lines, [](const std::string& line) { return !line.starts_with("warning"); });
        return lines;
    };
    EXPECT_EQ(warnings_of({"fit", "rows.csv", "--recipe", "cooc", "--dim", "10", "--alpha", "2",
                           "--group-exponent", "1", "--out", "unused.segue"}),
              (std::vector<std::string>{"warning: --dim is not used by recipe cooc",
                                        "warning: --alpha is not used by recipe cooc"}));
    EXPECT_EQ(warnings_of({"fit", "rows.csv", "--recipe", "ials", "--dim", "8", "--group-exponent",
                           "1", "--out", "unused.segue", "--force"}),
              std::vector<std::string>{"warning: --group-exponent is not used by recipe ials"});
    EXPECT_EQ(warnings_of({"evaluate", "rows.csv", "--recipe", "ials", "--dim", "8",
                           "--group-exponent", "1", "--negative", "drop"}),
              std::vector<std::string>{"warning: --negative is not used by recipe ials, cooc"});
}

TEST_F(CliSession, chooses_a_recipe_when_none_is_named) {
    for (const std::string threads : {"1", "3"}) {
        const RunResult fitted =
            expect_done({"fit", "rows.csv", "--title", "title", "--dim", "16", "--no-index",
                         "--threads", threads, "--out", "chosen" + threads + ".segue"});
        EXPECT_NE(fitted.errors.find("choosing between "), std::string::npos) << fitted.errors;
        EXPECT_NE(fitted.output.find("taken"), std::string::npos) << fitted.output;
    }
    EXPECT_EQ(read_whole(path("chosen1.segue")), read_whole(path("chosen3.segue")));
    const std::string inspected = expect_done({"inspect", "chosen1.segue"}).output;
    EXPECT_NE(inspected.find("chosen_from"), std::string::npos) << inspected;
    const std::string report =
        expect_done({"evaluate", "rows.csv", "--dim", "16", "--json"}).output;
    EXPECT_NE(report.find("\"recipe\":\"auto\",\"chosen\":\""), std::string::npos) << report;
    EXPECT_NE(report.find("\"against_best\":{\"recall@20\":{\"best\":\""), std::string::npos);
}

TEST_F(CliSession, tunes_a_recipe_and_fits_by_what_it_found) {
    const std::vector<std::string> tune = {"tune", "rows.csv",     "--recipe", "cooc", "--trials",
                                           "4",    "--neighbours", "50",       "--out"};
    std::vector<std::string> words = tune;
    words.push_back("tuned.json");
    const RunResult tuned = expect_done(words);
    EXPECT_NE(tuned.output.find("defaults"), std::string::npos) << tuned.output;
    EXPECT_NE(tuned.errors.find("next: segue fit rows.csv"), std::string::npos) << tuned.errors;
    EXPECT_NE(read_whole(path("tuned.json")).find("{\"recipe\":\"cooc\",\"neighbours\":50"),
              std::string::npos);
    words.back() = "again.json";
    expect_done(words);
    EXPECT_EQ(read_whole(path("again.json")), read_whole(path("tuned.json")));
    expect_done({"fit", "rows.csv", "--config", "tuned.json", "--out", "tuned.segue"});
    EXPECT_NE(expect_done({"describe", "tuned.segue"}).output.find("cooc"), std::string::npos);
}

TEST_F(CliSession, describes_tables_and_bundles) {
    const RunResult table = expect_done({"describe", "rows.csv"});
    EXPECT_NE(table.output.find("interactions"), std::string::npos) << table.output;
    EXPECT_NE(table.errors.find("next: segue fit rows.csv"), std::string::npos) << table.errors;
    EXPECT_NE(expect_done({"describe", "ials.segue"}).output.find("ials"), std::string::npos);
    EXPECT_NE(expect_done({"inspect", "cooc.segue", "--json"}).output.find("\"intact\":true"),
              std::string::npos);
}

}  // namespace
}  // namespace segue
