#include "data/matrix.h"
#include "index/exact_path.h"
#include "index/query.h"

namespace segue {

Neighbours search_exact_batch(const PreparedBatch& batch, ThreadPool& pool,
                              const ProgressListener& progress) {
    const OpenIndex& index = batch.terms.index;
    std::vector<std::vector<ScoredRow>> lists(batch.queries.num_rows);
    pool.for_each(lists.size(), [&](std::size_t query, unsigned) {
        std::vector<float> prepared(batch.queries.dim);
        prepare_query(batch.queries.row(query), index.tables.measure, prepared.data());
        ItemRowSet excluded;
        excluded.assign(batch.excluded_rows(query), index.tables.num_items);
        ExactBuffers buffers;
        SearchTrace trace;
        search_exact({batch.terms, prepared, excluded}, buffers, lists[query], trace);
    });
    Neighbours out;
    for (const std::vector<ScoredRow>& list : lists) {
        for (const ScoredRow& scored : list) {
            out.item_rows.push_back(scored.item_row);
            out.scores.push_back(scored.score);
        }
        out.offsets.push_back(out.item_rows.size());
    }
    report(progress, {.stage = "search",
                      .done = lists.size(),
                      .total = lists.size(),
                      .unit = "queries",
                      .note = {}});
    return out;
}

}  // namespace segue
