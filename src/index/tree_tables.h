#pragma once

// What the tree path derives from the tables of an index when it is opened.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/matrix.h"
#include "index_build/index_tables.h"

namespace segue {

/// Empty for an index without codes. Immutable, thread-safe.
struct TreeTables {
    /// Lines of 64 bytes in a block of codes.
    std::size_t num_lines = 0;
    /// Four dimensions each, of the packed centres.
    std::size_t num_centre_groups = 0;
    /// Leaves that have entries.
    std::size_t num_filled_leaves = 0;
    /// Of all leaves.
    std::uint64_t num_entries = 0;
    std::uint32_t largest_leaf = 0;  // in entries

    /// The centres in 8 bits, as kernels::CentreScores wants them. An empty leaf, and those behind
    /// the last, have an offset of minus infinity.
    AlignedBuffer<std::uint8_t> centres;
    AlignedBuffer<float> centre_scales;  // [leaves, rounded up to 16]
    /// -||centre||^2 for kSquaredL2. Else how far above the centre's product those of the leaf's
    /// best items are, for a query of length 1: wide leaves have better ones than their centres
    /// say.
    AlignedBuffer<float> centre_offsets;

    /// The mean of the centres of each run of leaves, kLeavesPerRun or fewer. It tells similar
    /// queries from others: builds put leaves near each other into one run.
    Matrix run_centres;
    std::vector<float> run_offsets;  // -||mean||^2 / 2 for kSquaredL2, else 0

    std::vector<std::uint32_t> leaf_entries;  // [num_leaves]
    /// [num_leaves] mean norm level of the leaf's items.
    std::vector<std::uint8_t> leaf_levels;
    std::vector<float> leaf_spreads;  // [num_leaves] see leaf_spreads (leaf_reach.h)
    std::uint8_t lowest_level = 0;
    std::uint8_t highest_level = 0;
    /// [num_code_blocks * 32] norm level of each entry, where items are in several leaves; else
    /// those of the positions serve.
    std::vector<std::uint8_t> entry_levels;

    std::size_t num_centre_blocks() const { return centre_scales.size() / 16; }
};

/// Requires: check_tables found nothing.
TreeTables derive_tree_tables(const IndexTables& tables);

}  // namespace segue
