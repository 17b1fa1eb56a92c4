#include "base/aligned_buffer.h"

#include <sys/mman.h>

#include <cstring>

namespace segue::detail {

namespace {
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Whole pages become zero without being touched: zeroed when they first are, by all threads that
/// do, rather than now and by the one that asks for them.
bool drop_pages(void* memory, std::size_t bytes) {
    return madvise(memory, bytes, MADV_DONTNEED) == 0;
}
}  // namespace

void* allocate_aligned_zeroed(std::size_t bytes) {
    const bool huge = bytes >= 2 * kHugePage;
    const std::size_t alignment = huge ? kHugePage : kCacheLine;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    if (huge) {
        // Advice only: without huge pages everything works, slower.
        (void)madvise(memory, rounded, MADV_HUGEPAGE);
    }
    if (!huge || !drop_pages(memory, rounded)) {
        std::memset(memory, 0, rounded == 0 ? alignment : rounded);
    }
    return memory;
}

}  // namespace segue::detail
