#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace segue {

/// vector.reserve for large results: the fresh memory asks for huge pages before anything touches
/// it. Where there are none it is only slower (a quarter of a second a gigabyte).
template <typename Value>
void reserve_on_huge_pages(std::vector<Value>& vector, std::size_t size) {
    constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;
    vector.reserve(size);
    const auto begin = reinterpret_cast<std::uintptr_t>(vector.data());
    const std::uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
    const std::uintptr_t last = (begin + size * sizeof(Value)) / kHugePage * kHugePage;
    if (last > first) {
        (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
    }
}

/// vector.resize in the same way.
template <typename Value>
void resize_on_huge_pages(std::vector<Value>& vector, std::size_t size) {
    reserve_on_huge_pages(vector, size);
    vector.resize(size);
}

}  // namespace segue
