// Many queries at once: those of one unit of work that read the same leaf share its codes, up to
// four in one pass.

#include <algorithm>
#include <numeric>

#include "index/query.h"
#include "index/tree_path.h"
#include "index/tree_tables.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

using kernels::CodeSegment;
using kernels::kCodeBlock;
using kernels::kMaxSharedQueries;

/// Queries of one unit of work: enough that several read the same leaf, few enough that what they
/// keep stays in the second and third level of cache.
constexpr std::size_t kUnitQueries = 512;
/// Entries of a query's best leaves that are scored ahead of the others, for one that is wanted:
/// the threshold they give spares collecting many that are cut again.
constexpr std::size_t kFirstEntries = 8;

/// One thread's unit of work.
class BatchUnit {
public:
    /// Searches the queries of the batch listed; list i goes to lists[order[i]].
    void run(const PreparedBatch& batch, std::span<const std::uint32_t> order,
             std::span<std::vector<ScoredRow>> lists);

private:
    struct One {
        TreeQuery query;
        BestEntries best;
        TreeReach reach;
        bool starts = false;
        std::vector<float> vector;
    };
    struct Visit {
        std::uint32_t query;
        std::int32_t bias;
    };

    void prepare(const PreparedBatch& batch, std::span<const std::uint32_t> order);
    void raise_threshold(const SearchTerms& terms, One& one);
    void list_first_entries(const IndexTables& tables, std::uint32_t leaf, std::size_t num_entries);
    void list_visits(const TreeTables& tree);
    std::span<const Visit> visits_of(std::uint32_t leaf) const {
        return std::span(visits_).subspan(visit_offsets_[leaf + 1],
                                          visit_offsets_[leaf + 2] - visit_offsets_[leaf + 1]);
    }
    void collect_leaf(const SearchTerms& terms, std::uint32_t leaf);
    void scan_leaf(const SearchTerms& terms, std::uint32_t leaf);
    void finish(const PreparedBatch& batch, std::size_t one, std::uint32_t query,
                std::vector<ScoredRow>& list);

    std::vector<One> ones_;
    std::vector<std::uint32_t> visit_offsets_;  // [num_leaves + 2] leaf l: from l + 1 to l + 2
    std::vector<Visit> visits_;
    std::vector<std::uint32_t> first_entries_;
    std::vector<std::uint32_t> nearest_;
    AlignedBuffer<std::int16_t> scores_[kMaxSharedQueries];
    TreeQueryScratch scratch_;
    Rescorer rescorers_[2];
    ItemRowSet excluded_;
    TreeBuffers alone_;
};

void BatchUnit::prepare(const PreparedBatch& batch, std::span<const std::uint32_t> order) {
    const SearchTerms& terms = batch.terms;
    ones_.resize(std::max(ones_.size(), order.size()));
    for (std::size_t i = 0; i < order.size(); ++i) {
        One& one = ones_[i];
        one.vector.resize(terms.index.tables.dim);
        prepare_query(batch.queries.row(order[i]), terms.index.tables.measure, one.vector.data());
        excluded_.assign(batch.excluded_rows(order[i]), terms.index.tables.num_items);
        one.reach = first_reach(terms, excluded_.size());
        one.starts = one.query.start(terms, one.vector, scratch_);
        if (one.starts) {
            one.query.choose_leaves(terms, one.reach.num_leaves, scratch_);
            one.starts = !one.query.leaves().empty() && one.query.make_tables(terms, scratch_);
        }
        one.best.start(one.reach.num_candidates);
        if (one.starts) {
            raise_threshold(terms, one);
        }
    }
}

void BatchUnit::raise_threshold(const SearchTerms& terms, One& one) {
    const IndexTables& tables = terms.index.tables;
    const TreeTables& tree = terms.index.tree;
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    one.query.nearest_leaves(terms, kFirstEntries * one.reach.num_candidates, scratch_, nearest_);
    std::sort(nearest_.begin(), nearest_.end());
    for (const std::uint32_t i : nearest_) {
        const std::uint32_t leaf = one.query.leaves()[i];
        const CodeSegment segment = segment_of(terms, leaf, one.query.biases()[i]);
        codes.scan(one.query.tables(), tree.num_lines, &segment, 1, scores_[0].data());
        if (TreeQuery::needs_finish(terms)) {
            one.query.finish_scores(terms, leaf, 0, segment.num_entries, scores_[0].data());
        }
        list_first_entries(tables, leaf, segment.num_entries);
        one.best.collect(codes, scores_[0].data(), first_entries_);
    }
    one.best.cut(codes);
    one.best.restart();
}

void BatchUnit::list_visits(const TreeTables& tree) {
    visit_offsets_.assign(tree.leaf_entries.size() + 2, 0);
    for (const One& one : ones_) {
        for (const std::uint32_t leaf :
             one.starts ? one.query.leaves() : std::span<const std::uint32_t>()) {
            ++visit_offsets_[leaf + 1];
        }
    }
    std::partial_sum(visit_offsets_.begin(), visit_offsets_.end(), visit_offsets_.begin());
    visits_.resize(visit_offsets_.back());
    // Filled from the ends, which thereby become the beginnings.
    for (std::size_t i = ones_.size(); i-- > 0;) {
        const One& one = ones_[i];
        for (std::size_t j = 0; one.starts && j < one.query.leaves().size(); ++j) {
            const std::uint32_t at = --visit_offsets_[one.query.leaves()[j] + 1];
            visits_[at] = {static_cast<std::uint32_t>(i), one.query.biases()[j]};
        }
    }
}

void BatchUnit::list_first_entries(const IndexTables& tables, std::uint32_t leaf,
                                   std::size_t num_entries) {
    first_entries_.clear();
    for (std::size_t entry = 0; entry < num_entries; entry += kCodeBlock) {
        first_entries_.push_back(static_cast<std::uint32_t>(first_entry(tables, leaf) + entry));
    }
}

void BatchUnit::collect_leaf(const SearchTerms& terms, std::uint32_t leaf) {
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    const CodeSegment segment = segment_of(terms, leaf, 0);
    const auto first = static_cast<std::uint32_t>(first_entry(terms.index.tables, leaf));
    const std::span<const Visit> visits = visits_of(leaf);
    for (std::size_t begin = 0; begin < visits.size(); begin += kMaxSharedQueries) {
        const std::size_t count = std::min(kMaxSharedQueries, visits.size() - begin);
        kernels::SharedQuery shared[kMaxSharedQueries];
        for (std::size_t i = 0; i < count; ++i) {
            One& one = ones_[visits[begin + i].query];
            one.best.make_room(codes, segment.num_entries);
            shared[i] = {.tables = one.query.tables(),
                         .bias = visits[begin + i].bias,
                         .threshold = one.best.threshold(),
                         .entries = one.best.next_entries(),
                         .values = one.best.next_values()};
        }
        codes.collect_shared(shared, count, terms.index.tree.num_lines, segment, first);
        for (std::size_t i = 0; i < count; ++i) {
            ones_[visits[begin + i].query].best.add(shared[i].count);
        }
    }
}

void BatchUnit::scan_leaf(const SearchTerms& terms, std::uint32_t leaf) {
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    const CodeSegment segment = segment_of(terms, leaf, 0);
    list_first_entries(terms.index.tables, leaf, segment.num_entries);
    const std::span<const Visit> visits = visits_of(leaf);
    for (std::size_t begin = 0; begin < visits.size(); begin += kMaxSharedQueries) {
        const std::size_t count = std::min(kMaxSharedQueries, visits.size() - begin);
        const std::uint8_t* tables[kMaxSharedQueries];
        std::int32_t biases[kMaxSharedQueries];
        std::int16_t* scores[kMaxSharedQueries];
        for (std::size_t i = 0; i < count; ++i) {
            tables[i] = ones_[visits[begin + i].query].query.tables();
            biases[i] = visits[begin + i].bias;
            scores[i] = scores_[i].data();
        }
        codes.scan_shared(tables, biases, count, terms.index.tree.num_lines, segment, scores);
        for (std::size_t i = 0; i < count; ++i) {
            One& one = ones_[visits[begin + i].query];
            one.query.finish_scores(terms, leaf, 0, segment.num_entries, scores[i]);
            one.best.collect(codes, scores[i], first_entries_);
        }
    }
}

void BatchUnit::finish(const PreparedBatch& batch, std::size_t i, std::uint32_t query,
                       std::vector<ScoredRow>& list) {
    const SearchTerms& terms = batch.terms;
    One& one = ones_[i];
    excluded_.assign(batch.excluded_rows(query), terms.index.tables.num_items);
    const PreparedSearch search = {terms, one.vector, excluded_};
    SearchTrace trace;
    if (one.starts) {
        const bool all = one.reach.is_all(terms.index.tree);
        if (rescorers_[i % 2].finish(search, one.query, one.reach.surplus, all, list, trace) >=
            terms.k) {
            return;
        }
    }
    // Seldom: it begins anew, and widens.
    search_tree(search, alone_, list, trace);
}

void BatchUnit::run(const PreparedBatch& batch, std::span<const std::uint32_t> order,
                    std::span<std::vector<ScoredRow>> lists) {
    const SearchTerms& terms = batch.terms;
    const TreeTables& tree = terms.index.tree;
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    const std::size_t leaf_scores = (tree.largest_leaf + kCodeBlock - 1) / kCodeBlock * kCodeBlock;
    for (AlignedBuffer<std::int16_t>& scores : scores_) {
        if (scores.size() < leaf_scores) {
            scores = AlignedBuffer<std::int16_t>(leaf_scores);
        }
    }
    for (One& one : ones_) {
        one.starts = false;
    }
    prepare(batch, order);
    list_visits(tree);
    const bool finishes = TreeQuery::needs_finish(terms);
    for (std::uint32_t leaf = 0; leaf < tree.leaf_entries.size(); ++leaf) {
        if (visits_of(leaf).empty()) {
            continue;
        }
        if (finishes) {
            scan_leaf(terms, leaf);
        } else {
            collect_leaf(terms, leaf);
        }
    }
    // The rows of the next query's candidates are on their way while those of one are scored.
    for (std::size_t i = 0; i <= order.size(); ++i) {
        if (i < order.size() && ones_[i].starts) {
            ones_[i].best.cut(codes);
            rescorers_[i % 2].start(terms, ones_[i].best.entries());
        }
        if (i > 0) {
            finish(batch, i - 1, order[i - 1], lists[order[i - 1]]);
        }
    }
}

}  // namespace

Neighbours search_tree_batch(const PreparedBatch& batch, ThreadPool& pool,
                             const ProgressListener& progress) {
    constexpr std::size_t kMaxReports = 100;
    const std::size_t num_queries = batch.queries.num_rows;
    std::vector<std::uint32_t> order(num_queries);
    std::iota(order.begin(), order.end(), 0U);
    std::vector<std::vector<ScoredRow>> lists(num_queries);
    std::vector<BatchUnit> units(pool.num_threads());
    const std::size_t share = (num_queries + pool.num_threads() - 1) / pool.num_threads();
    const Chunks chunks = {num_queries, std::clamp<std::size_t>(share, 1, kUnitQueries)};
    const std::size_t wave_size =
        std::max(std::size_t{4} * pool.num_threads(), chunks.count() / kMaxReports);
    for (std::size_t wave = 0; wave < chunks.count(); wave += wave_size) {
        const std::size_t wave_end = std::min(chunks.count(), wave + wave_size);
        pool.for_each(wave_end - wave, [&](std::size_t chunk, unsigned worker) {
            const std::size_t begin = chunks.begin(wave + chunk);
            const std::size_t end = chunks.end(wave + chunk);
            units[worker].run(batch, std::span(order).subspan(begin, end - begin), lists);
        });
        report(progress, {.stage = "neighbours",
                          .done = chunks.end(wave_end - 1),
                          .total = num_queries,
                          .unit = "queries",
                          .note = {}});
    }
    Neighbours out;
    out.offsets.reserve(num_queries + 1);
    for (std::vector<ScoredRow>& list : lists) {
        for (const ScoredRow& scored : list) {
            out.item_rows.push_back(scored.item_row);
            out.scores.push_back(scored.score);
        }
        out.offsets.push_back(out.item_rows.size());
    }
    return out;
}

}  // namespace segue
