#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"

namespace segue {

/// Numbers [0, num_members) in the order of the groups they are in, ascending within each.
struct Groups {
    AlignedBuffer<std::uint64_t> offsets;  // [num_groups + 1]
    AlignedBuffer<std::uint32_t> members;

    std::size_t num_groups() const { return offsets.size() - 1; }
    std::span<const std::uint32_t> of(std::size_t group) const {
        return members.span().subspan(offsets[group], offsets[group + 1] - offsets[group]);
    }
};

/// Requires: every element of group_of [num_members] is less than num_groups.
Groups group_by(std::span<const std::uint32_t> group_of, std::size_t num_groups);

}  // namespace segue
