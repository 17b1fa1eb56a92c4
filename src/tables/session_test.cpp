#include "tables/session.h"

#include "tables/test_files.h"

namespace segue {
namespace {

using SessionTest = testing::TableTest;

TEST(Sql, quotes_are_doubled) {
    EXPECT_EQ(sql_identifier("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(sql_literal("it's"), "'it''s'");
}

TEST_F(SessionTest, answers_a_query) {
    const auto rows = session().query_text(
        "SELECT 'a', NULL::VARCHAR UNION ALL SELECT 'long text beyond 12', ''");
    ASSERT_TRUE(rows.ok()) << rows.status().message();
    ASSERT_EQ(rows->size(), 2u);
    EXPECT_EQ((*rows)[0], (std::vector<std::string>{"a", ""}));
    EXPECT_EQ((*rows)[1], (std::vector<std::string>{"long text beyond 12", ""}));
    EXPECT_FALSE(session().library_version().empty());
}

TEST_F(SessionTest, wrong_sql_is_one_line_of_error) {
    for (const std::string sql :
         {"SELEC 1", "SELECT * FROM nowhere", "SELECT * FROM 'missing.csv'", ""}) {
        const auto streamed = session().stream(sql);
        ASSERT_FALSE(streamed.ok()) << sql;
        EXPECT_EQ(streamed.status().message().find('\n'), std::string::npos);
    }
    EXPECT_FALSE(session().query("SELECT * FROM nowhere").ok());
}

TEST_F(SessionTest, streams_rows_in_order) {
    Result<QueryResult> result = session().stream("SELECT range FROM range(1000000)");
    ASSERT_TRUE(result.ok()) << result.status().message();
    std::int64_t expected = 0;
    for (;;) {
        const Result<std::optional<Chunk>> chunk = result->next();
        ASSERT_TRUE(chunk.ok()) << chunk.status().message();
        if (!chunk->has_value()) {
            break;
        }
        const ColumnView column = (*chunk)->column(0, ColumnView::Kind::kInteger);
        for (std::size_t row = 0; row < (*chunk)->num_rows(); ++row) {
            ASSERT_EQ(column.integer(row), expected++);
        }
    }
    EXPECT_EQ(expected, 1000000);
}

TEST_F(SessionTest, error_in_the_middle_of_a_stream_is_reported) {
    Result<QueryResult> result = session().stream(
        "SELECT CAST(CASE WHEN range = 900000 THEN 'x' ELSE '1' END AS BIGINT) FROM "
        "range(1000000)");
    Status status = result.ok() ? Status() : result.status();
    while (status.ok()) {
        const Result<std::optional<Chunk>> chunk = result->next();
        ASSERT_TRUE(!chunk.ok() || chunk->has_value()) << "the stream ended as if all were well";
        status = chunk.ok() ? Status() : chunk.status();
    }
    EXPECT_NE(status.message().find("Could not convert string 'x'"), std::string::npos);
}

TEST_F(SessionTest, half_read_stream_may_be_left) {
    {
        Result<QueryResult> result = session().stream("SELECT range FROM range(10000000)");
        ASSERT_TRUE(result.ok());
        ASSERT_TRUE(result->next().ok());
    }
    EXPECT_TRUE(session().query("SELECT 1").ok());
}

TEST_F(SessionTest, fetches_nothing_from_the_network) {
    EXPECT_FALSE(session().query("SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')").ok());
}

TEST(Session, obeys_its_memory_limit) {
    Result<Session> session = Session::open({.num_threads = 1, .memory_limit_bytes = 50'000'000});
    if (!session.ok()) {
        GTEST_SKIP() << session.status().message();
    }
    const auto rows = session->query_text("SELECT current_setting('memory_limit')");
    ASSERT_TRUE(rows.ok()) << rows.status().message();
    EXPECT_EQ((*rows)[0][0], "47.6 MiB");
}

}  // namespace
}  // namespace segue
