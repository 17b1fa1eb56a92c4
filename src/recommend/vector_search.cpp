#include "recommend/vector_search.h"

#include <utility>

#include "recommend/offered_items.h"

namespace segue {

VectorSearch::VectorSearch(const Model& model)
    : model_(model), scratches_([] { return std::make_unique<SearchScratch>(); }) {
    // Similarities are dot products; an index of another measure ranks otherwise.
    const LeafIndex* const index = model.index();
    index_ = index != nullptr && index->tables().measure == Measure::kDot ? index : nullptr;
}

const ExactIndex& VectorSearch::scan() const {
    std::call_once(scan_made_, [this] {
        scan_ = std::make_unique<ExactIndex>(model_.item_vectors(), Measure::kDot,
                                             model_.info().popularity_exponent);
    });
    return *scan_;
}

Status VectorSearch::best(std::span<const float> vector, const ResolvedQuery& query,
                          double exponent, std::vector<ScoredRow>& rows, SearchTrace& trace) const {
    const OfferedItems* const offered = query.offered;
    if (index_ != nullptr) {
        const ScratchPool<SearchScratch>::Lease scratch(scratches_);
        return index_->search(vector,
                              {.k = query.k,
                               .popularity_exponent = exponent,
                               .excluded = query.excluded,
                               .filter = offered != nullptr ? offered->filter() : nullptr,
                               .path = query.search.path,
                               .knobs = query.search.knobs},
                              *scratch, rows, &trace);
    }
    SearchOptions options;
    options.k = query.k;
    options.popularity_exponent = exponent;
    options.excluded = query.excluded;
    options.allowed = offered != nullptr ? offered->bitmap() : std::span<const std::uint64_t>();
    Result<std::vector<ScoredRow>> found = scan().search(vector, options);
    if (!found.ok()) {
        return found.status();
    }
    rows = std::move(*found);
    const std::size_t num_items = model_.num_items();
    trace = {.path = SearchPath::kExact, .scored = num_items, .rescored = num_items};
    return Status();
}

Result<Neighbours> VectorSearch::best_of_all(const Matrix& queries, const SparseView& excluded,
                                             const BatchOptions& options, double exponent,
                                             ThreadPool& pool) const {
    if (index_ != nullptr) {
        return index_->search_batch(queries.view(),
                                    {.k = options.k,
                                     .popularity_exponent = exponent,
                                     .excluded = excluded,
                                     .path = options.search.path,
                                     .knobs = options.search.knobs},
                                    pool);
    }
    BatchSearchOptions exact;
    exact.k = options.k;
    exact.popularity_exponent = exponent;
    exact.excluded = excluded;
    return scan().search_batch(queries.view(), exact, pool);
}

}  // namespace segue
