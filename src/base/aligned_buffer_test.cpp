#include "base/aligned_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <stdexcept>

#include "base/large_vector.h"

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

TEST(LargeVector, grows_as_any_vector_and_begins_at_a_cache_line) {
    LargeVector<std::uint32_t> vector;
    for (std::uint32_t value = 0; value < 3'000'000; ++value) {
        vector.push_back(value);
    }
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(vector.data()) % 64, 0u);
    vector.resize(2'000'000);
    vector.resize(4'000'000);  // the new ones hold anything
    std::iota(vector.begin() + 2'000'000, vector.end(), 2'000'000u);
    for (std::uint32_t value = 0; value < vector.size(); ++value) {
        ASSERT_EQ(vector[value], value);
    }
    const LargeVector<std::uint32_t> copy = vector;
    EXPECT_EQ(copy, vector);
    EXPECT_EQ(LargeVector<float>(3, 1.5F)[2], 1.5F);
}

TEST(LargeVector, refuses_sizes_that_overflow) {
    EXPECT_THROW(LargeAllocator<double>().allocate(static_cast<std::size_t>(-1) / 8),
                 std::bad_alloc);
    EXPECT_THROW(LargeVector<double>().reserve(static_cast<std::size_t>(-1) / 8),
                 std::length_error);
}

}  // namespace
}  // namespace segue
