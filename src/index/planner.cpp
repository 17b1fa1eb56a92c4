#include "index/planner.h"

#include <algorithm>
#include <cmath>

#include "index/leaf_filter.h"
#include "index_build/index_tables.h"

namespace segue {
namespace {

/// Checks, quantisation of the query, selection.
constexpr double kExactStart = 2000;
constexpr double kTreeStart = 4000;
/// Bytes of rows and codes one core reads in a nanosecond from memory, and from its caches.
constexpr double kMemoryBytes = 20;
constexpr double kCacheBytes = 45;
/// Tables up to this size stay in caches between queries.
constexpr double kCachedBytes = 8e6;
/// Whether a block of rows is long enough to have hits.
constexpr double kBlockCheck = 1;
/// int8 multiply-adds of one core in a nanosecond, selection included.
constexpr double kBatchMultiplyAdds = 150;
/// A smaller batch is searched one query at a time.
constexpr std::size_t kLeastBatch = 7;
/// A row out of order, and each of its cache lines.
constexpr double kGatheredRow = 6;
constexpr double kGatheredLine = 8;
/// A score in the tree's buffer, written and selected from, beside its codes.
constexpr double kTreeScore = 0.3;
/// A candidate rescored by int8 and, some of them, f32 rows.
constexpr double kTreeCandidate = 60;
/// A dimension of a leaf's centre.
constexpr double kCentreElement = 0.01;
/// What batches of the tree gain by sharing the reading of codes.
constexpr double kTreeBatchGain = 0.7;
/// Leaves read behind a filter that one item in s passes: so many times s to that power. Measured
/// with filters of any items; those a query points away from take up to four times as many.
constexpr double kFilteredLeaves = 1.5;
constexpr double kSparserLeaves = 0.3;
/// A leaf whose entries that pass, and better items to be expected, are looked at.
constexpr double kFilteredLeaf = 15;
/// Share of the leaves and candidates for a result that searches read without knobs.
constexpr double kUsualLeaves = 0.06;
constexpr double kUsualCandidates = 5;
constexpr double kLeastCandidates = 100;

double bytes_per_nanosecond(double table_bytes) {
    return table_bytes <= kCachedBytes ? kCacheBytes : kMemoryBytes;
}

}  // namespace

double exact_cost(const PlannedSearch& search) {
    const auto num_items = static_cast<double>(search.num_items);
    const auto num_allowed = static_cast<double>(search.num_allowed);
    const auto row_bytes = static_cast<double>(int8_row_bytes(search.dim));
    const bool gathers =
        search.has_filter && LeafFilter::is_narrow(search.num_allowed, search.num_items);
    double gathering = 0;
    if (gathers) {
        gathering = num_allowed * (kGatheredRow + kGatheredLine * row_bytes / 64);
    }
    if (search.num_queries >= kLeastBatch) {
        const double rows = gathers ? num_allowed : num_items;
        const auto sharing = static_cast<double>(std::min<std::size_t>(search.num_queries, 64));
        return kExactStart +
               rows * static_cast<double>(search.dim) / kBatchMultiplyAdds * (64 / sharing) +
               gathering / sharing;
    }
    if (gathers) {
        return kExactStart + gathering;
    }
    const double bytes = num_items * (row_bytes + 4) * (search.has_filter ? 1 : search.exact_share);
    return kExactStart + num_items / kBlockPositions * kBlockCheck +
           bytes / bytes_per_nanosecond(bytes);
}

double tree_cost(const PlannedSearch& search) {
    const auto num_items = static_cast<double>(search.num_items);
    const auto num_leaves = static_cast<double>(search.num_leaves);
    const auto dim = static_cast<double>(search.dim);
    double leaves = search.knobs.num_leaves_to_search != 0
                        ? static_cast<double>(search.knobs.num_leaves_to_search)
                        : kUsualLeaves * num_leaves;
    if (search.has_filter) {
        // The best of a sparser set lie further away, in more leaves (leaf_reach.h).
        leaves *=
            kFilteredLeaves *
            std::pow(num_items / (static_cast<double>(search.num_allowed) + 1), kSparserLeaves);
    }
    double candidates = search.knobs.reordering_num_neighbors;
    if (search.knobs.reordering_num_neighbors == 0) {
        candidates = std::max(kLeastCandidates, kUsualCandidates * static_cast<double>(search.k));
    }
    candidates = std::min(std::max(candidates, static_cast<double>(search.k)), num_items);
    const double share = std::min(1.0, leaves / std::max(1.0, num_leaves));
    const auto code_bytes =
        static_cast<double>(code_block_bytes(search.dim)) / static_cast<double>(kBlockPositions);
    const double score = code_bytes / bytes_per_nanosecond(num_items * code_bytes) + kTreeScore;
    const double ranking =
        num_leaves * (dim * kCentreElement + (search.has_filter ? kFilteredLeaf : 0));
    const double cost =
        kTreeStart + ranking + share * num_items * score + candidates * kTreeCandidate;
    return search.num_queries >= kLeastBatch ? cost * kTreeBatchGain : cost;
}

SearchPath plan_search(const PlannedSearch& search) {
    if (!search.has_codes || search.k >= search.num_allowed) {
        return SearchPath::kExact;
    }
    if (search.calibrated != SearchPath::kAuto && !search.has_filter &&
        search.num_queries < kLeastBatch) {
        return search.calibrated;
    }
    return exact_cost(search) <= tree_cost(search) ? SearchPath::kExact : SearchPath::kTree;
}

}  // namespace segue
