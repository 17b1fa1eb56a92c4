#include "http/handler_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

namespace segue {
namespace {

TEST(HandlerMemory, lends_its_room_to_one_at_a_time_and_allocates_for_others) {
    HandlerMemory memory;
    void* const first = memory.allocate(100);
    void* const second = memory.allocate(100);
    void* const large = memory.allocate(100'000);
    EXPECT_NE(first, second);
    std::memset(first, 1, 100);
    std::memset(second, 2, 100);
    std::memset(large, 3, 100'000);
    memory.deallocate(second);
    memory.deallocate(first);
    memory.deallocate(large);
    EXPECT_EQ(memory.allocate(200), first);
    memory.deallocate(first);
}

TEST(HandlerMemory, outlives_nobody_that_a_handler_owns) {
    struct Owner {
        HandlerMemory memory;
        int num_calls = 0;
    };
    auto owner = std::make_shared<Owner>();
    auto handler = in_memory(owner->memory, [owner](int count) { owner->num_calls += count; });
    auto allocator = handler.get_allocator();
    auto* const operation = allocator.allocate(1);
    handler(3);
    EXPECT_EQ(owner->num_calls, 3);
    EXPECT_EQ(allocator, handler.get_allocator());
    allocator.deallocate(operation, 1);
    EXPECT_EQ(owner.use_count(), 2);
}

}  // namespace
}  // namespace segue
