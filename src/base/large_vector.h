#pragma once

// Vectors for large results that are written once: memory by huge pages, and none of it touched
// before what it is for.

#include <cstddef>
#include <cstdlib>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"

namespace segue {

/// Memory as AlignedBuffer's; what resize() adds is whatever the memory held. Stateless.
template <typename Value>
class LargeAllocator {
    static_assert(std::is_trivially_copyable_v<Value>);

public:
    using value_type = Value;

    LargeAllocator() = default;
    template <typename Other>
    explicit LargeAllocator(const LargeAllocator<Other>&) noexcept {}

    Value* allocate(std::size_t count) {
        return static_cast<Value*>(
            detail::allocate_aligned(detail::checked_bytes(count, sizeof(Value))));
    }
    void deallocate(Value* memory, std::size_t) noexcept { std::free(memory); }

    void construct(Value*) noexcept {}
    template <typename... Arguments>
    void construct(Value* place, Arguments&&... arguments) {
        ::new (static_cast<void*>(place)) Value(std::forward<Arguments>(arguments)...);
    }

    friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }
};

/// A vector whose resize() leaves new elements unset: the caller writes each of them.
template <typename Value>
using LargeVector = std::vector<Value, LargeAllocator<Value>>;

}  // namespace segue
