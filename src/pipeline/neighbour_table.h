#pragma once

// The table of neighbours a bundle stores: by comparing every item with every other, or, where that
// would take long, through the index.

#include <cstddef>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "model/model.h"

namespace segue {

struct FitStage;

/// How a table was made.
struct NeighbourTableReport {
    std::size_t k = 0;
    bool through_index = false;
    /// The share of the best k that the lists have, by scores, with the lower end of its 95 %
    /// interval; measured on some lists, 1 for a table that is exact.
    double recall = 1;
    double recall_low = 1;
    std::size_t num_judged = 0;
    double seconds = 0;
};

/// "100 a list" or "100 a list, through the index: recall@100 0.9712 of 300 lists (exactly about
/// 320 CPU seconds)"
std::string note_of(const NeighbourTableReport& report, std::size_t num_items, std::size_t dim);

/// CPU seconds, about, of comparing every item with every other.
double exact_table_seconds(std::size_t num_items, std::size_t dim);

/// Whether the table should wait for the index of these vectors, if they get one.
bool waits_for_index(const MatrixView& vectors);

/// Whether a model that is searched by vectors has no table yet.
bool lacks_neighbours(const ModelParts& parts);

enum class TableWay {
    kAuto,          // through the index where comparing all takes more than a minute on two cores
    kThroughIndex,  // where it has a tree
    kExact,
};

/// Replaces parts.neighbours by the best k of every item at the model's popularity exponent,
/// exactly where parts have no index with a tree. The same for any number of threads. Returns an
/// error if: a vector is not finite, or the index is not of these vectors.
Result<NeighbourTableReport> add_neighbours(ModelParts& parts, std::size_t k, ThreadPool& pool,
                                            const ProgressListener& progress = {},
                                            TableWay way = TableWay::kAuto);

/// add_neighbours and the evidence of each pair, as a stage of a fit.
Status neighbours_stage(ModelParts& parts, std::size_t k, ThreadPool& pool,
                        const ProgressListener& progress, std::vector<FitStage>& stages);

}  // namespace segue
