#include "base/aligned_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace segue {
namespace {

TEST(AlignedBuffer, is_zeroed_and_begins_at_a_cache_line) {
    // The last two are large enough for huge pages.
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{17},
                                    std::size_t{1} << 20, (std::size_t{3} << 20) + 5}) {
        const AlignedBuffer<float> buffer(count);
        EXPECT_EQ(buffer.size(), count);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
        EXPECT_TRUE(std::all_of(buffer.span().begin(), buffer.span().end(),
                                [](float value) { return value == 0; }));
    }
}

TEST(AlignedBuffer, is_zeroed_where_others_were_before) {
    constexpr std::size_t kCount = std::size_t{68} << 20;  // bytes: zeroed when touched
    for (const std::size_t count : {std::size_t{5} << 20, kCount}) {
        for (int round = 0; round < 2; ++round) {
            AlignedBuffer<std::uint8_t> buffer(count);
            for (std::size_t at = 0; at < count; at += 1024) {
                ASSERT_EQ(buffer[at], 0);
                buffer[at] = 1;
            }
        }
    }
}

TEST(AlignedBuffer, moves_leave_nothing_behind) {
    AlignedBuffer<int> first(3);
    first[2] = 7;
    AlignedBuffer<int> second(std::move(first));
    EXPECT_EQ(second[2], 7);
    AlignedBuffer<int> third;
    third = std::move(second);
    EXPECT_EQ(third.size(), 3u);
    EXPECT_EQ(third[2], 7);
}

TEST(AlignedBuffer, refuses_sizes_that_overflow) {
    EXPECT_THROW(AlignedBuffer<double>(static_cast<std::size_t>(-1) / 8), std::bad_alloc);
    EXPECT_THROW(AlignedBuffer<double>(static_cast<std::size_t>(-1) / 2), std::bad_alloc);
}

}  // namespace
}  // namespace segue
