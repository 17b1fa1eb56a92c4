#include "ingest/ingest.h"
#include "ingest/test_dataset.h"

namespace segue {
namespace {

using KnownRowsTest = testing::TableTest;

TEST_F(KnownRowsTest, rows_of_unknown_groups_and_items_are_counted) {
    Vocabulary groups;
    Vocabulary items;
    for (const char* key : {"A", "B", "C"}) {
        groups.insert(key);
    }
    for (const char* key : {"1", "2", "3"}) {
        items.insert(key);
    }
    IngestOptions options;
    options.tables = {folder_.write(
        "test.csv", "group,item,title\nC,3,x\nC,1,y\nA,9,z\nX,1,z\nC,3,x\nA,2,\n,1,\n")};
    options.drop_null_titles = true;
    const Result<KnownRows> known = read_known_rows(options, groups, items, {});
    ASSERT_TRUE(known.ok()) << known.status().message();
    EXPECT_EQ(testing::to_text(known->interactions.view(), groups, items), "A: 2 | B: | C: 1 3");
    EXPECT_TRUE(validate(known->interactions.view()).ok());
    EXPECT_EQ(known->report.dropped.unknown_group, 1u);
    EXPECT_EQ(known->report.dropped.unknown_item, 1u);
    EXPECT_EQ(known->report.dropped.duplicates, 1u);
    EXPECT_EQ(known->report.rows_read, known->report.rows_kept + known->report.dropped.total());
}

TEST_F(KnownRowsTest, whole_numbers_meet_their_text) {
    Vocabulary groups;
    Vocabulary items;
    groups.insert("5");
    items.insert("77");
    IngestOptions options;
    options.sql = "SELECT 5 AS user_id, 77 AS item_id, 2.5 AS w UNION ALL SELECT 5, 77, 1.5";
    options.weight_column = "w";
    const Result<KnownRows> known = read_known_rows(options, groups, items, {});
    ASSERT_TRUE(known.ok()) << known.status().message();
    EXPECT_EQ(testing::to_text(known->interactions.view(), groups, items), "5: 77*4");
}

}  // namespace
}  // namespace segue
