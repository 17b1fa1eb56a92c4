#include "base/thread_pool.h"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/give_way.h"
#include "base/status.h"

namespace segue {

struct ThreadPool::State {
    std::mutex mutex;
    std::condition_variable wake;
    std::condition_variable done;
    std::vector<std::thread> threads;
    const std::function<void(std::size_t, unsigned)>* work = nullptr;
    std::size_t num_chunks = 0;
    std::atomic<std::size_t> next_chunk{0};
    std::size_t generation = 0;
    unsigned running = 0;
    bool stopping = false;
    std::exception_ptr failure;

    void take_chunks(unsigned worker) {
        for (;;) {
            const std::size_t chunk = next_chunk.fetch_add(1, std::memory_order_relaxed);
            if (chunk >= num_chunks) {
                return;
            }
            try {
                (*work)(chunk, worker);
                give_way();
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure) {
                    failure = std::current_exception();
                }
                next_chunk.store(num_chunks, std::memory_order_relaxed);
            }
        }
    }

    void serve(unsigned worker) {
        std::size_t seen = 0;
        std::unique_lock lock(mutex);
        for (;;) {
            wake.wait(lock, [&] { return stopping || generation != seen; });
            if (stopping) {
                return;
            }
            seen = generation;
            lock.unlock();
            take_chunks(worker);
            lock.lock();
            if (--running == 0) {
                done.notify_one();
            }
        }
    }
};

ThreadPool::ThreadPool(unsigned num_threads) : state_(std::make_unique<State>()) {
    if (num_threads == 0) {
        num_threads = works_gently() ? 1 : std::thread::hardware_concurrency();
    }
    for (unsigned worker = 1; worker < num_threads; ++worker) {
        state_->threads.emplace_back([state = state_.get(), worker] { state->serve(worker); });
    }
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    for (std::thread& thread : state_->threads) {
        thread.join();
    }
}

unsigned ThreadPool::num_threads() const {
    return static_cast<unsigned>(state_->threads.size()) + 1;
}

void ThreadPool::for_each(std::size_t num_chunks,
                          const std::function<void(std::size_t, unsigned)>& work) {
    if (num_chunks == 0) {
        return;
    }
    State& state = *state_;
    {
        const std::lock_guard lock(state.mutex);
        SEGUE_ASSERT(state.running == 0);
        state.work = &work;
        state.num_chunks = num_chunks;
        state.next_chunk.store(0, std::memory_order_relaxed);
        state.failure = nullptr;
        state.running = static_cast<unsigned>(state.threads.size());
        ++state.generation;
    }
    state.wake.notify_all();
    state.take_chunks(0);
    std::unique_lock lock(state.mutex);
    state.done.wait(lock, [&] { return state.running == 0; });
    if (state.failure) {
        std::rethrow_exception(state.failure);
    }
}

}  // namespace segue
