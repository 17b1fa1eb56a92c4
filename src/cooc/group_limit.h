#pragma once

// Long groups cost the square of their length: what to do about them before counting. Counting
// itself offers two more ways, a window and a group exponent (pair_counter.h).

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "cooc/pair_counter.h"
#include "data/sparse.h"

namespace segue {

enum class LongGroups {
    kDrop,  // a group above the limit loses all its entries, as in the blueprint
    kCut,   // a group above the limit keeps as many as the limit, drawn by the seed
};

struct GroupLimit {
    std::size_t max_group_size = 0;  // entries; 0 for no limit
    LongGroups long_groups = LongGroups::kDrop;
    std::uint64_t seed = 0;
};

/// A table with its long groups limited, and what that took away.
struct LimitedTable {
    SparseMatrix interactions;  // rows and columns as before; dropped groups are empty rows
    std::vector<std::uint32_t>
        positions;  // those of the entries kept, unchanged, or empty as before
    std::uint64_t num_groups_limited = 0;
    std::uint64_t num_entries_removed = 0;
    std::uint64_t num_pairs_removed = 0;

    CountInput input() const { return {interactions.view(), positions}; }
};

/// Which entries a cut keeps depends on the seed, the group's row and the items' rows alone.
/// Returns an error if: positions are neither empty nor one for each entry.
Result<LimitedTable> limit_groups(const CountInput& input, const GroupLimit& limit);

}  // namespace segue
