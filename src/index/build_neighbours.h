#pragma once

#include <cstddef>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/neighbours.h"
#include "index/leaf_index.h"

namespace segue {

struct NeighbourTableOptions {
    std::size_t k = 100;
    /// As in IndexSearchOptions.
    double popularity_exponent = 0;
    /// kExact: the table is that of build_neighbour_table over the vectors, score for score.
    /// kTree: about .95 to .99 of it in a fraction of the time. kAuto: exact_table_pays decides.
    SearchPath path = SearchPath::kAuto;
    /// Of the tree, as in IndexSearchOptions.
    TreeKnobs knobs = {};
};

/// Whether comparing every item with every other takes no more than about a minute on two cores.
bool exact_table_pays(std::size_t num_items, std::size_t dim);

/// The best k of every item, itself left out, found through the index of these items
/// [num_items x dim]; the same bytes for any number of threads. Returns an error if: a vector is
/// not finite, `items` has another shape than the index, or a search with these options would.
Result<Neighbours> build_neighbour_table(const LeafIndex& index, const MatrixView& items,
                                         const NeighbourTableOptions& options, ThreadPool& pool,
                                         const ProgressListener& progress = {});

}  // namespace segue
