#include "base/memory.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace segue {
namespace {

TEST(AvailableMemory, is_more_than_this_program_needs_and_less_than_any_machine_has) {
    const std::uint64_t bytes = available_memory_bytes();
    EXPECT_GT(bytes, std::uint64_t{1} << 20);
    EXPECT_LT(bytes, std::uint64_t{1} << 50);
}

}  // namespace
}  // namespace segue
