#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace segue {

/// Work that would hold up a loop, one piece after the other. Thread-safe.
class SlowThread {
public:
    explicit SlowThread(std::size_t max_waiting);
    /// Finishes what it was given.
    ~SlowThread();
    SlowThread(const SlowThread&) = delete;
    SlowThread& operator=(const SlowThread&) = delete;

    /// False when too much is waiting. `work` must not throw.
    bool run(std::function<void()> work);

private:
    void work();

    std::size_t max_waiting_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace segue
