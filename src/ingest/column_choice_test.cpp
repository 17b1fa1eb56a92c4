#include "ingest/column_choice.h"

#include "tables/test_files.h"

namespace segue {
namespace {

class ColumnChoiceTest : public testing::TableTest {
protected:
    /// "group item title" as chosen for a header, "-" where there is none.
    std::string choose(const std::string& header) {
        const Result<Table> table =
            Table::open(session(), {.paths = {folder_.write("a.csv", header + "\n")}, .sql = {}});
        EXPECT_TRUE(table.ok()) << table.status().message();
        std::vector<std::size_t> taken;
        std::string chosen;
        for (const ColumnRole role : {ColumnRole::kGroup, ColumnRole::kItem, ColumnRole::kTitle}) {
            const auto column = guess_column(*table, role, taken);
            chosen.append(chosen.empty() ? "" : " ")
                .append(column ? table->columns()[*column].name : "-");
            if (column) {
                taken.push_back(*column);
            }
        }
        return chosen;
    }
};

TEST_F(ColumnChoiceTest, usual_names_are_known) {
    EXPECT_EQ(choose("list_id,position,track_id,track_title,track_artist"),
              "list_id track_id track_title");
    EXPECT_EQ(choose("invoice,stockcode,description,quantity"), "invoice stockcode description");
    EXPECT_EQ(choose("userId,movieId,rating,timestamp"), "userId movieId -");
    EXPECT_EQ(choose("user_id:token,item_id:token,rating:float"), "user_id:token item_id:token -");
    EXPECT_EQ(choose("User_ID,Anime_ID,Feedback"), "User_ID Anime_ID -");
    EXPECT_EQ(choose("basket,item"), "basket item -");
    EXPECT_EQ(choose("x,y,z"), "- - -");
}

TEST_F(ColumnChoiceTest, two_columns_are_group_and_item) {
    const Result<Table> table =
        Table::open(session(), {.paths = {folder_.write("a.csv", "x,y\n")}, .sql = {}});
    ASSERT_TRUE(table.ok());
    std::vector<ColumnGuess> guesses;
    EXPECT_EQ(*choose_column(*table, ColumnRole::kGroup, "", {}, guesses), 0u);
    EXPECT_EQ(*choose_column(*table, ColumnRole::kItem, "", {0}, guesses), 1u);
    EXPECT_EQ(*choose_column(*table, ColumnRole::kGroup, "", {0}, guesses), 1u);
    EXPECT_EQ(guesses.size(), 3u);
    EXPECT_FALSE(choose_column(*table, ColumnRole::kItemKey, "", {}, guesses).ok());
}

}  // namespace
}  // namespace segue
