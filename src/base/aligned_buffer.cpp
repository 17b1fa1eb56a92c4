#include "base/aligned_buffer.h"

#include <sys/mman.h>

#include <cstring>

namespace segue::detail {

namespace {
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct Extent {
    std::size_t alignment;
    std::size_t bytes;  // a multiple of the alignment, at least one
    bool is_huge() const { return alignment == kHugePage; }
};

Extent extent_of(std::size_t bytes) {
    const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kCacheLine;
    const std::size_t units = (bytes + alignment - 1) / alignment;
    return {alignment, (units == 0 ? 1 : units) * alignment};
}

/// Whole pages become zero without being touched: zeroed when they first are, by all threads that
/// do, rather than now and by the one that asks for them.
bool drop_pages(void* memory, std::size_t bytes) {
    return madvise(memory, bytes, MADV_DONTNEED) == 0;
}
}  // namespace

void* allocate_aligned(std::size_t bytes) {
    const Extent extent = extent_of(bytes);
    void* const memory = std::aligned_alloc(extent.alignment, extent.bytes);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    if (extent.is_huge()) {
        // Advice only: without huge pages everything works, slower.
        (void)madvise(memory, extent.bytes, MADV_HUGEPAGE);
    }
    return memory;
}

void* allocate_aligned_zeroed(std::size_t bytes) {
    const Extent extent = extent_of(bytes);
    void* const memory = allocate_aligned(bytes);
    if (!extent.is_huge() || !drop_pages(memory, extent.bytes)) {
        std::memset(memory, 0, extent.bytes);
    }
    return memory;
}

}  // namespace segue::detail
