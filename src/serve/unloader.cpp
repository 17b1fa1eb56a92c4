#include "serve/unloader.h"

#include <malloc.h>

#include "serve/background_thread.h"

namespace segue::serve {

Unloader::Unloader() : thread_([this] { run(); }) {}

Unloader::~Unloader() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        is_stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

ModelSnapshot Unloader::share(std::unique_ptr<const ServedModel> model) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++num_alive_;
        waiting_.reserve(num_alive_);  // so that take() cannot fail
    }
    return {model.release(), [this](const ServedModel* last) { take(last); }};
}

void Unloader::take(const ServedModel* model) noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        waiting_.emplace_back(model);
    }
    wake_.notify_all();
}

void Unloader::run() {
    const GentleWork gently = make_background_thread(is_stopping_);
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) {
            return;
        }
        std::unique_ptr<const ServedModel> model = std::move(waiting_.back());
        waiting_.pop_back();
        lock.unlock();
        model.reset();
        // What the model had on the heap would stay with the program.
        ::malloc_trim(0);
        lock.lock();
        --num_alive_;
    }
}

std::size_t Unloader::num_alive() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return num_alive_;
}

}  // namespace segue::serve
