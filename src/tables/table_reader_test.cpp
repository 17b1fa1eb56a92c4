#include "tables/table_reader.h"

#include <sys/stat.h>

#include "tables/table_writer.h"
#include "tables/test_files.h"

namespace segue {
namespace {

class TableReaderTest : public testing::TableTest {
protected:
    /// Every cell as text, rows after the header's names; "-" is null.
    Result<std::vector<std::string>> read(const Table& table, std::vector<ColumnRequest> requests) {
        Result<TableRows> rows = table.read(requests);
        if (!rows.ok()) {
            return rows.status();
        }
        std::vector<std::string> lines;
        for (;;) {
            Result<std::optional<TableChunk>> chunk = rows->next();
            if (!chunk.ok()) {
                return chunk.status();
            }
            if (!chunk->has_value()) {
                return lines;
            }
            for (std::size_t row = 0; row < (*chunk)->num_rows; ++row) {
                lines.emplace_back();
                for (const ColumnView& column : (*chunk)->columns) {
                    lines.back().append(lines.back().empty() ? "" : "|").append(cell(column, row));
                }
            }
        }
    }
    static std::string cell(const ColumnView& column, std::size_t row) {
        if (column.is_null(row)) {
            return "-";
        }
        switch (column.kind()) {
            case ColumnView::Kind::kText:
                return std::string(column.text(row));
            case ColumnView::Kind::kInteger:
                return std::string("#").append(std::to_string(column.integer(row)));
            case ColumnView::Kind::kNumber:
                return std::to_string(column.number(row));
        }
        return "";
    }
    /// All columns of a source as keys.
    Result<std::vector<std::string>> read_keys(TableSource source) {
        const Result<Table> table = Table::open(session(), std::move(source));
        if (!table.ok()) {
            return table.status();
        }
        std::vector<ColumnRequest> requests;
        for (std::size_t column = 0; column < table->columns().size(); ++column) {
            requests.push_back({column, ColumnUse::kKey});
        }
        return read(*table, requests);
    }
    void expect_keys(const std::string& path, const std::vector<std::string>& expected) {
        const auto lines = read_keys({.paths = {path}, .sql = {}});
        ASSERT_TRUE(lines.ok()) << lines.status().message();
        EXPECT_EQ(*lines, expected);
    }
    void expect_error(TableSource source, const std::string& part) {
        const auto lines = read_keys(std::move(source));
        ASSERT_FALSE(lines.ok()) << part;
        EXPECT_NE(lines.status().message().find(part), std::string::npos)
            << lines.status().message();
        EXPECT_EQ(lines.status().message().find('\n'), std::string::npos);
    }
    std::string write_many(const std::string& name, int num_rows) {
        Result<TableWriter> writer = TableWriter::create(
            session(), folder_.path(name),
            {{"group", OutputColumn::Type::kInteger}, {"item", OutputColumn::Type::kInteger}},
            false);
        EXPECT_TRUE(writer.ok()) << writer.status().message();
        for (int row = 0; row < num_rows; ++row) {
            writer->integer(row);
            writer->integer(row * 7919 % 1009);
            writer->end_row();
        }
        const Status status = writer->commit();
        EXPECT_TRUE(status.ok()) << status.message();
        return folder_.path(name);
    }
};

TEST_F(TableReaderTest, csv_keys_stay_the_text_they_are) {
    expect_keys(
        folder_.write("a.csv", "group,item\n1,00123\n2,\"a \"\"q\"\", b\"\n,5\n\"\",\"\"\n"),
        {"1|00123", "2|a \"q\", b", "-|5", "-|-"});
    expect_keys(folder_.write("b.csv", "\xEF\xBB\xBFgroup;item\r\n1;\xC3\xA9\r\n"), {"1|\xC3\xA9"});
    expect_keys(folder_.write("c.tsv", "group\titem\n1\t2,5\n"), {"1|2,5"});
    expect_keys(folder_.write("d.dat", "g\ti\n01\t2010-01-01\n"), {"01|2010-01-01"});
    expect_keys(folder_.write("e.csv", "group,item\n"), {});
}

TEST_F(TableReaderTest, quotes_that_come_late_are_quotes) {
    std::string text = "group,item\n";
    for (int row = 0; row < 50000; ++row) {
        text += "1,2\n";
    }
    const auto lines =
        read_keys({.paths = {folder_.write("late.csv", text + "1,\"x\"\n")}, .sql = {}});
    ASSERT_TRUE(lines.ok()) << lines.status().message();
    EXPECT_EQ(lines->size(), 50001u);
    EXPECT_EQ(lines->back(), "1|x");
}

TEST_F(TableReaderTest, comments_and_odd_first_lines_are_not_skipped) {
    expect_keys(folder_.write("a.csv", "group,item\n#1,2\n3,4\n"), {"#1|2", "3|4"});
    expect_keys(folder_.write("b.csv", "about this file\ngroup,item\n1,2\n"),
                {"group,item", "1,2"});
}

TEST_F(TableReaderTest, files_without_a_header_have_numbered_columns) {
    const auto lines = read_keys(
        {.paths = {folder_.write("a.csv", "1,2\n3,4\n")}, .sql = {}, .has_header = false});
    ASSERT_TRUE(lines.ok()) << lines.status().message();
    EXPECT_EQ(*lines, (std::vector<std::string>{"1|2", "3|4"}));
}

TEST_F(TableReaderTest, malformed_rows_are_named_by_file_and_line) {
    expect_error({.paths = {folder_.write("a.csv", "group,item\n1,2\n3\n4,5\n")}, .sql = {}},
                 "Line: 3");
    std::string text = "group,item\n";
    for (int row = 0; row < 50000; ++row) {
        text += "1,2\n";
    }
    const std::string late = folder_.write("b.csv", text + "1,2,3\n" + text);
    expect_error({.paths = {late}, .sql = {}}, "Line: 50002");
    expect_error({.paths = {late}, .sql = {}}, "b.csv");
    expect_error({.paths = {folder_.write("c.csv", "group,item\n1,2\n3,\xFF\xFE\n")}, .sql = {}},
                 "not utf-8");
    expect_error({.paths = {folder_.write("d.csv", "group,item\n1,\"2\n3,4\n")}, .sql = {}},
                 "d.csv");
}

TEST_F(TableReaderTest, missing_and_broken_files_are_errors) {
    expect_error({.paths = {folder_.path("none.csv")}, .sql = {}}, "does not exist");
    expect_error({.paths = {folder_.path("none-*.csv")}, .sql = {}}, "no files found");
    expect_error({.paths = {folder_.path("")}, .sql = {}}, "is a folder");
    expect_error({.paths = {"http://example.org/a.csv"}, .sql = {}}, "only files of this machine");
    expect_error({.paths = {}, .sql = {}}, "no table is named");
    expect_error({.paths = {folder_.write("a.parquet", "hello")}, .sql = {}}, "a.parquet");
    expect_error({.paths = {folder_.write("a.csv.gz", "no gzip")}, .sql = {}}, "a.csv.gz");
    expect_error({.paths = {folder_.write("a.jsonl", "{\"g\":1}\n{\"g\":2\n")}, .sql = {}},
                 "line 3");
    expect_error(
        {.paths = {folder_.write("x.csv", "a\n"), folder_.write("x.parquet", "")}, .sql = {}},
        "one format");
}

TEST_F(TableReaderTest, pipes_and_devices_are_refused) {
    ASSERT_EQ(::mkfifo(folder_.path("pipe.csv").c_str(), 0600), 0);
    expect_error({.paths = {folder_.path("pipe.csv")}, .sql = {}}, "not a regular file");
    expect_error({.paths = {"/dev/zero"}, .sql = {}}, "not a regular file");
}

TEST_F(TableReaderTest, bytes_that_are_no_text_are_never_keys) {
    const std::string path = folder_.path("binary.parquet");
    ASSERT_TRUE(session()
                    .query("COPY (SELECT '\\xFF\\xFE'::BLOB AS g, 'plain'::BLOB AS i) TO " +
                           sql_literal(path))
                    .ok());
    EXPECT_FALSE(read_keys({.paths = {path}, .sql = {}}).ok());
    ASSERT_TRUE(session()
                    .query("COPY (SELECT 'one'::BLOB AS g, 'plain'::BLOB AS i) TO " +
                           sql_literal(folder_.path("text.parquet")))
                    .ok());
    expect_keys(folder_.path("text.parquet"), {"one|plain"});
    const auto lines = read_keys(
        {.paths = {folder_.write("nul.csv", std::string_view("g,i\n1,a\0b\n", 10))}, .sql = {}});
    if (lines.ok()) {
        EXPECT_EQ(*lines, std::vector<std::string>{std::string("1|a\0b", 5)});
    }
}

TEST_F(TableReaderTest, truncated_files_are_errors) {
    for (const std::string name : {"t.parquet", "t.csv.gz", "t.csv.zst", "t.jsonl.gz"}) {
        write_many(name, 200000);
        folder_.cut_in_half(name);
        const auto lines = read_keys({.paths = {folder_.path(name)}, .sql = {}});
        EXPECT_FALSE(lines.ok()) << name;
    }
}

TEST_F(TableReaderTest, every_format_and_compression_gives_the_same_rows) {
    std::vector<std::string> expected;
    for (int row = 0; row < 5000; ++row) {
        expected.push_back(std::to_string(row) + "|" + std::to_string(row * 7919 % 1009));
    }
    for (const std::string name : {"t.parquet", "t.csv", "t.csv.gz", "t.csv.zst", "t.tsv",
                                   "t.jsonl", "t.jsonl.gz", "t.json"}) {
        const auto lines = read_keys({.paths = {write_many(name, 5000)}, .sql = {}});
        ASSERT_TRUE(lines.ok()) << lines.status().message();
        std::vector<std::string> without_kind = *lines;
        for (std::string& line : without_kind) {
            std::erase(line, '#');
        }
        EXPECT_EQ(without_kind, expected) << name;
    }
}

TEST_F(TableReaderTest, several_files_are_united_by_name) {
    folder_.write("part-1.csv", "group,item\n1,2\n");
    folder_.write("part-2.csv", "item,group\n4,3\n");
    expect_keys(folder_.path("part-*.csv"), {"1|2", "3|4"});
    expect_keys(folder_.write("odd[1].csv", "group,item\n5,6\n"), {"5|6"});
}

TEST_F(TableReaderTest, json_fields_stay_text_but_ids_with_gaps_become_whole) {
    expect_keys(folder_.write("a.jsonl",
                              "{\"g\":1,\"d\":\"2010-01-01\",\"f\":1.0,\"u\":\"00123\"}\n"
                              "{\"g\":2,\"d\":\"2010-01-02\",\"u\":\"x\"}\n"),
                {"1|2010-01-01|1|00123", "2|2010-01-02|-|x"});
}

TEST_F(TableReaderTest, floating_point_keys_with_whole_values_are_whole_numbers) {
    const auto lines = read_keys({.paths = {},
                                  .sql = "SELECT * FROM (VALUES (12.0::DOUBLE, 7::UTINYINT), "
                                         "(-0.0, NULL), (1.5, 1), ('nan', 1), "
                                         "(1e300, 2)) -- note"});
    ASSERT_TRUE(lines.ok()) << lines.status().message();
    EXPECT_EQ(*lines, (std::vector<std::string>{"12|#7", "0|-", "1.5|#1", "-|#1", "1e+300|#2"}));
}

TEST_F(TableReaderTest, query_sees_the_files_as_input) {
    const std::string path = folder_.write("a.csv", "user,item,rating\n1,2,4.5\n1,3,2.0\n");
    const auto lines =
        read_keys({.paths = {path}, .sql = "SELECT user, item FROM input WHERE rating >= 4"});
    ASSERT_TRUE(lines.ok()) << lines.status().message();
    EXPECT_EQ(*lines, (std::vector<std::string>{"#1|#2"}));
    expect_error({.paths = {}, .sql = "DELETE FROM input"}, "SQL");
    expect_error({.paths = {}, .sql = "SELECT [1, 2] AS items"},
                 "column 'items' has the type INTEGER[]");
}

TEST_F(TableReaderTest, numbers_and_times_are_read_from_text) {
    const std::string path =
        folder_.write("a.csv", "w,t\n1.5,1970-01-02\n,\n-2e3,1970-01-01 00:01\nx,soon\n1,12.5\n");
    const Result<Table> table = Table::open(session(), {.paths = {path}, .sql = {}});
    ASSERT_TRUE(table.ok()) << table.status().message();
    const auto lines = read(*table, {{0, ColumnUse::kNumber}, {1, ColumnUse::kTime}});
    ASSERT_TRUE(lines.ok()) << lines.status().message();
    EXPECT_EQ(*lines,
              (std::vector<std::string>{"1.500000|86400.000000", "-|-", "-2000.000000|60.000000",
                                        "nan|nan", "1.000000|12.500000"}));
    EXPECT_EQ(table->cell_text(1, 3), "soon");
}

TEST_F(TableReaderTest, typed_times_become_seconds) {
    const Result<Table> table = Table::open(
        session(), {.paths = {},
                    .sql = "SELECT DATE '1970-01-02' AS d, TIMESTAMP '1970-01-01 00:00:01' AS t"});
    ASSERT_TRUE(table.ok()) << table.status().message();
    const auto lines = read(*table, {{0, ColumnUse::kTime}, {1, ColumnUse::kTime}});
    ASSERT_TRUE(lines.ok()) << lines.status().message();
    EXPECT_EQ(*lines, (std::vector<std::string>{"86400.000000|1.000000"}));
    EXPECT_FALSE(table->read(std::vector<ColumnRequest>{{0, ColumnUse::kNumber}}).ok());
}

TEST_F(TableReaderTest, columns_are_found_by_near_enough_names) {
    const std::string path = folder_.write("a.csv", "user_id:token,Item,track_title\n1,2,3\n");
    const Result<Table> table = Table::open(session(), {.paths = {path}, .sql = {}});
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_EQ(*table->find_column("user_id"), 0u);
    EXPECT_EQ(*table->find_column("item"), 1u);
    const Status status = table->find_column("trak_title").status();
    EXPECT_NE(status.message().find("did you mean 'track_title'?"), std::string::npos);
    EXPECT_NE(status.message().find("user_id:token, Item, track_title"), std::string::npos);
    EXPECT_EQ(table->find_column("xyzzy").status().message().find("did you mean"),
              std::string::npos);
}

TEST_F(TableReaderTest, lines_are_read_whole_and_counted_when_empty) {
    const std::string path = folder_.write("a.txt", "1 2 3\n\n2 \"x 4,5\n3 a\tb");
    const Result<Table> table = Table::open_lines(session(), {path});
    ASSERT_TRUE(table.ok()) << table.status().message();
    const auto lines = read(*table, {{0, ColumnUse::kText}});
    ASSERT_TRUE(lines.ok()) << lines.status().message();
    EXPECT_EQ(*lines, (std::vector<std::string>{"1 2 3", "-", "2 \"x 4,5", "3 a\tb"}));
}

TEST_F(TableReaderTest, lines_that_end_in_two_ways_are_an_error) {
    const Result<Table> table =
        Table::open_lines(session(), {folder_.write("a.txt", "1 2\n3 4\r\n5 6\n")});
    ASSERT_TRUE(table.ok());
    const auto lines = read(*table, {{0, ColumnUse::kText}});
    ASSERT_FALSE(lines.ok());
    EXPECT_NE(lines.status().message().find("ends of lines"), std::string::npos);
}

TEST_F(TableReaderTest, parquet_tells_its_rows_without_reading) {
    const Result<Table> table =
        Table::open(session(), {.paths = {write_many("a.parquet", 777)}, .sql = {}});
    ASSERT_TRUE(table.ok());
    EXPECT_EQ(table->num_rows_if_known(), 777u);
}

}  // namespace
}  // namespace segue
