#pragma once

// What the tests of the kernels of codes share.

#include <cstdint>
#include <vector>

#include "kernels/codes_kernels.h"
#include "kernels/test_support.h"

namespace segue::kernels {

/// Every level against the plain loops of the scalar one, and those against arithmetic in doubles.
class CodesOfEveryTable : public EveryTable {
protected:
    const CodesKernels& codes() const { return *kernels().codes; }
};

inline std::vector<std::uint8_t> random_bytes(std::size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::uint8_t> bytes(count);
    for (std::uint8_t& byte : bytes) {
        byte = static_cast<std::uint8_t>(random.below(256));
    }
    return bytes;
}

inline std::vector<std::int16_t> random_words(std::size_t count, std::int16_t low,
                                              std::int16_t high, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::int16_t> words(count);
    const auto num_values = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
    for (std::int16_t& word : words) {
        word = static_cast<std::int16_t>(low + static_cast<int>(random.below(num_values)));
    }
    return words;
}

}  // namespace segue::kernels
