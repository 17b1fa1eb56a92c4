#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace segue {

namespace detail {
/// 64-byte aligned; asks the kernel for huge pages from 4 MiB on. Throws std::bad_alloc.
void* allocate_aligned(std::size_t bytes);
/// The same, zeroed.
void* allocate_aligned_zeroed(std::size_t bytes);
/// Throws std::bad_alloc if there can be no memory of so many values.
inline std::size_t checked_bytes(std::size_t count, std::size_t bytes_per_value) {
    if (count > static_cast<std::size_t>(-1) / 2 / bytes_per_value) {
        throw std::bad_alloc();
    }
    return count * bytes_per_value;
}
}  // namespace detail

/// Owns a fixed number of zero-initialised trivial values, aligned to 64 bytes. Move-only.
/// Thread-compatible.
template <typename Value>
class AlignedBuffer {
    static_assert(std::is_trivially_copyable_v<Value>);

public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t count)
        : values_(static_cast<Value*>(
              detail::allocate_aligned_zeroed(detail::checked_bytes(count, sizeof(Value))))),
          count_(count) {}
    AlignedBuffer(AlignedBuffer&& other) noexcept
        : values_(std::move(other.values_)), count_(std::exchange(other.count_, 0)) {}
    AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
        values_ = std::move(other.values_);
        count_ = std::exchange(other.count_, 0);
        return *this;
    }

    Value* data() { return values_.get(); }
    const Value* data() const { return values_.get(); }
    std::size_t size() const { return count_; }
    Value& operator[](std::size_t index) { return values_.get()[index]; }
    const Value& operator[](std::size_t index) const { return values_.get()[index]; }
    std::span<Value> span() { return {data(), count_}; }
    std::span<const Value> span() const { return {data(), count_}; }

private:
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    std::unique_ptr<Value, Free> values_;
    std::size_t count_ = 0;
};

}  // namespace segue
