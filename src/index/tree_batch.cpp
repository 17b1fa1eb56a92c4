// Many queries at once, in the order of the runs of leaves they read, so that what one has read
// from memory the next finds in the caches. Where they read much, those of one unit of work that
// read the same leaf share its codes, up to four in one pass.

#include <algorithm>
#include <numeric>

#include "index/query.h"
#include "index/query_order.h"
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
constexpr std::size_t kUnitQueries = 384;
/// Entries of a query's best leaves that are scored ahead of the others, for one that is wanted:
/// the threshold they give spares collecting many that are cut again.
constexpr std::size_t kFirstEntries = 6;
/// Of the next leaf, that are asked for while one is scanned.
constexpr std::size_t kMostBytesAhead = 16384;

/// One thread's unit of work.
class BatchUnit {
public:
    /// Searches the queries listed one after the other.
    void run_each(const PreparedBatch& batch, std::span<const std::uint32_t> order,
                  std::span<std::vector<ScoredRow>> lists);

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
    /// What a scan needs of a query, close together: `added` entries are not yet known to its
    /// BestEntries.
    struct Collector {
        const std::uint8_t* tables;
        std::uint32_t* entries;
        std::int16_t* values;
        std::uint32_t room;
        std::uint32_t added;
        std::int16_t threshold;
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
    void collect_leaf(const SearchTerms& terms, std::uint32_t leaf, std::uint32_t next_leaf);
    void start_collector(std::size_t query, std::size_t room);
    void flush_collectors();
    void scan_leaf(const SearchTerms& terms, std::uint32_t leaf);
    void scan_leaves(const SearchTerms& terms);
    void finish(const PreparedBatch& batch, std::size_t one, std::uint32_t query,
                std::vector<ScoredRow>& list);

    std::vector<One> ones_;
    std::vector<Collector> collectors_;         // [ones_]
    std::vector<std::uint32_t> visit_offsets_;  // [num_leaves + 2] leaf l: from l + 1 to l + 2
    std::vector<Visit> visits_;
    std::vector<std::uint32_t> first_entries_;
    std::vector<std::uint32_t> nearest_;
    std::vector<CodeSegment> segments_;
    AlignedBuffer<std::int16_t> first_scores_;
    std::vector<std::uint32_t> visited_;  // leaves
    AlignedBuffer<std::int16_t> scores_[kMaxSharedQueries];
    TreeQueryScratch scratch_;
    Rescorer rescorers_[2];
    ItemRowSet excluded_;
    TreeBuffers alone_;
    std::vector<float> vector_;
};

void BatchUnit::run_each(const PreparedBatch& batch, std::span<const std::uint32_t> order,
                         std::span<std::vector<ScoredRow>> lists) {
    const IndexTables& tables = batch.terms.index.tables;
    vector_.resize(tables.dim);
    for (const std::uint32_t query : order) {
        prepare_query(batch.queries.row(query), tables.measure, vector_.data());
        excluded_.assign(batch.excluded_rows(query), tables.num_items);
        SearchTrace trace;
        search_tree({batch.terms, vector_, excluded_}, alone_, lists[query], trace);
    }
}

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
    const TreeTables& tree = terms.index.tree;
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    const std::size_t num_leaves =
        kFirstEntries * one.reach.num_candidates * tree.num_filled_leaves / tree.num_entries + 1;
    one.query.nearest_leaves(num_leaves, scratch_, nearest_);
    segments_.clear();
    std::size_t num_blocks = 0;
    for (const std::uint32_t i : nearest_) {
        segments_.push_back(segment_of(terms, one.query.leaves()[i], one.query.biases()[i]));
        num_blocks += (segments_.back().num_entries + kCodeBlock - 1) / kCodeBlock;
    }
    if (first_scores_.size() < num_blocks * kCodeBlock) {
        first_scores_ = AlignedBuffer<std::int16_t>(2 * num_blocks * kCodeBlock);
    }
    codes.scan(one.query.tables(), tree.num_lines, segments_.data(), segments_.size(),
               first_scores_.data());
    if (TreeQuery::needs_finish(terms)) {
        std::int16_t* scores = first_scores_.data();
        for (std::size_t i = 0; i < nearest_.size(); ++i) {
            const std::size_t num_entries = segments_[i].num_entries;
            one.query.finish_scores(terms, one.query.leaves()[nearest_[i]], 0, num_entries, scores);
            scores += (num_entries + kCodeBlock - 1) / kCodeBlock * kCodeBlock;
        }
    }
    one.best.raise_threshold(codes, first_scores_.data(), num_blocks, scratch_.select);
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

void BatchUnit::start_collector(std::size_t query, std::size_t room) {
    One& one = ones_[query];
    one.best.make_room(*kernels::active_kernels().codes, room);
    collectors_[query] = {.tables = one.query.tables(),
                          .entries = one.best.next_entries(),
                          .values = one.best.next_values(),
                          .room = static_cast<std::uint32_t>(one.best.room()),
                          .added = 0,
                          .threshold = one.best.threshold()};
}

void BatchUnit::flush_collectors() {
    for (std::size_t query = 0; query < ones_.size(); ++query) {
        ones_[query].best.add(collectors_[query].added);
        collectors_[query].added = 0;
    }
}

void BatchUnit::collect_leaf(const SearchTerms& terms, std::uint32_t leaf,
                             std::uint32_t next_leaf) {
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    const CodeSegment segment = segment_of(terms, leaf, 0);
    const CodeSegment next = segment_of(terms, next_leaf, 0);
    const auto first = static_cast<std::uint32_t>(first_entry(terms.index.tables, leaf));
    const std::span<const Visit> visits = visits_of(leaf);
    const std::size_t num_groups = (visits.size() + kMaxSharedQueries - 1) / kMaxSharedQueries;
    const std::size_t next_bytes =
        std::min(kMostBytesAhead, (next.num_entries + kCodeBlock - 1) / kCodeBlock *
                                      terms.index.tree.num_lines * kernels::kCodeLineBytes);
    std::size_t asked_bytes = 0;
    for (std::size_t group = 0; group < num_groups; ++group) {
        // A share of the next leaf is asked for before every pass over this one.
        for (; asked_bytes * num_groups < next_bytes * (group + 1);
             asked_bytes += kernels::kCodeLineBytes) {
            __builtin_prefetch(next.codes + asked_bytes, 0, 2);
        }
        const std::size_t begin = group * kMaxSharedQueries;
        const std::size_t count = std::min(kMaxSharedQueries, visits.size() - begin);
        kernels::SharedQuery shared[kMaxSharedQueries];
        for (std::size_t i = 0; i < count; ++i) {
            const Visit& visit = visits[begin + i];
            Collector& collector = collectors_[visit.query];
            if (collector.room - collector.added < segment.num_entries) {
                ones_[visit.query].best.add(collector.added);
                start_collector(visit.query, segment.num_entries);
            }
            shared[i] = {.tables = collector.tables,
                         .bias = visit.bias,
                         .threshold = collector.threshold,
                         .entries = collector.entries + collector.added,
                         .values = collector.values + collector.added};
        }
        codes.collect_shared(shared, count, terms.index.tree.num_lines, segment, first);
        for (std::size_t i = 0; i < count; ++i) {
            collectors_[visits[begin + i].query].added +=
                static_cast<std::uint32_t>(shared[i].count);
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

void BatchUnit::scan_leaves(const SearchTerms& terms) {
    visited_.clear();
    for (std::uint32_t leaf = 0; leaf < terms.index.tree.leaf_entries.size(); ++leaf) {
        if (!visits_of(leaf).empty()) {
            visited_.push_back(leaf);
        }
    }
    if (TreeQuery::needs_finish(terms)) {
        for (const std::uint32_t leaf : visited_) {
            scan_leaf(terms, leaf);
        }
        return;
    }
    collectors_.assign(ones_.size(), {});
    for (std::size_t query = 0; query < ones_.size(); ++query) {
        if (ones_[query].starts) {
            start_collector(query, 0);
        }
    }
    for (std::size_t i = 0; i < visited_.size(); ++i) {
        collect_leaf(terms, visited_[i], visited_[std::min(i + 1, visited_.size() - 1)]);
    }
    flush_collectors();
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
        const std::size_t found =
            rescorers_[i % 2].finish(search, one.query, one.reach.surplus, all, list, trace);
        if (found >= terms.k && (all || !terms.reads_on)) {
            return;
        }
        if (found >= terms.k && one.query.start(terms, one.vector, scratch_) &&
            !reads_too_little(terms, list, scratch_, one.query)) {
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
    scan_leaves(terms);
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
    const std::vector<std::uint32_t> order = order_queries(batch, pool);
    std::vector<std::vector<ScoredRow>> lists(num_queries);
    std::vector<BatchUnit> units(pool.num_threads());
    const bool shares = shares_codes(batch);
    const std::size_t share = (num_queries + pool.num_threads() - 1) / pool.num_threads();
    const Chunks chunks = {num_queries, std::clamp<std::size_t>(share, 1, kUnitQueries)};
    const std::size_t wave_size =
        std::max(std::size_t{4} * pool.num_threads(), chunks.count() / kMaxReports);
    for (std::size_t wave = 0; wave < chunks.count(); wave += wave_size) {
        const std::size_t wave_end = std::min(chunks.count(), wave + wave_size);
        pool.for_each(wave_end - wave, [&](std::size_t chunk, unsigned worker) {
            const std::size_t begin = chunks.begin(wave + chunk);
            const std::size_t end = chunks.end(wave + chunk);
            const auto listed = std::span(order).subspan(begin, end - begin);
            if (shares) {
                units[worker].run(batch, listed, lists);
            } else {
                units[worker].run_each(batch, listed, lists);
            }
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
