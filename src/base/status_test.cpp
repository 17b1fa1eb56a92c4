#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace segue {
namespace {

TEST(Status, is_success_until_it_says_otherwise) {
    EXPECT_TRUE(Status().ok());
    const Status status = corrupt("broken");
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.code(), StatusCode::kCorrupt);
    EXPECT_EQ(status.message(), "broken");
}

TEST(Status, gets_context_in_front_only_when_it_is_a_failure) {
    EXPECT_EQ(io_error("full").with_context("disk").message(), "disk: full");
    EXPECT_EQ(io_error("full").with_context("disk").code(), StatusCode::kIo);
    EXPECT_TRUE(Status().with_context("disk").ok());
}

TEST(Status, has_a_name_for_each_code) {
    EXPECT_EQ(name_of(invalid_argument("").code()), "invalid argument");
    EXPECT_EQ(name_of(not_found("").code()), "not found");
    EXPECT_EQ(name_of(unsupported_version("").code()), "unsupported version");
    EXPECT_EQ(name_of(resource_limit("").code()), "resource limit");
    EXPECT_EQ(name_of(internal_error("").code()), "internal");
    EXPECT_EQ(name_of(StatusCode::kDeadline), "deadline");
}

TEST(Result, holds_a_value_or_the_reason_there_is_none) {
    Result<std::unique_ptr<int>> good(std::make_unique<int>(3));
    ASSERT_TRUE(good.ok());
    EXPECT_EQ(**good, 3);
    const std::unique_ptr<int> taken = std::move(good).value();
    EXPECT_EQ(*taken, 3);
    const Result<int> bad(not_found("no such thing"));
    EXPECT_FALSE(bad.ok());
    EXPECT_EQ(bad.status().code(), StatusCode::kNotFound);
}

TEST(AssertDeathTest, names_the_condition_and_the_place) {
    EXPECT_DEATH(SEGUE_ASSERT(1 + 1 == 3), "1 \\+ 1 == 3 does not hold at .*status_test.cpp");
}

}  // namespace
}  // namespace segue
