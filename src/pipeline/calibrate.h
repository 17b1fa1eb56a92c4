#pragma once

// Finds how much of the tree searches must read for a recall, and measures what they then reach.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "index/leaf_index.h"
#include "pipeline/calibration_queries.h"

namespace segue {

/// Results recall is measured of.
inline constexpr std::size_t kRecallAt = 10;

/// The mean of the queries' recalls, with the ends of its 95 % confidence interval.
struct RecallEstimate {
    double mean = 1;
    double low = 1;
    double high = 1;
    std::size_t num_queries = 0;
};

/// From the recall of each query. The interval is Wilson's, for as many trials as the spread of the
/// queries is worth, at least one a query: it has a width where all queries have the same recall.
RecallEstimate estimate_recall(std::span<const double> recalls);

/// How searches are made that are measured.
struct SearchSetting {
    double popularity_exponent = 0;
    SearchPath path = SearchPath::kAuto;
    TreeKnobs knobs = {};
};

/// The share of the kRecallAt best items, told by their scores, that a search finds for each query.
/// Every item counts that scores as high as the last of the best. Returns an error if: the search
/// does.
Result<RecallEstimate> measure_recall(const LeafIndex& index, const QuerySet& queries,
                                      const SearchSetting& setting, ThreadPool& pool);

/// Microseconds of single searches, one after the other on the calling thread. Of each query the
/// fastest of three rounds counts: the tail is of queries that take long, not of a busy machine.
struct Latency {
    double p50 = 0;
    double p99 = 0;
};

/// Returns an error if: the search does.
Result<Latency> measure_latency(const LeafIndex& index, const QuerySet& queries,
                                const SearchSetting& setting);

/// The share of the rows that exact searches read at the exponent the index was built for, the mean
/// of some queries; blocks of rows too short to be hits are skipped. 1 without queries. Returns an
/// error if: the search does.
Result<double> measure_exact_share(const LeafIndex& index, const QuerySet& queries);

/// What the planner takes for one vector without a filter, whatever calibration says.
SearchPath planned_path(const IndexTables& tables, const TreeKnobs& knobs, double exact_share);

/// The knobs that cost least, by the planner's model, with which every kind's recall on its tuning
/// part is above `target` by twice what its interval reaches downwards: the interval of other
/// queries is to end above the target too. Remembers what it measured. Views index and queries.
/// Not thread-safe.
class KnobFinder {
public:
    KnobFinder(const LeafIndex& index, std::span<const CalibrationQueries> queries,
               ThreadPool& pool);
    ~KnobFinder();

    /// Nothing where the target is out of reach. Without an exponent every kind is searched at its
    /// usual one. Returns an error if: a search does.
    Result<std::optional<TreeKnobs>> find(std::optional<double> popularity_exponent, double target);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace segue
