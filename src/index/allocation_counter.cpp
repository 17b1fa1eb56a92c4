// Replaces operator new of a test program.

#include "index/allocation_counter.h"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t counted = 0;

void* allocate(std::size_t bytes) noexcept {
    ++counted;
    return std::malloc(bytes != 0 ? bytes : 1);
}

}  // namespace

void* operator new(std::size_t bytes) {
    if (void* memory = allocate(bytes)) {
        return memory;
    }
    throw std::bad_alloc();
}
// What does not throw is freed by the same operator delete: sanitizers want both from here.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return allocate(bytes);
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
