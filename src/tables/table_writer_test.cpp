#include "tables/table_writer.h"

#include <sys/stat.h>

#include <array>

#include "tables/test_files.h"

namespace segue {
namespace {

using Type = OutputColumn::Type;
using TableWriterTest = testing::TableTest;

const std::vector<OutputColumn> kColumns = {{"item", Type::kText},
                                            {"count", Type::kInteger},
                                            {"score", Type::kFloat},
                                            {"pmi", Type::kDouble},
                                            {"embedding", Type::kFloatList}};

void write_two_rows(TableWriter& writer) {
    writer.text("a \"b\", \xC3\xA9");
    writer.integer(-3);
    writer.number(0.25);
    writer.number(0.1);
    writer.floats(std::array<float, 2>{1.5f, -2.0f});
    writer.end_row();
    writer.null();
    writer.null();
    writer.null();
    writer.null();
    writer.null();
    writer.end_row();
}

TEST_F(TableWriterTest, writes_csv_and_json_lines) {
    for (const std::string name : {"a.csv", "a.jsonl"}) {
        Result<TableWriter> writer =
            TableWriter::create(session(), folder_.path(name), kColumns, false);
        ASSERT_TRUE(writer.ok()) << writer.status().message();
        write_two_rows(*writer);
        const Status status = writer->commit();
        ASSERT_TRUE(status.ok()) << status.message();
    }
    EXPECT_EQ(folder_.read("a.csv"),
              "item,count,score,pmi,embedding\n\"a \"\"b\"\", \xC3\xA9\",-3,0.25,0.1,\"[1.5, "
              "-2.0]\"\n,,,,\n");
    EXPECT_EQ(folder_.read("a.jsonl"),
              "{\"item\":\"a \\\"b\\\", \xC3\xA9\",\"count\":-3,\"score\":0.25,\"pmi\":0.1,"
              "\"embedding\":[1.5,-2.0]}\n"
              "{\"item\":null,\"count\":null,\"score\":null,\"pmi\":null,\"embedding\":null}\n");
    EXPECT_EQ(folder_.num_files(), 2u);
}

TEST_F(TableWriterTest, many_rows_come_back_from_parquet_in_order) {
    const std::string path = folder_.path("a.parquet");
    Result<TableWriter> writer = TableWriter::create(
        session(), path, {{"key", Type::kText}, {"vector", Type::kFloatList}}, false);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    for (int row = 0; row < 10000; ++row) {
        writer->text("key number " + std::to_string(row));
        writer->floats(
            std::vector<float>(static_cast<std::size_t>(row % 5), static_cast<float>(row)));
        writer->end_row();
    }
    const Status status = writer->commit();
    ASSERT_TRUE(status.ok()) << status.message();
    const auto rows = session().query_text(
        "SELECT CAST(count(*) AS VARCHAR), CAST(count(*) FILTER (key = 'key number ' || "
        "file_row_number "
        "AND len(vector) = file_row_number % 5 AND list_sum(vector) IS NOT DISTINCT FROM "
        "if(file_row_number % 5 = 0, NULL, file_row_number * (file_row_number % 5))) AS VARCHAR) "
        "FROM read_parquet(" +
        sql_literal(path) + ", file_row_number=true)");
    ASSERT_TRUE(rows.ok()) << rows.status().message();
    EXPECT_EQ((*rows)[0][0], "10000");
    EXPECT_EQ((*rows)[0][1], "10000");
}

TEST_F(TableWriterTest, overwrites_only_when_told) {
    folder_.write("a.csv", "precious");
    EXPECT_FALSE(TableWriter::create(session(), folder_.path("a.csv"), kColumns, false).ok());
    Result<TableWriter> writer =
        TableWriter::create(session(), folder_.path("a.csv"), kColumns, true);
    ASSERT_TRUE(writer.ok());
    write_two_rows(*writer);
    EXPECT_EQ(folder_.read("a.csv"), "precious");
    ASSERT_TRUE(writer->commit().ok());
    EXPECT_NE(folder_.read("a.csv"), "precious");
}

TEST_F(TableWriterTest, replaces_the_file_behind_a_link_and_never_a_pipe) {
    folder_.write("a.csv", "old");
    std::filesystem::create_symlink("a.csv", folder_.path("link.csv"));
    ASSERT_EQ(::mkfifo(folder_.path("pipe.csv").c_str(), 0600), 0);
    Result<TableWriter> writer =
        TableWriter::create(session(), folder_.path("link.csv"), kColumns, true);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    write_two_rows(*writer);
    ASSERT_TRUE(writer->commit().ok());
    EXPECT_TRUE(std::filesystem::is_symlink(folder_.path("link.csv")));
    EXPECT_TRUE(folder_.read("a.csv").starts_with("item,count"));
    EXPECT_FALSE(TableWriter::create(session(), folder_.path("pipe.csv"), kColumns, true).ok());
    EXPECT_TRUE(std::filesystem::is_fifo(folder_.path("pipe.csv")));
    EXPECT_EQ(folder_.num_files(), 3u);
}

TEST_F(TableWriterTest, leaves_nothing_without_commit) {
    {
        Result<TableWriter> writer =
            TableWriter::create(session(), folder_.path("a.csv"), kColumns, false);
        ASSERT_TRUE(writer.ok());
        write_two_rows(*writer);
    }
    EXPECT_EQ(folder_.num_files(), 0u);
}

TEST_F(TableWriterTest, refuses_what_it_cannot_write) {
    EXPECT_FALSE(TableWriter::create(session(), folder_.path("a.xlsx"), kColumns, false).ok());
    EXPECT_FALSE(TableWriter::create(session(), folder_.path("a"), kColumns, false).ok());
    EXPECT_FALSE(
        TableWriter::create(session(), folder_.path("a.parquet.gz"), kColumns, false).ok());
    EXPECT_FALSE(TableWriter::create(session(), folder_.path("none/a.csv"), kColumns, false).ok());
    EXPECT_FALSE(TableWriter::create(session(), folder_.path("a.csv"), {}, false).ok());
    EXPECT_FALSE(TableWriter::create(session(), folder_.path("a.csv"),
                                     {{"a", Type::kText}, {"A", Type::kText}}, false)
                     .ok());
    EXPECT_EQ(folder_.num_files(), 0u);
}

TEST_F(TableWriterTest, text_must_be_utf8) {
    Result<TableWriter> writer =
        TableWriter::create(session(), folder_.path("a.csv"), {{"a", Type::kText}}, false);
    ASSERT_TRUE(writer.ok());
    writer->text("fine");
    writer->end_row();
    writer->text("\xFF");
    writer->end_row();
    const Status status = writer->commit();
    EXPECT_NE(status.message().find("row 2 is not UTF-8"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace segue
