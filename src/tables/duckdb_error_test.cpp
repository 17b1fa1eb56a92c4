#include "tables/duckdb_error.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

TEST(DuckDbError, keeps_file_line_and_finding_of_a_csv_error) {
    const Status status = status_of_duckdb_error(
        "Invalid Input Error: CSV Error on Line: 3\nOriginal Line: 3\nExpected Number of Columns: "
        "2 "
        "Found: 1\nPossible fixes:\n* Enable null padding (null_padding=true)\n\n  file = bad.csv\n"
        "  delimiter = , (Auto-Detected)\n");
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(),
              "'bad.csv': CSV Error on Line: 3; Original Line: 3; Expected Number of Columns: 2 "
              "Found: 1");
}

TEST(DuckDbError, drops_the_echo_of_the_sql) {
    const Status status = status_of_duckdb_error(
        "IO Error: No files found that match the pattern \"/x/*.csv\"\n\nLINE 1: from x\n     ^");
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_EQ(status.message(), "no files found that match the pattern \"/x/*.csv\"");
}

TEST(DuckDbError, passes_on_the_beginning_of_a_long_line) {
    const Status status = status_of_duckdb_error("Conversion Error: Could not convert string '" +
                                                 std::string(1'000'000, 'x') + "'\nend");
    EXPECT_LT(status.message().size(), 500u);
    EXPECT_TRUE(status.message().ends_with("x…; end")) << status.message();
}

TEST(DuckDbError, tells_kinds_apart) {
    EXPECT_EQ(status_of_duckdb_error("IO Error: disk").code(), StatusCode::kIo);
    EXPECT_EQ(status_of_duckdb_error("Out of Memory Error: x").code(), StatusCode::kResourceLimit);
    EXPECT_EQ(status_of_duckdb_error("INTERNAL Error: x").code(), StatusCode::kInternal);
    EXPECT_EQ(status_of_duckdb_error("Parser Error: x").message(), "SQL: x");
}

TEST(DuckDbError, is_an_error_even_without_words) {
    EXPECT_FALSE(status_of_duckdb_error("").ok());
    EXPECT_FALSE(status_of_duckdb_error("\n\n").message().empty());
}

}  // namespace
}  // namespace segue
