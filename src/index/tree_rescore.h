#pragma once

// From candidates of the codes to results: int8 rows first, then the f32 vectors of those that may
// be among the best.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/neighbours.h"
#include "index/leaf_index.h"
#include "index/prepared_search.h"
#include "index/tree_query.h"

namespace segue {

/// Memory is kept from query to query. Not thread-safe.
class Rescorer {
public:
    /// Takes the candidates: numbers of entries (see first_entry). Asks for their rows.
    void start(const SearchTerms& terms, std::span<const std::uint32_t> entries);

    /// Scores what start was given and replaces `results` by the best k. Returns how many items
    /// were found that a search may give, but for min_score. `surplus` candidates beside those that
    /// are k and excluded are scored by f32 at least; with `strict` errors of int8 rows are bounded
    /// rather than estimated.
    std::size_t finish(const PreparedSearch& search, const TreeQuery& query, std::size_t surplus,
                       bool strict, std::vector<ScoredRow>& results, SearchTrace& trace);

private:
    void score_rows(const SearchTerms& terms, const TreeQuery& query, bool strict);
    void choose_finalists(std::size_t count);

    std::vector<std::uint32_t> positions_;
    std::vector<std::uint32_t> slots_;  // of a hash set of positions, for items in several leaves
    std::vector<std::int32_t> dots_;
    std::vector<float> scores_;
    std::vector<float> errors_;
    std::vector<std::uint32_t> finalists_;  // item rows
    std::size_t num_candidates_ = 0;
};

/// The number of a leaf's first entry: a position, or where items are in several leaves the entry's
/// place in code_positions.
inline std::uint64_t first_entry(const IndexTables& tables, std::uint32_t leaf) {
    return tables.code_positions.empty() ? tables.leaf_offsets[leaf]
                                         : tables.code_offsets[leaf] * kBlockPositions;
}

}  // namespace segue
