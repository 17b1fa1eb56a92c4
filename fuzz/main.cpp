// libFuzzer's way into the target SEGUE_FUZZ_TARGET.

#include <cstddef>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    segue::fuzz::SEGUE_FUZZ_TARGET({bytes, size});
    return 0;
}
