#include "ingest/generate.h"

#include <set>

#include "ingest/ingest.h"
#include "ingest/test_dataset.h"

namespace segue {
namespace {

using GenerateTest = testing::TableTest;

GenerateOptions small_options() {
    GenerateOptions options;
    options.num_rows = 20000;
    options.num_groups = 1500;
    options.num_items = 800;
    options.num_genres = 8;
    return options;
}

TEST_F(GenerateTest, has_exactly_the_rows_and_groups_asked_for) {
    ASSERT_TRUE(generate_table(small_options(), folder_.path("a.parquet"), false, {}).ok());
    IngestOptions options;
    options.tables = {folder_.path("a.parquet")};
    options.duplicates = Duplicates::kKeep;
    const Result<IngestedData> data = ingest(options, {});
    ASSERT_TRUE(data.ok()) << data.status().message();
    EXPECT_EQ(data->report.rows_read, 20000u);
    EXPECT_EQ(data->report.num_groups, 1500u);
    EXPECT_LE(data->report.num_items, 800u);
    EXPECT_GE(data->report.num_items, 700u);
}

TEST_F(GenerateTest, parquet_in_many_pieces_is_read_in_order) {
    GenerateOptions generated;
    generated.num_rows = 500000;
    generated.with_titles = false;
    ASSERT_TRUE(generate_table(generated, folder_.path("a.parquet"), false, {}).ok());
    IngestOptions options;
    options.tables = {folder_.path("a.parquet")};
    const Result<IngestedData> data = ingest(options, {});
    ASSERT_TRUE(data.ok()) << data.status().message();
    for (std::size_t group = 0; group < data->dataset.groups.size(); ++group) {
        ASSERT_EQ(data->dataset.groups[group], std::to_string(group + 1));
    }
}

TEST_F(GenerateTest, same_seed_gives_the_same_table_in_any_format) {
    GenerateOptions options = small_options();
    options.num_rows = 3000;
    options.num_groups = 0;
    ASSERT_TRUE(generate_table(options, folder_.path("a.csv"), false, {}).ok());
    options.num_threads = 1;
    ASSERT_TRUE(generate_table(options, folder_.path("b.csv"), false, {}).ok());
    options.seed = 2;
    ASSERT_TRUE(generate_table(options, folder_.path("c.csv"), false, {}).ok());
    EXPECT_EQ(folder_.read("a.csv"), folder_.read("b.csv"));
    EXPECT_NE(folder_.read("a.csv"), folder_.read("c.csv"));
    EXPECT_EQ(folder_.read("a.csv").rfind("group,item,title,genre\n", 0), 0u);
    EXPECT_NE(folder_.read("a.csv").find(",Genre 3 song 1,Genre 3\n"), std::string::npos);
}

TEST_F(GenerateTest, groups_keep_to_their_genre_and_the_first_ranks_are_popular) {
    ASSERT_TRUE(generate_table(small_options(), folder_.path("a.parquet"), false, {}).ok());
    const auto rows =
        session().query_text("WITH t AS (SELECT * FROM " + sql_literal(folder_.path("a.parquet")) +
                             "), main AS (SELECT \"group\", mode(genre) AS main FROM t GROUP BY 1) "
                             "SELECT CAST(avg(if(genre = main, 1, 0)) > 0.75 AS VARCHAR), "
                             "CAST(count(*) FILTER (title LIKE '% song 1') > 5 * count(*) FILTER "
                             "(title LIKE '% song 50') "
                             "AS VARCHAR) FROM t JOIN main USING (\"group\")");
    ASSERT_TRUE(rows.ok()) << rows.status().message();
    EXPECT_EQ((*rows)[0], (std::vector<std::string>{"true", "true"}));
}

TEST(Generate, refuses_impossible_sizes) {
    for (auto change :
         {+[](GenerateOptions& o) { o.num_rows = 0; }, +[](GenerateOptions& o) { o.num_items = 0; },
          +[](GenerateOptions& o) { o.num_genres = 0; },
          +[](GenerateOptions& o) { o.num_groups = o.num_rows + 1; },
          +[](GenerateOptions& o) { o.num_rows = ~std::uint64_t{0}; },
          +[](GenerateOptions& o) { o.mean_group_size = 0; },
          +[](GenerateOptions& o) { o.zipf_exponent = -1; }}) {
        GenerateOptions options;
        change(options);
        EXPECT_FALSE(generate_table(options, "/nowhere/a.csv", false, {}).ok());
    }
}

}  // namespace
}  // namespace segue
