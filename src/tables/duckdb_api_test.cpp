#include "tables/duckdb_api.h"

#include <gtest/gtest.h>

#include "tables/test_files.h"

namespace segue {
namespace {

TEST(DuckDbApi, missing_library_says_how_to_get_it) {
    const Result<duckdb::Api> api = duckdb::load_api("/nowhere/libduckdb.so");
    ASSERT_FALSE(api.ok());
    EXPECT_EQ(api.status().code(), StatusCode::kNotFound);
    EXPECT_NE(api.status().message().find("/nowhere/libduckdb.so"), std::string::npos);
    EXPECT_NE(api.status().message().find("./dev setup"), std::string::npos);
    EXPECT_NE(api.status().message().find("pip install duckdb"), std::string::npos);
}

TEST(DuckDbApi, garbage_is_no_library) {
    const testing::TemporaryFolder folder;
    for (const std::string name : {"libduckdb.so", "_duckdb.cpython-399-x86_64-linux-gnu.so",
                                   "_duckdb.cpython-3.so", "empty.so"}) {
        folder.write(name, name == "empty.so" ? "" : "this is no library");
        const Result<duckdb::Api> api = duckdb::load_api(folder.path(name));
        ASSERT_FALSE(api.ok());
        EXPECT_EQ(api.status().code(), StatusCode::kNotFound);
    }
}

TEST(DuckDbApi, python_module_names_the_python_it_needs) {
    const Result<duckdb::Api> api = duckdb::load_api("/nowhere/_duckdb.cpython-399-x.so");
    ASSERT_FALSE(api.ok());
    EXPECT_NE(api.status().message().find("libpython3.99.so.1.0"), std::string::npos);
}

TEST(DuckDbApi, other_library_lacks_the_functions) {
    const Result<duckdb::Api> api = duckdb::load_api("libm.so.6");
    ASSERT_FALSE(api.ok());
    EXPECT_NE(api.status().message().find("duckdb_library_version"), std::string::npos);
}

}  // namespace
}  // namespace segue
