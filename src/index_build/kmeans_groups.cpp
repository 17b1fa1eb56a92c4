#include "index_build/kmeans_groups.h"

#include <vector>

namespace segue {

Groups group_by(std::span<const std::uint32_t> group_of, std::size_t num_groups) {
    Groups groups;
    groups.offsets = AlignedBuffer<std::uint64_t>(num_groups + 1);
    groups.members = AlignedBuffer<std::uint32_t>(group_of.size());
    for (const std::uint32_t group : group_of) {
        ++groups.offsets[group + 1];
    }
    for (std::size_t group = 0; group < num_groups; ++group) {
        groups.offsets[group + 1] += groups.offsets[group];
    }
    std::vector<std::uint64_t> next(groups.offsets.data(), groups.offsets.data() + num_groups);
    for (std::size_t member = 0; member < group_of.size(); ++member) {
        groups.members[next[group_of[member]]++] = static_cast<std::uint32_t>(member);
    }
    return groups;
}

}  // namespace segue
