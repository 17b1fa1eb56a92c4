#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace segue {

/// How far a stage of long work is. `total` 0 means unknown. `note` is a short text for people
/// ("loss 0.93"); it is valid during the call only.
struct Progress {
    std::string_view stage;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::string_view unit;
    std::string_view note;
};

/// Long work calls this from the thread that started it, at most some hundred times; empty means
/// nobody listens. The library itself never prints.
using ProgressListener = std::function<void(const Progress&)>;

inline void report(const ProgressListener& listener, const Progress& progress) {
    if (listener) {
        listener(progress);
    }
}

}  // namespace segue
