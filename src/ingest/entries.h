#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ingest/options.h"
#include "ingest/raw_rows.h"

namespace segue {

/// Rows gathered into distinct (group, item) pairs: group g has the entries [offsets[g], offsets[g
/// + 1]), items ascending.
struct Entries {
    std::vector<std::uint64_t> offsets;    // [num_groups + 1]
    std::vector<std::uint32_t> item_rows;  // [num_entries]
    /// Rows of the entry that are no duplicates; empty when it is 1 for all (Duplicates::kPair).
    std::vector<std::uint32_t> row_counts;  // [num_entries] or empty
    std::vector<float> weights;             // [num_entries] sums, or empty without weights
    std::vector<double> times;              // [num_entries] the latest, or empty without times
    /// Place of the entry's first row among the rows of its group in the input; empty unless asked
    /// for.
    std::vector<std::uint32_t> first_places;  // [num_entries] or empty

    std::size_t num_groups() const { return offsets.size() - 1; }
    std::uint32_t rows_of(std::uint64_t entry) const {
        return row_counts.empty() ? 1 : row_counts[entry];
    }
};

/// Gathers rows; what is a duplicate is counted in `num_duplicates`. Values are added in the order
/// of the input. `rows` gives the numbers of group and item; its size, weights, times and texts
/// agree. Returns an error if: the weights of a pair add up to more than a float holds.
Result<Entries> gather_entries(const RawRows& rows, std::size_t num_groups, Duplicates duplicates,
                               bool want_places, std::uint64_t& num_duplicates);

}  // namespace segue
