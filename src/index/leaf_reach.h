#pragma once

// Which leaves a search with a filter reads. Leaves are ranked by their centres, as for any search,
// but those that are best for a query may hold nothing that passes, and what passes may lie far
// from it, in leaves that differ little. So a search begins with as many entries that pass as an
// unfiltered one would find among those it reads, and then looks at the score of its last result:
// leaves in which more than a few better items are to be expected are read as well. What is
// expected of a leaf is that its items' scores are spread normally around that of its centre.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/leaf_filter.h"
#include "index/tree_select.h"
#include "index/tree_tables.h"
#include "index_build/index_tables.h"

namespace segue {

class TreeQuery;
struct SearchTerms;
struct TreeQueryScratch;

/// [num_leaves] root of the mean square by which an item of the leaf differs from its centre in one
/// dimension.
std::vector<float> leaf_spreads(const IndexTables& tables);

/// Memory of the functions below. Not thread-safe.
struct ReachBuffers {
    std::vector<float> scores;
    std::vector<float> expected;
    std::vector<std::uint32_t> leaves;
};

/// Replaces `leaves` by those to begin with, ascending: the best by `scores` [num_leaves or more]
/// that have entries which pass, until these are the share of all that pass which the best
/// `num_leaves` leaves are of all entries.
void choose_passing(std::span<const float> scores, const TreeTables& tree, const LeafFilter& filter,
                    std::size_t num_leaves, SelectBuffers& select, ReachBuffers& buffers,
                    std::vector<std::uint32_t>& leaves);

/// Adds to the leaves of the query those without which more than `most_missed` items better than
/// `last_score` are to be expected in leaves not read. Returns whether there were any. Requires:
/// the index has codes, the query was started with this scratch.
bool add_promising(const SearchTerms& terms, float last_score, double most_missed,
                   const TreeQueryScratch& scratch, ReachBuffers& buffers, TreeQuery& query);

}  // namespace segue
