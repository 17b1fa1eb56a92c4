#include "ingest/ingest.h"

#include "ingest/test_dataset.h"

namespace segue {
namespace {

using testing::to_text;

class IngestTest : public testing::TableTest {
protected:
    IngestOptions options_for(const std::string& text, const std::string& name = "rows.csv") {
        IngestOptions options;
        options.tables = {folder_.write(name, text)};
        return options;
    }
    IngestedData read(const IngestOptions& options) {
        Result<IngestedData> data = ingest(options, {});
        EXPECT_TRUE(data.ok()) << data.status().message();
        if (!data.ok()) {
            return {};
        }
        EXPECT_TRUE(validate(data->dataset.interactions.view()).ok());
        EXPECT_EQ(data->report.rows_read, data->report.rows_kept + data->report.dropped.total());
        return std::move(*data);
    }
    void expect_error(const IngestOptions& options, const std::string& part) {
        const Result<IngestedData> data = ingest(options, {});
        ASSERT_FALSE(data.ok()) << part;
        EXPECT_NE(data.status().message().find(part), std::string::npos) << data.status().message();
    }
};

// The worked example of the blueprint: E has four valid items and goes; item 4 then has one row
// left and stays.
constexpr const char* kWorkedExample =
    "group,item\nA,1\nA,2\nA,3\nB,1\nB,2\nC,2\nC,3\nD,1\nD,4\nE,1\nE,2\nE,3\nE,4\n";

TEST_F(IngestTest, worked_example_is_filtered_in_one_pass) {
    IngestOptions options = options_for(kWorkedExample);
    options.min_item_frequency = 2;
    options.min_group_size = 2;
    options.max_group_size = 3;
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "A: 1 2 3 | B: 1 2 | C: 2 3 | D: 1 4");
    EXPECT_EQ(column_counts(data.dataset.interactions.view()),
              (std::vector<std::uint32_t>{3, 3, 2, 1}));
    EXPECT_EQ(data.report.rows_read, 13u);
    EXPECT_EQ(data.report.rows_kept, 9u);
    EXPECT_EQ(data.report.dropped.group_too_large, 4u);
    EXPECT_EQ(data.report.num_large_groups, 1u);
    EXPECT_TRUE(data.dataset.interactions.values.empty());
    EXPECT_FALSE(data.dataset.values_are_counts);
}

TEST_F(IngestTest, groups_of_exactly_the_smallest_and_largest_size_stay) {
    IngestOptions options =
        options_for("group,item\nA,1\nB,1\nB,2\nC,1\nC,2\nC,3\nD,1\nD,2\nD,3\nD,4\n");
    options.min_group_size = 2;
    options.max_group_size = 3;
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "B: 1 2 | C: 1 2 3");
    EXPECT_EQ(data.report.dropped.group_too_small, 1u);
    EXPECT_EQ(data.report.num_small_groups, 1u);
    EXPECT_EQ(data.report.dropped.group_too_large, 4u);
    EXPECT_EQ(data.dataset.items.find("4"), std::nullopt);
}

TEST_F(IngestTest, group_size_counts_items_that_are_frequent_enough) {
    IngestOptions options = options_for("group,item\nA,1\nA,2\nA,rare\nB,1\nB,2\nC,1\nC,odd\n");
    options.min_item_frequency = 2;
    options.min_group_size = 2;
    options.max_group_size = 2;
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "A: 1 2 | B: 1 2");
    EXPECT_EQ(data.report.dropped.rare_item, 2u);
    EXPECT_EQ(data.report.num_rare_items, 2u);
    EXPECT_EQ(data.report.dropped.group_too_small, 1u);
}

TEST_F(IngestTest, nothing_is_dropped_unless_asked) {
    const IngestedData data = read(options_for("group,item\nA,1\nB,2\nB,1\n"));
    EXPECT_EQ(to_text(data.dataset), "A: 1 | B: 1 2");
    EXPECT_EQ(data.report.dropped.total(), 0u);
}

TEST_F(IngestTest, numbers_follow_the_order_of_the_input) {
    const IngestedData data = read(options_for("group,item\nz,9\na,8\nz,7\na,9\n"));
    EXPECT_EQ(to_text(data.dataset), "z: 9 7 | a: 9 8");
    EXPECT_EQ(data.dataset.items[0], "9");
    EXPECT_EQ(data.dataset.items[1], "8");
}

TEST_F(IngestTest, keys_that_are_null_or_empty_are_counted) {
    const IngestedData data = read(options_for("group,item\nA,1\n,2\nA,\n\"\",\"\"\nB,\"1\"\n"));
    EXPECT_EQ(to_text(data.dataset), "A: 1 | B: 1");
    EXPECT_EQ(data.report.dropped.null_group, 2u);
    EXPECT_EQ(data.report.dropped.null_item, 1u);
}

// Track 1 is twice in list A under two spellings, and once more as an exact repetition.
constexpr const char* kSpellings =
    "list_id,track_id,title,artist\nA,1,Song,X\nA,1,SONG,X\nA,1,Song,X\nA,2,Other,Y\nB,1,Song,X\n";

TEST_F(IngestTest, duplicate_pairs_count_once) {
    const IngestedData data = read(options_for(kSpellings));
    EXPECT_EQ(to_text(data.dataset), "A: 1 2 | B: 1");
    EXPECT_EQ(data.report.dropped.duplicates, 2u);
    EXPECT_FALSE(data.dataset.values_are_counts);
}

TEST_F(IngestTest, duplicate_rows_count_once_but_spellings_twice) {
    IngestOptions options = options_for(kSpellings);
    options.duplicates = Duplicates::kRow;
    options.attribute_columns = {"artist"};
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "A: 1*2 2 | B: 1");
    EXPECT_EQ(data.report.dropped.duplicates, 1u);
    EXPECT_TRUE(data.dataset.values_are_counts);
    options.guess_title = false;
    EXPECT_EQ(to_text(read(options).dataset), "A: 1 2 | B: 1");
}

TEST_F(IngestTest, kept_duplicates_are_counts_and_fill_groups) {
    IngestOptions options = options_for(kSpellings);
    options.duplicates = Duplicates::kKeep;
    EXPECT_EQ(to_text(read(options).dataset), "A: 1*3 2 | B: 1");
    options.max_group_size = 3;
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "B: 1");
    EXPECT_EQ(data.report.dropped.group_too_large, 4u);
    options.duplicates = Duplicates::kRow;
    EXPECT_EQ(to_text(read(options).dataset), "A: 1*2 2 | B: 1");
}

TEST_F(IngestTest, weights_are_added_up) {
    IngestOptions options =
        options_for("user,item,w\nA,1,0.5\nA,1,2\nA,2,1\nB,1,0\nB,2,-1\nB,3,\n");
    options.weight_column = "w";
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "A: 1*2.5 2");
    EXPECT_EQ(data.report.dropped.weight_not_positive, 2u);
    EXPECT_EQ(data.report.dropped.null_weight, 1u);
    EXPECT_EQ(data.report.dropped.duplicates, 1u);
    options.duplicates = Duplicates::kKeep;
    EXPECT_EQ(to_text(read(options).dataset), "A: 1*2.5 2");
    EXPECT_FALSE(read(options).dataset.values_are_counts);
}

TEST_F(IngestTest, weights_that_are_no_numbers_name_their_row) {
    for (const std::string weight : {"NaN", "inf", "many", "1e300"}) {
        IngestOptions options = options_for("user,item,w\nA,1,1\nA,2," + weight + "\n");
        options.weight_column = "w";
        expect_error(options, "row 2: the weight '" + weight + "'");
    }
    IngestOptions options = options_for("user,item,w\nA,1,3e38\nA,1,3e38\n");
    options.weight_column = "w";
    expect_error(options, "group 'A'");
}

TEST_F(IngestTest, times_are_the_latest_of_their_rows) {
    IngestOptions options = options_for("user,item,when\nA,1,5\nA,1,7\nA,2,1970-01-02\nA,3,\n");
    options.time_column = "when";
    const IngestedData data = read(options);
    EXPECT_EQ(data.dataset.times, (std::vector<double>{7, 86400}));
    EXPECT_EQ(data.report.dropped.null_time, 1u);
    options.tables = {folder_.write("bad.csv", "user,item,when\nA,1,soon\n")};
    expect_error(options, "row 1: the time 'soon'");
}

TEST_F(IngestTest, positions_are_places_within_the_group) {
    IngestOptions options = options_for("group,item\nA,5\nB,1\nA,1\nA,5\nA,3\nB,5\n");
    options.want_positions = true;
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "A: 5 1 3 | B: 5 1");
    EXPECT_EQ(data.dataset.positions, (std::vector<std::uint32_t>{0, 1, 2, 1, 0}));
}

TEST_F(IngestTest, titles_are_the_greatest_of_their_item) {
    IngestOptions options = options_for(
        "list_id,track_id,track_title,artist\nA,1,Bee,X\nA,2,,\nB,1,Zoe \xC3\xA9,W\nB,3,\"Q, "
        "\"\"r\"\"\",V\n");
    options.attribute_columns = {"artist"};
    const IngestedData data = read(options);
    ASSERT_EQ(data.dataset.attributes.names, (std::vector<std::string>{"title", "artist"}));
    EXPECT_EQ(data.dataset.attributes.columns[0][0], "Zoe \xC3\xA9");
    EXPECT_EQ(data.dataset.attributes.columns[0][1], "");
    EXPECT_EQ(data.dataset.attributes.columns[0][2], "Q, \"r\"");
    EXPECT_EQ(data.dataset.attributes.columns[1][0], "X");
    EXPECT_EQ(data.report.items_without_title, 1u);
    ASSERT_EQ(data.report.guesses.size(), 3u);
    EXPECT_EQ(data.report.guesses[2].role, "title");
    EXPECT_EQ(data.report.guesses[2].column, "track_title");
}

TEST_F(IngestTest, attributes_have_names_of_their_own) {
    IngestOptions options = options_for("group,item,name,title\nA,1,n,t\n");
    options.attribute_columns = {"title", "name", "name"};
    EXPECT_EQ(read(options).dataset.attributes.names, (std::vector<std::string>{"title", "name"}));
    options.title_column = "name";
    expect_error(options, "two columns to be the attribute 'title'");
}

TEST_F(IngestTest, blueprint_drops_rows_without_a_title_and_ids_below_one) {
    IngestOptions options = options_for(
        "list_id,track_id,title\nA,1,x\nA,2,\nA,0,y\nA,-7,z\nB,007,v\nB,abc,w\nC,00,u\n");
    options.drop_null_titles = true;
    options.positive_item_keys = true;
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "A: 1 | B: 007 abc");
    EXPECT_EQ(data.report.dropped.null_title, 1u);
    EXPECT_EQ(data.report.dropped.item_key_not_positive, 3u);
    options = options_for("group,item\nA,1\n");
    options.drop_null_titles = true;
    expect_error(options, "--title");
}

TEST_F(IngestTest, titles_come_from_a_second_table) {
    IngestOptions options = options_for("userId,movieId\n1,10\n1,20\n2,10\n2,30\n");
    options.items_table = folder_.write(
        "movies.csv",
        "movieId,title,genres\n10,Toy Story,Comedy\n20,\"Heat, 1995\",Crime\n99,None,x\n,y,z\n");
    options.attribute_columns = {"genres"};
    IngestedData data = read(options);
    EXPECT_EQ(data.dataset.attributes.columns[0][1], "Heat, 1995");
    EXPECT_EQ(data.dataset.attributes.columns[1][0], "Comedy");
    EXPECT_EQ(data.report.item_rows_read, 4u);
    EXPECT_EQ(data.report.item_rows_unknown, 2u);
    EXPECT_EQ(data.report.items_without_title, 1u);
    options.drop_null_titles = true;
    data = read(options);
    EXPECT_EQ(to_text(data.dataset), "1: 10 20 | 2: 10");
    EXPECT_EQ(data.report.dropped.null_title, 1u);
    options.attribute_columns = {"genre"};
    expect_error(options, "did you mean 'genres'?");
    options.attribute_columns = {};
    options.item_key_column = "id";
    expect_error(options, "movies.csv' has no column 'id'");
}

TEST_F(IngestTest, whole_numbers_of_typed_tables_become_their_text) {
    IngestOptions options;
    options.sql =
        "SELECT * FROM (VALUES (5::BIGINT, 12.0::DOUBLE), (5, 7), (-9000000000000000000, 12), (0, "
        "5000000)) "
        "AS t(user_id, item_id)";
    const IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "5: 12 7 | -9000000000000000000: 12 | 0: 5000000");
}

TEST_F(IngestTest, lists_and_baskets) {
    IngestOptions options = options_for("u1 5 6 5\n\nu2\nu1 7\n  u3\t5\r\n", "rows.txt");
    options.tables = {folder_.write("rows.txt", "u1 5 6 5\n\nu2\nu1 7\n  u3\t5\n")};
    options.format = TableFormat::kLists;
    IngestedData data = read(options);
    EXPECT_EQ(to_text(data.dataset), "u1: 5 6 7 | u3: 5");
    EXPECT_EQ(data.report.lists_without_items, 2u);
    EXPECT_EQ(data.report.dropped.duplicates, 1u);
    options.format = TableFormat::kBaskets;
    data = read(options);
    EXPECT_EQ(to_text(data.dataset), "1: u1 5 6 | 3: u2 | 4: u1 7 | 5: 5 u3");
    options.items_table = folder_.write("items.csv", "item,title\n5,five\n");
    EXPECT_EQ(read(options).dataset.attributes.columns[0][1], "five");
    options.group_column = "user";
    expect_error(options, "no columns");
}

TEST_F(IngestTest, tables_without_a_header_are_named_by_number) {
    IngestOptions options = options_for("1\t10\t5\n1\t20\t3\n", "u.data");
    options.group_column = "column0";
    options.item_column = "column1";
    EXPECT_EQ(to_text(read(options).dataset), "1: 10 20");
}

TEST_F(IngestTest, nothing_left_says_where_everything_went) {
    expect_error(options_for("group,item\n"), "no row is left: 0 rows read");
    IngestOptions options = options_for("group,item\nA,1\n,2\n");
    options.min_item_frequency = 2;
    expect_error(options, "2 rows read, 1 dropped: no group, 1 dropped: item too rare");
    expect_error(options_for(""), "rows.csv");
}

TEST_F(IngestTest, wrong_input_is_one_clear_error) {
    IngestOptions options = options_for("playlist,track\nA,1\n");
    options.group_column = "playlst";
    expect_error(options, "did you mean 'playlist'?");
    expect_error(options_for("x,y,z\n1,2,3\n"), "which column of");
    expect_error(options_for("group,item\nA,\xFF\n"), "not utf-8");
    expect_error(options_for("group,item\nA,1\nB\n"), "Line: 3");
    options = {};
    expect_error(options, "no table");
    options.tables = {folder_.path("none.parquet")};
    expect_error(options, "does not exist");
    options = options_for("group,item\nA,1\n");
    options.min_group_size = 5;
    options.max_group_size = 4;
    expect_error(options, "no size is left");
}

TEST_F(IngestTest, progress_ends_with_all_rows) {
    std::uint64_t done = 0;
    const Result<IngestedData> data =
        ingest(options_for(kWorkedExample), [&](const Progress& progress) {
            EXPECT_GE(progress.done, done);
            done = progress.done;
        });
    ASSERT_TRUE(data.ok());
    EXPECT_EQ(done, 13u);
}

}  // namespace
}  // namespace segue
