#pragma once

#include <cstdint>

namespace segue {

/// Bytes this process may still take without swapping: what the kernel calls available, or what is
/// left of the limit of its control group where that is less. 0 when neither is known.
std::uint64_t available_memory_bytes();

}  // namespace segue
