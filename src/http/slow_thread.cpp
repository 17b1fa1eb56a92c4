#include "http/slow_thread.h"

#include <sys/resource.h>

#include <utility>

namespace segue {
namespace {

constexpr int kNice = 10;

}  // namespace

SlowThread::SlowThread(std::size_t max_waiting)
    : max_waiting_(max_waiting), thread_([this] { work(); }) {}

SlowThread::~SlowThread() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

bool SlowThread::run(std::function<void()> work) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (waiting_.size() >= max_waiting_) {
            return false;
        }
        waiting_.push_back(std::move(work));
    }
    wake_.notify_all();
    return true;
}

void SlowThread::work() {
    ::setpriority(PRIO_PROCESS, 0, kNice);  // on Linux of the calling thread only
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) {
            return;
        }
        const std::function<void()> next = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        next();
        lock.lock();
    }
}

}  // namespace segue
