#include "pipeline/evaluate_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>

#include "base/random.h"
#include "tables/test_files.h"

namespace segue {
namespace {

class EvaluateTables : public testing::TableTest {
protected:
    /// 60 groups of even or odd items, a row of each pair; the time of a row is its place in the
    /// group.
    std::string write_groups(const std::string& name) const {
        Random random(3);
        std::string text = "playlist,song,at\n";
        for (int group = 0; group < 60; ++group) {
            for (int place = 0; place < 6; ++place) {
                const std::string song = std::to_string(6 * random.below(4) + 2 * (group % 2) + 10);
                const std::string number = std::to_string(place);
                text.append("p").append(std::to_string(group)).append(",s");
                text.append(song).append(number).append(",").append(number).append("\n");
            }
        }
        return folder_.write(name, text);
    }

    EvaluateOptions options_for(const std::string& table) const {
        EvaluateOptions options;
        options.ingest.tables = {table};
        options.ingest.group_column = "playlist";
        options.ingest.item_column = "song";
        options.ingest.time_column = "at";
        options.params.recipes = {"cooc"};
        options.params.judge.ks = {5};
        options.num_threads = 2;
        return options;
    }
};

TEST_F(EvaluateTables, splits_one_table_and_judges_both_baselines) {
    const EvaluateOptions options = options_for(write_groups("rows.csv"));
    EvaluateInput input;
    const Result<EvaluateReport> report = evaluate_tables(options, {}, &input);
    ASSERT_TRUE(report.ok()) << report.status().message();
    ASSERT_EQ(report->models.size(), 2u);
    EXPECT_EQ(report->num_groups, 60u);
    EXPECT_EQ(report->counts.train_entries + report->counts.test_entries, 360u);
    EXPECT_EQ(report->counts.test_entries, 60u);
    EXPECT_EQ(input.table.rows_read, 360u);
    EXPECT_FALSE(input.test.has_value());
    EXPECT_GT(report->models[1].metrics[0].value, report->models[0].metrics[0].value);
}

TEST_F(EvaluateTables, writes_what_every_group_came_to) {
    EvaluateOptions options = options_for(write_groups("rows.csv"));
    options.params.item_to_item = true;
    options.per_group_path = folder_.path("groups.csv");
    const Result<EvaluateReport> report = evaluate_tables(options);
    ASSERT_TRUE(report.ok()) << report.status().message();
    std::ifstream file(options.per_group_path);
    std::string line;
    std::getline(file, line);
    EXPECT_TRUE(line.starts_with("recipe,group,recall@5,ndcg@5,")) << line;
    EXPECT_NE(line.find(",item_ndcg@5"), std::string::npos) << line;
    std::map<std::string, std::pair<double, int>> recalls;
    while (std::getline(file, line)) {
        std::stringstream cells(line);
        std::string recipe;
        std::string group;
        std::string recall;
        std::getline(std::getline(std::getline(cells, recipe, ','), group, ','), recall, ',');
        recalls[recipe].first += std::stod(recall);
        ++recalls[recipe].second;
    }
    ASSERT_EQ(recalls.size(), report->models.size());
    for (const ModelReport& model : report->models) {
        const auto& [sum, count] = recalls[model.recipe];
        EXPECT_EQ(count, 60);
        EXPECT_NEAR(sum / count, *model.metric("recall@5"), 1e-9) << model.recipe;
    }
    EXPECT_FALSE(evaluate_tables(options).ok()) << "the file is there";
    options.overwrite = true;
    EXPECT_TRUE(evaluate_tables(options).ok());
    options.per_group_path = folder_.path("groups.doc");
    EXPECT_FALSE(evaluate_tables(options).ok());
}

TEST_F(EvaluateTables, splits_by_time) {
    EvaluateOptions options = options_for(write_groups("rows.csv"));
    options.split = *parse_split("time:4");
    const Result<EvaluateReport> report = evaluate_tables(options);
    // Every song keeps its place, so that none of the last two places is known before.
    ASSERT_FALSE(report.ok());
    EXPECT_NE(report.status().message().find("nothing to judge by"), std::string::npos);
    options.split = *parse_split("leave-one-out");
    EXPECT_FALSE(evaluate_tables(options).ok());
}

TEST_F(EvaluateTables, lays_a_test_table_over_the_training_table_and_counts_what_it_leaves_out) {
    const std::string train = folder_.write("train.csv",
                                            "playlist,song,at\n"
                                            "a,x,1\na,y,1\nb,x,1\nb,y,1\nb,z,1\nc,x,1\nc,w,1\n");
    const std::string test = folder_.write("test.csv",
                                           "playlist,song,at\n"
                                           "a,z,1\na,x,1\nc,y,1\nc,new,1\nnobody,x,1\n");
    EvaluateOptions options = options_for(train);
    options.test_tables = {test};
    EvaluateInput input;
    const Result<EvaluateReport> report = evaluate_tables(options, {}, &input);
    ASSERT_TRUE(report.ok()) << report.status().message();
    EXPECT_EQ(report->counts.train_entries, 7u);
    EXPECT_EQ(report->counts.test_entries, 2u);
    EXPECT_EQ(report->counts.test_groups, 2u);
    EXPECT_EQ(report->counts.dropped_unseen_items, 1u);
    EXPECT_EQ(report->counts.dropped_unseen_groups, 1u);
    EXPECT_EQ(report->dropped_known_pairs, 1u);
    ASSERT_TRUE(input.test.has_value());
    EXPECT_EQ(input.test->rows_read, 5u);
    EXPECT_EQ(report->models[0].group_lists.num_groups, 2u);
    EXPECT_DOUBLE_EQ(report->models[0].metrics[0].value, 1);
}

TEST_F(EvaluateTables, says_when_a_test_table_has_nothing_to_judge_by) {
    const std::string train = folder_.write("train.csv", "playlist,song,at\na,x,1\na,y,1\n");
    const std::string test = folder_.write("test.csv", "playlist,song,at\nb,x,1\na,x,1\n");
    EvaluateOptions options = options_for(train);
    options.test_tables = {test};
    const Result<EvaluateReport> report = evaluate_tables(options);
    ASSERT_FALSE(report.ok());
    EXPECT_NE(report.status().message().find("test table"), std::string::npos);
    options.test_tables = {folder_.path("missing.csv")};
    EXPECT_FALSE(evaluate_tables(options).ok());
}

TEST_F(EvaluateTables, judges_lists_made_elsewhere) {
    const std::string table = write_groups("rows.csv");
    EvaluateOptions options = options_for(table);
    options.params.item_to_item = true;
    // Everybody is offered three songs of another kind of group, the best last, and an unknown one.
    std::string lists = "group,item,score\n";
    for (int group = 0; group < 60; ++group) {
        const std::string first = "p" + std::to_string(group) + ",s";
        const int other = 2 * (1 - group % 2) + 10;
        for (int place = 0; place < 3; ++place) {
            lists += first + std::to_string(other) + std::to_string(place) + "," +
                     std::to_string(place + 1) + "\n";
        }
        lists += first + "unknown,9\n";
    }
    options.given = {{"elsewhere", folder_.write("lists.csv", lists), ""}};
    const Result<EvaluateReport> report = evaluate_tables(options);
    ASSERT_TRUE(report.ok()) << report.status().message();
    const ModelReport& given = report->models.back();
    EXPECT_EQ(given.recipe, "elsewhere");
    EXPECT_EQ(*given.metric("recall@5"), 0);
    EXPECT_EQ(*given.metric("coverage@5"), 6.0 / static_cast<double>(report->num_items));
    EXPECT_EQ(given.metric("item_hr@5"), nullptr);
    EXPECT_LT(given.comparison("recall@5")->difference.high, 0);
    EXPECT_EQ(given.comparison("item_hr@5"), nullptr);
    const std::string own = lists.substr(0, lists.find('\n') + 1) + "p0,s100,1\n";
    options.given = {{"cooc", folder_.write("own.csv", own), ""}};
    EXPECT_FALSE(evaluate_tables(options).ok()) << "a name of a recipe";
    options.given = {{"missing", "missing.csv", ""}};
    EXPECT_FALSE(evaluate_tables(options).ok());
}

}  // namespace
}  // namespace segue
