#include "bundle/tensor.h"

#include <fmt/core.h>

#include <array>
#include <bit>

namespace segue {

// Tables are mapped as they are stored.
static_assert(std::endian::native == std::endian::little);

namespace {

struct DtypeFacts {
    Dtype dtype;
    std::string_view name;
    std::size_t bytes;
};

constexpr std::array kDtypes = {
    DtypeFacts{Dtype::kBool, "BOOL", 1},      DtypeFacts{Dtype::kU8, "U8", 1},
    DtypeFacts{Dtype::kI8, "I8", 1},          DtypeFacts{Dtype::kF8E4M3, "F8_E4M3", 1},
    DtypeFacts{Dtype::kF8E5M2, "F8_E5M2", 1}, DtypeFacts{Dtype::kU16, "U16", 2},
    DtypeFacts{Dtype::kI16, "I16", 2},        DtypeFacts{Dtype::kF16, "F16", 2},
    DtypeFacts{Dtype::kBf16, "BF16", 2},      DtypeFacts{Dtype::kU32, "U32", 4},
    DtypeFacts{Dtype::kI32, "I32", 4},        DtypeFacts{Dtype::kF32, "F32", 4},
    DtypeFacts{Dtype::kU64, "U64", 8},        DtypeFacts{Dtype::kI64, "I64", 8},
    DtypeFacts{Dtype::kF64, "F64", 8},
};

constexpr bool table_follows_enum() {
    for (std::size_t index = 0; index < kDtypes.size(); ++index) {
        if (kDtypes[index].dtype != static_cast<Dtype>(index)) {
            return false;
        }
    }
    return true;
}
static_assert(table_follows_enum());

const DtypeFacts& facts_of(Dtype dtype) {
    return kDtypes[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::string_view name_of(Dtype dtype) {
    return facts_of(dtype).name;
}

std::optional<Dtype> dtype_named(std::string_view name) {
    for (const DtypeFacts& facts : kDtypes) {
        if (facts.name == name) {
            return facts.dtype;
        }
    }
    return std::nullopt;
}

std::size_t element_bytes(Dtype dtype) {
    return facts_of(dtype).bytes;
}

std::string type_text(const TensorView& tensor) {
    std::string text = fmt::format("{} [", name_of(tensor.dtype));
    for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
        text += fmt::format("{}{}", axis == 0 ? "" : " x ", tensor.shape[axis]);
    }
    return text + "]";
}

Status check_elements(const TensorView& tensor, Dtype expected) {
    if (tensor.dtype != expected) {
        return corrupt(fmt::format("tensor '{}' is {}, expected {}", tensor.name, type_text(tensor),
                                   name_of(expected)));
    }
    const auto address = reinterpret_cast<std::uintptr_t>(tensor.bytes.data());
    if (address % element_bytes(expected) != 0) {
        return corrupt(fmt::format("tensor '{}' is not aligned to its elements of {} bytes",
                                   tensor.name, element_bytes(expected)));
    }
    return Status();
}

}  // namespace segue
