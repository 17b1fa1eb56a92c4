#pragma once

// What the tests of this folder share.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "kernels/kernels.h"

namespace segue::kernels {

/// Normal, mean 0 and variance 1.
inline AlignedBuffer<float> random_floats(std::size_t count, std::uint64_t seed) {
    Random random(seed);
    AlignedBuffer<float> floats(count);
    for (float& value : floats.span()) {
        value = static_cast<float>(random.normal());
    }
    return floats;
}

/// Runs every test body for every table of this machine.
class EveryTable : public testing::TestWithParam<const KernelTable*> {
protected:
    const KernelTable& kernels() const { return *GetParam(); }
};

inline auto every_supported_table() {
    return testing::ValuesIn(supported_kernels().begin(), supported_kernels().end());
}

inline std::string name_of_table(const testing::TestParamInfo<const KernelTable*>& tested) {
    return tested.param->name;
}

}  // namespace segue::kernels
