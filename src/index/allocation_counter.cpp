// Replaces operator new of a test program.

#include "index/allocation_counter.h"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t counted = 0;

}  // namespace

void* operator new(std::size_t bytes) {
    ++counted;
    if (void* memory = std::malloc(bytes != 0 ? bytes : 1)) {
        return memory;
    }
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace segue {

std::size_t num_allocations() {
    return counted;
}

}  // namespace segue
