#include "index/exact_path.h"

#include <cmath>

#include "index/query.h"
#include "index/row_scorer.h"

namespace segue {

void search_exact(const PreparedSearch& search, ExactBuffers& buffers,
                  std::vector<ScoredRow>& results, SearchTrace& trace) {
    const SearchTerms& terms = search.terms;
    const IndexTables& tables = terms.index.tables;
    const RowScorer score_of(terms.index.items, tables.measure, terms.popularity_exponent,
                             search.query.data());
    buffers.best.start(terms.k, terms.min_score);
    for (std::size_t position = 0; position < tables.num_items; ++position) {
        const std::uint32_t row = tables.item_rows[position];
        if (terms.is_allowed(position) && !search.excluded.contains(row)) {
            const float score = score_of(row);
            if (std::isfinite(score)) {
                buffers.best.offer({row, score});
            }
        }
    }
    const std::span<const ScoredRow> best = buffers.best.finish();
    results.assign(best.begin(), best.end());
    trace.path = SearchPath::kExact;
}

}  // namespace segue
