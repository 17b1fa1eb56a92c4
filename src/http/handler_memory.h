#pragma once

// Memory for operations of Boost.Asio that come again and again, so that none of them allocates.
// Private to the folder.

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace segue {

/// Room for one operation under way; a second one, or a larger one, is allocated. Not thread-safe.
class HandlerMemory {
public:
    HandlerMemory() = default;
    HandlerMemory(const HandlerMemory&) = delete;
    HandlerMemory& operator=(const HandlerMemory&) = delete;

    void* allocate(std::size_t size) {
        if (!is_used_ && size <= sizeof(storage_)) {
            is_used_ = true;
            return storage_;
        }
        return ::operator new(size);
    }
    void deallocate(void* memory) {
        if (memory == storage_) {
            is_used_ = false;
        } else {
            ::operator delete(memory);
        }
    }

private:
    alignas(std::max_align_t) std::byte storage_[256];
    bool is_used_ = false;
};

/// The allocator that Asio asks the handler of an operation for.
template <typename Value>
class HandlerAllocator {
public:
    using value_type = Value;

    explicit HandlerAllocator(HandlerMemory& memory) : memory_(&memory) {}
    template <typename Other>
    HandlerAllocator(const HandlerAllocator<Other>& other) : memory_(other.memory_) {}

    Value* allocate(std::size_t count) {
        return static_cast<Value*>(memory_->allocate(sizeof(Value) * count));
    }
    void deallocate(Value* values, std::size_t) { memory_->deallocate(values); }
    bool operator==(const HandlerAllocator& other) const { return memory_ == other.memory_; }
    bool operator!=(const HandlerAllocator& other) const { return memory_ != other.memory_; }

private:
    template <typename Other>
    friend class HandlerAllocator;
    HandlerMemory* memory_;
};

/// A handler whose operation lies in `memory`, which must live until the handler is called or
/// destroyed; what the handler owns may be what owns the memory.
template <typename Handler>
class HandlerInMemory {
public:
    using allocator_type = HandlerAllocator<Handler>;

    HandlerInMemory(HandlerMemory& memory, Handler handler)
        : memory_(&memory), handler_(std::move(handler)) {}

    allocator_type get_allocator() const noexcept { return allocator_type(*memory_); }
    template <typename... Arguments>
    void operator()(Arguments&&... arguments) {
        handler_(std::forward<Arguments>(arguments)...);
    }

private:
    HandlerMemory* memory_;
    Handler handler_;
};

template <typename Handler>
HandlerInMemory<std::decay_t<Handler>> in_memory(HandlerMemory& memory, Handler&& handler) {
    return {memory, std::forward<Handler>(handler)};
}

}  // namespace segue
