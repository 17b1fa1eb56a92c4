#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/served_model.h"

namespace segue::serve {

/// Gives back the memory of models on a thread of its own, so that no request pays for unmapping
/// gigabytes. Thread-safe.
class Unloader {
public:
    Unloader();
    /// Finishes what it was given. Requires: no snapshot that it made is held.
    ~Unloader();
    Unloader(const Unloader&) = delete;
    Unloader& operator=(const Unloader&) = delete;

    /// A snapshot whose last holder hands the model over to *this.
    ModelSnapshot share(std::unique_ptr<const ServedModel> model);
    /// Models shared and not yet destroyed.
    std::size_t num_alive() const;

private:
    void take(const ServedModel* model) noexcept;
    void run();

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::unique_ptr<const ServedModel>> waiting_;  // has room for every model alive
    std::size_t num_alive_ = 0;
    std::atomic<bool> is_stopping_ = false;
    std::thread thread_;
};

}  // namespace segue::serve
