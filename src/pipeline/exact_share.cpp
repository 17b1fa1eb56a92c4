// How much of an index exact searches read.

#include <algorithm>
#include <cmath>

#include "pipeline/calibrate.h"

namespace segue {

Result<double> measure_exact_share(const LeafIndex& index, const QuerySet& queries) {
    constexpr std::size_t kMostQueries = 32;
    const std::size_t num_queries = std::min(queries.size(), kMostQueries);
    const IndexTables& tables = index.tables();
    if (num_queries == 0 || tables.num_items == 0) {
        return 1.0;
    }
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const SparseView excluded = queries.excluded.view();
    std::uint64_t scored = 0;
    for (std::size_t query = 0; query < num_queries; ++query) {
        SearchTrace trace;
        const Status status = index.search(queries.vectors.row(query),
                                           {.k = kRecallAt,
                                            .popularity_exponent = tables.built_exponent,
                                            .excluded = excluded.row_columns(query),
                                            .path = SearchPath::kExact},
                                           scratch, results, &trace);
        if (!status.ok()) {
            return status;
        }
        scored += trace.scored;
    }
    const auto most = static_cast<double>(num_queries) * static_cast<double>(tables.num_items);
    // Coarsely: the last rows read may differ between machines, what is stored must not.
    constexpr double kSteps = 64;
    return std::min(1.0, std::ceil(static_cast<double>(scored) / most * kSteps) / kSteps);
}

}  // namespace segue
