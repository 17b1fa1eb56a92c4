#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace segue {
namespace {

TEST(ThreadPool, runs_every_chunk_once_for_any_number_of_threads) {
    for (const unsigned num_threads : {1u, 2u, 5u}) {
        ThreadPool pool(num_threads);
        EXPECT_EQ(pool.num_threads(), num_threads);
        for (const std::size_t num_chunks : {0u, 1u, 3u, 1000u}) {
            std::vector<std::atomic<int>> calls(num_chunks);
            pool.for_each(num_chunks, [&](std::size_t chunk, unsigned worker) {
                EXPECT_LT(worker, num_threads);
                ++calls[chunk];
            });
            for (const std::atomic<int>& count : calls) {
                EXPECT_EQ(count, 1);
            }
        }
    }
}

TEST(ThreadPool, no_two_chunks_share_a_worker_at_the_same_time) {
    ThreadPool pool(4);
    std::vector<std::atomic<int>> busy(4);
    pool.for_each(2000, [&](std::size_t, unsigned worker) {
        EXPECT_EQ(busy[worker]++, 0);
        --busy[worker];
    });
}

TEST(ThreadPool, sums_are_the_same_for_one_thread_and_many) {
    const auto sums = [](unsigned num_threads) {
        ThreadPool pool(num_threads);
        const Chunks chunks{12345, 100};
        std::vector<double> partial(chunks.count());
        pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
            for (std::size_t index = chunks.begin(chunk); index < chunks.end(chunk); ++index) {
                partial[chunk] += 1.0 / static_cast<double>(index + 1);
            }
        });
        return std::accumulate(partial.begin(), partial.end(), 0.0);
    };
    EXPECT_EQ(sums(1), sums(3));
    EXPECT_EQ(sums(1), sums(7));
}

TEST(ThreadPool, hands_an_exception_to_the_caller_and_stays_usable) {
    for (const unsigned num_threads : {1u, 3u}) {
        ThreadPool pool(num_threads);
        const auto fail_at_five = [](std::size_t chunk, unsigned) {
            if (chunk == 5) {
                throw std::runtime_error("chunk five");
            }
        };
        EXPECT_THROW(pool.for_each(100, fail_at_five), std::runtime_error);
        std::atomic<int> calls = 0;
        pool.for_each(10, [&](std::size_t, unsigned) { ++calls; });
        EXPECT_EQ(calls, 10);
    }
}

TEST(ThreadPool, zero_means_one_thread_for_each_core) {
    EXPECT_GE(ThreadPool(0).num_threads(), 1u);
}

TEST(Chunks, cover_the_range_without_overlap) {
    for (const std::size_t size : {0u, 1u, 7u, 8u, 9u}) {
        const Chunks chunks{size, 4};
        std::size_t expected = 0;
        for (std::size_t chunk = 0; chunk < chunks.count(); ++chunk) {
            EXPECT_EQ(chunks.begin(chunk), expected);
            EXPECT_GT(chunks.end(chunk), chunks.begin(chunk));
            expected = chunks.end(chunk);
        }
        EXPECT_EQ(expected, size);
    }
}

}  // namespace
}  // namespace segue
