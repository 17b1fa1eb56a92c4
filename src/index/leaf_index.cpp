#include "index/leaf_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "index/check_tables.h"
#include "index/exact_path.h"
#include "index/planner.h"
#include "index/prepared_search.h"
#include "index/query.h"
#include "index/tree_path.h"

namespace segue {

std::string_view name_of(SearchPath path) {
    switch (path) {
        case SearchPath::kAuto:
            return "auto";
        case SearchPath::kExact:
            return "exact";
        case SearchPath::kTree:
            return "tree";
    }
    return "unknown";
}

struct SearchScratch::Buffers {
    std::vector<float> query;
    ItemRowSet excluded;
    ExactBuffers exact;
    TreeBuffers tree;
};

SearchScratch::SearchScratch() : buffers_(std::make_unique<Buffers>()) {}
SearchScratch::SearchScratch(SearchScratch&&) noexcept = default;
SearchScratch& SearchScratch::operator=(SearchScratch&&) noexcept = default;
SearchScratch::~SearchScratch() = default;

struct LeafIndex::State {
    OpenIndex index;
    IndexSettings settings;

    /// Checks what single and batched searches share.
    template <typename Options>
    Status check(std::size_t query_dim, const Options& options) const;
    template <typename Options>
    SearchTerms terms(const Options& options) const;
    SearchPath path_of(const SearchTerms& terms, SearchPath asked, std::size_t num_queries) const;
    TreeKnobs knobs_of(const TreeKnobs& asked, double popularity_exponent, std::size_t k) const;
};

template <typename Options>
Status LeafIndex::State::check(std::size_t query_dim, const Options& options) const {
    const IndexTables& tables = index.tables;
    if (options.filter != nullptr && options.filter->num_items() != tables.num_items) {
        return invalid_argument(fmt::format("the filter is for {} items; the index has {}",
                                            options.filter->num_items(), tables.num_items));
    }
    if (options.path == SearchPath::kTree && !tables.has_codes()) {
        return invalid_argument("the index was built without a tree; search it exactly");
    }
    return check_search(query_dim, tables.dim, tables.measure, options.popularity_exponent,
                        options.min_score);
}

/// Results for which knobs that were calibrated for ten are still a guide to where they lie.
constexpr std::size_t kMostByKnobs = 100;

template <typename Options>
SearchTerms LeafIndex::State::terms(const Options& options) const {
    return {.index = index,
            .k = std::min(options.k, index.tables.num_items),
            .popularity_exponent = options.popularity_exponent,
            .filter = options.filter,
            .min_score = options.min_score,
            .knobs = knobs_of(options.knobs, options.popularity_exponent, options.k),
            .target_recall = settings.target_recall,
            .reads_on = options.filter != nullptr ||
                        (options.k > kMostByKnobs && options.knobs.num_leaves_to_search == 0)};
}

TreeKnobs LeafIndex::State::knobs_of(const TreeKnobs& asked, double popularity_exponent,
                                     std::size_t k) const {
    // Knobs are calibrated for ten results; more of them take candidates in proportion, and lie in
    // somewhat more leaves: 1.8 times as many for 100 hold the recall of word vectors, on which ten
    // in a hundred are missed without.
    constexpr double kCalibratedResults = 10;
    constexpr double kLeavesPerResults = 0.25;
    const auto distance = [&](const CalibratedKnobs& one) {
        return std::fabs(one.popularity_exponent - popularity_exponent);
    };
    const auto nearest = std::min_element(
        settings.calibrated.begin(), settings.calibrated.end(),
        [&](const auto& left, const auto& right) { return distance(left) < distance(right); });
    const double share = std::max(1.0, static_cast<double>(k) / kCalibratedResults);
    TreeKnobs knobs = asked;
    if (nearest != settings.calibrated.end()) {
        if (knobs.num_leaves_to_search == 0) {
            const double more = std::pow(share, kLeavesPerResults);
            knobs.num_leaves_to_search = static_cast<std::uint32_t>(
                std::min(std::ceil(more * nearest->knobs.num_leaves_to_search),
                         static_cast<double>(index.tables.num_leaves())));
        }
        if (knobs.reordering_num_neighbors == 0) {
            knobs.reordering_num_neighbors = static_cast<std::uint32_t>(
                std::min(std::ceil(share * nearest->knobs.reordering_num_neighbors),
                         static_cast<double>(std::numeric_limits<std::uint32_t>::max())));
        }
    }
    return knobs;
}

SearchPath LeafIndex::State::path_of(const SearchTerms& terms, SearchPath asked,
                                     std::size_t num_queries) const {
    if (asked != SearchPath::kAuto) {
        return asked;
    }
    return plan_search(
        {.num_items = index.tables.num_items,
         .dim = index.tables.dim,
         .num_leaves = index.tables.num_leaves(),
         .has_codes = index.tables.has_codes(),
         .num_queries = num_queries,
         .k = terms.k,
         .num_allowed = terms.filter != nullptr ? terms.filter->count() : index.tables.num_items,
         .has_filter = terms.filter != nullptr,
         .exact_share =
             terms.popularity_exponent == index.tables.built_exponent ? settings.exact_share : 1,
         .knobs = terms.knobs,
         .calibrated = settings.path});
}

LeafIndex::LeafIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
LeafIndex::LeafIndex(LeafIndex&&) noexcept = default;
LeafIndex& LeafIndex::operator=(LeafIndex&&) noexcept = default;
LeafIndex::~LeafIndex() = default;

Result<LeafIndex> LeafIndex::open(const IndexTables& tables, const MatrixView& items,
                                  IndexSettings settings) {
    const Status status = check_tables(tables, items);
    if (!status.ok()) {
        return status;
    }
    auto state = std::make_unique<State>();
    state->index.tables = tables;
    state->index.items = items;
    state->index.bounds = derive_bounds(tables);
    state->index.tree = derive_tree_tables(tables);
    state->settings = std::move(settings);
    return LeafIndex(std::move(state));
}

const IndexTables& LeafIndex::tables() const {
    return state_->index.tables;
}
const IndexSettings& LeafIndex::settings() const {
    return state_->settings;
}

Status LeafIndex::search(std::span<const float> query, const IndexSearchOptions& options,
                         SearchScratch& scratch, std::vector<ScoredRow>& results,
                         SearchTrace* trace) const {
    const IndexTables& tables = state_->index.tables;
    Status status = state_->check(query.size(), options);
    if (status.ok()) {
        status = check_query(query);
    }
    if (!status.ok()) {
        return status;
    }
    results.clear();
    const SearchTerms terms = state_->terms(options);
    SearchTrace done;
    done.path = state_->path_of(terms, options.path, 1);
    if (terms.k != 0) {
        SearchScratch::Buffers& buffers = *scratch.buffers_;
        buffers.query.resize(tables.dim);
        prepare_query(query, tables.measure, buffers.query.data());
        buffers.excluded.assign(options.excluded, tables.num_items);
        const PreparedSearch search = {terms, buffers.query, buffers.excluded};
        if (done.path == SearchPath::kTree) {
            search_tree(search, buffers.tree, results, done);
        } else {
            search_exact(search, buffers.exact, results, done);
        }
    }
    if (trace != nullptr) {
        *trace = done;
    }
    return {};
}

Result<Neighbours> LeafIndex::search_batch(const MatrixView& queries,
                                           const IndexBatchOptions& options, ThreadPool& pool,
                                           const ProgressListener& progress) const {
    Status status = state_->check(queries.dim, options);
    for (std::size_t query = 0; status.ok() && query < queries.num_rows; ++query) {
        status = check_query(queries.row(query)).with_context(fmt::format("query {}", query));
    }
    if (!status.ok()) {
        return status;
    }
    if (options.excluded.num_rows != 0 && options.excluded.num_rows != queries.num_rows) {
        return invalid_argument(fmt::format("{} lists of excluded items were given for {} queries",
                                            options.excluded.num_rows, queries.num_rows));
    }
    const SearchTerms terms = state_->terms(options);
    if (terms.k == 0 || queries.num_rows == 0) {
        Neighbours none;
        none.offsets.resize(queries.num_rows + 1);
        return none;
    }
    const PreparedBatch batch = {terms, queries, options.excluded};
    return state_->path_of(terms, options.path, queries.num_rows) == SearchPath::kTree
               ? search_tree_batch(batch, pool, progress)
               : search_exact_batch(batch, pool, progress);
}

}  // namespace segue
