#include "base/give_way.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "base/checksum.h"
#include "base/stopwatch.h"
#include "base/thread_pool.h"

namespace segue {
namespace {

/// How often the calling thread went to sleep while it worked for a while.
long num_rests() {
    constexpr double kSeconds = 0.01;
    rusage before = {};
    rusage after = {};
    ::getrusage(RUSAGE_THREAD, &before);
    for (const Stopwatch clock; clock.seconds() < kSeconds;) {
        give_way();
    }
    ::getrusage(RUSAGE_THREAD, &after);
    return after.ru_nvcsw - before.ru_nvcsw;
}

TEST(GiveWay, rests_where_work_is_gentle) {
    const std::atomic<bool> hurries = false;
    const GentleWork gently(hurries);
    EXPECT_TRUE(works_gently());
    EXPECT_GT(num_rests(), 0);
}

TEST(GiveWay, does_not_rest_elsewhere) {
    EXPECT_FALSE(works_gently());
    EXPECT_EQ(num_rests(), 0);
    const std::atomic<bool> hurries = false;
    {
        const GentleWork gently(hurries);
        std::thread([] {
            EXPECT_FALSE(works_gently());
            EXPECT_EQ(num_rests(), 0);
        }).join();
    }
    EXPECT_FALSE(works_gently());
}

TEST(GiveWay, does_not_rest_where_gentle_work_is_to_end_soon) {
    std::atomic<bool> hurries = false;
    const GentleWork gently(hurries);
    hurries = true;
    EXPECT_TRUE(works_gently());
    EXPECT_EQ(num_rests(), 0);
}

TEST(GiveWay, takes_pools_of_one_thread_where_none_was_asked_for) {
    const std::atomic<bool> hurries = false;
    const GentleWork gently(hurries);
    EXPECT_EQ(ThreadPool(0).num_threads(), 1U);
    EXPECT_EQ(ThreadPool(2).num_threads(), 2U);
}

TEST(GiveWay, leaves_checksums_as_they_are) {
    constexpr std::size_t kMostBytes = 600'001;
    std::vector<std::byte> bytes(kMostBytes);
    for (std::size_t place = 0; place < bytes.size(); ++place) {
        bytes[place] = static_cast<std::byte>(place * place >> 3U);
    }
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{7}, std::size_t{131'072}, kMostBytes}) {
        const std::span<const std::byte> part(bytes.data(), size);
        const std::uint64_t expected = xxh3_64(part);
        const std::atomic<bool> hurries = false;
        const GentleWork gently(hurries);
        EXPECT_EQ(xxh3_64(part), expected) << size;
    }
}

}  // namespace
}  // namespace segue
