#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace segue {

/// Runs numbered chunks of work on a fixed number of threads, the caller's among them.
/// What a chunk computes may depend on its number, never on the thread that takes it: that is how
/// results stay the same bytes for any number of threads. Thread-compatible: one for_each at a
/// time; chunks must not call for_each of the same pool.
class ThreadPool {
public:
    /// `num_threads` 0 means one for each core, one alone in a thread that works gently.
    explicit ThreadPool(unsigned num_threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    unsigned num_threads() const;

    /// Calls work(chunk, worker) once for each chunk in [0, num_chunks), in any order; worker is in
    /// [0, num_threads()) and no two calls at the same time share one. Returns when all are done.
    /// An exception of a chunk is rethrown here after the others have ended.
    void for_each(std::size_t num_chunks,
                  const std::function<void(std::size_t chunk, unsigned worker)>& work);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Chunks of `chunk_size` (the last may be shorter) over [0, size).
struct Chunks {
    std::size_t size = 0;
    std::size_t chunk_size = 1;

    std::size_t count() const { return (size + chunk_size - 1) / chunk_size; }
    std::size_t begin(std::size_t chunk) const { return chunk * chunk_size; }
    std::size_t end(std::size_t chunk) const {
        const std::size_t stop = (chunk + 1) * chunk_size;
        return stop < size ? stop : size;
    }
};

}  // namespace segue
