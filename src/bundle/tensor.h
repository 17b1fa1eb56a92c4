#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace segue {

/// The element types of the safetensors container.
enum class Dtype : std::uint8_t {
    kBool,
    kU8,
    kI8,
    kF8E4M3,
    kF8E5M2,
    kU16,
    kI16,
    kF16,
    kBf16,
    kU32,
    kI32,
    kF32,
    kU64,
    kI64,
    kF64,
};

/// As the container spells it: "F32", "U8", ...
std::string_view name_of(Dtype dtype);
std::optional<Dtype> dtype_named(std::string_view name);
/// Bytes of one element.
std::size_t element_bytes(Dtype dtype);

/// The dtype of the C++ types that tables are made of.
template <typename Element>
inline constexpr Dtype kDtypeOf =
    [] { static_assert(sizeof(Element) == 0, "no tensor holds it"); }();
template <>
inline constexpr Dtype kDtypeOf<char> = Dtype::kU8;
template <>
inline constexpr Dtype kDtypeOf<std::uint8_t> = Dtype::kU8;
template <>
inline constexpr Dtype kDtypeOf<std::uint32_t> = Dtype::kU32;
template <>
inline constexpr Dtype kDtypeOf<std::uint64_t> = Dtype::kU64;
template <>
inline constexpr Dtype kDtypeOf<float> = Dtype::kF32;

/// Views one tensor: row-major, little-endian, bytes.size() = product of shape *
/// element_bytes(dtype).
struct TensorView {
    std::string name;
    Dtype dtype = Dtype::kU8;
    std::vector<std::uint64_t> shape;
    std::span<const std::byte> bytes;
};

/// "F32 [3 x 16]"
std::string type_text(const TensorView& tensor);

/// Returns an error if: the tensor is of another dtype or not aligned to its elements.
Status check_elements(const TensorView& tensor, Dtype expected);

/// All elements of a tensor, in order. Returns an error if: see check_elements.
template <typename Element>
Result<std::span<const Element>> elements_of(const TensorView& tensor) {
    if (Status status = check_elements(tensor, kDtypeOf<Element>); !status.ok()) {
        return status;
    }
    return std::span<const Element>(reinterpret_cast<const Element*>(tensor.bytes.data()),
                                    tensor.bytes.size() / sizeof(Element));
}

}  // namespace segue
