#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace segue {

/// Lends working memory to whoever answers a query and takes it back afterwards, so that a query
/// neither allocates nor clears tables as long as the catalogue. There are as many scratches as
/// there were queries at one time. Immutable from outside, thread-safe.
template <typename Scratch>
class ScratchPool {
public:
    /// `make` is called by any thread.
    explicit ScratchPool(std::function<std::unique_ptr<Scratch>()> make) : make_(std::move(make)) {}

    /// A scratch until the end of its scope. Must not outlive the pool.
    class Lease {
    public:
        explicit Lease(ScratchPool& pool) : pool_(pool), scratch_(pool.acquire()) {}
        ~Lease() { pool_.release(std::move(scratch_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Scratch& operator*() const { return *scratch_; }

    private:
        ScratchPool& pool_;
        std::unique_ptr<Scratch> scratch_;
    };

private:
    std::unique_ptr<Scratch> acquire() {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<Scratch> scratch = std::move(idle_.back());
                idle_.pop_back();
                return scratch;
            }
        }
        return make_();
    }

    void release(std::unique_ptr<Scratch> scratch) {
        const std::lock_guard<std::mutex> lock(mutex_);
        idle_.push_back(std::move(scratch));
    }

    std::function<std::unique_ptr<Scratch>()> make_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Scratch>> idle_;
};

}  // namespace segue
