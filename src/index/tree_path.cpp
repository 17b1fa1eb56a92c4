#include "index/tree_path.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "index/tree_tables.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

using kernels::kCodeBlock;

constexpr std::size_t kWidenBy = 4;
/// Times the root of their number: leaves that hold about .95 of the best 10 of most data.
constexpr double kUsualLeaves = 2;
constexpr std::size_t kLeastLeaves = 8;
constexpr std::size_t kLeastCandidates = 100;
constexpr std::size_t kCandidatesPerResult = 5;
/// Lines of codes that are asked for ahead of the scan: what one core can wait for, and half more.
constexpr std::size_t kLinesAhead = 64;

/// Scores the entries of the query's leaves into buffers.scores.
void scan_leaves(const SearchTerms& terms, TreeBuffers& buffers) {
    const IndexTables& tables = terms.index.tables;
    const TreeTables& tree = terms.index.tree;
    buffers.segments.clear();
    buffers.first_entries.clear();
    for (std::size_t i = 0; i < buffers.query.leaves().size(); ++i) {
        const std::uint32_t leaf = buffers.query.leaves()[i];
        const std::uint32_t num_entries = tree.leaf_entries[leaf];
        buffers.segments.push_back(segment_of(terms, leaf, buffers.query.biases()[i]));
        const std::uint64_t first = first_entry(tables, leaf);
        for (std::uint64_t entry = 0; entry < num_entries; entry += kCodeBlock) {
            buffers.first_entries.push_back(static_cast<std::uint32_t>(first + entry));
        }
    }
    const std::size_t num_scores = buffers.first_entries.size() * kCodeBlock;
    if (buffers.scores.size() < num_scores) {
        buffers.scores = AlignedBuffer<std::int16_t>(num_scores + num_scores / 4);
    }
    kernels::active_kernels().codes->scan(buffers.query.tables(), tree.num_lines,
                                          buffers.segments.data(), buffers.segments.size(),
                                          buffers.scores.data());
    if (!TreeQuery::needs_finish(terms)) {
        return;
    }
    std::int16_t* scores = buffers.scores.data();
    for (const std::uint32_t leaf : buffers.query.leaves()) {
        const std::size_t num_entries = tree.leaf_entries[leaf];
        buffers.query.finish_scores(terms, leaf, 0, num_entries, scores);
        scores += (num_entries + kCodeBlock - 1) / kCodeBlock * kCodeBlock;
    }
}

/// Asks for the first codes of the query's leaves, while its tables are made.
void prefetch_codes(const SearchTerms& terms, std::span<const std::uint32_t> leaves) {
    std::size_t lines_left = kLinesAhead;
    for (const std::uint32_t leaf : leaves) {
        const kernels::CodeSegment segment = segment_of(terms, leaf, 0);
        const std::size_t num_lines =
            std::min(lines_left, (segment.num_entries + kCodeBlock - 1) / kCodeBlock *
                                     terms.index.tree.num_lines);
        for (std::size_t line = 0; line < num_lines; ++line) {
            __builtin_prefetch(segment.codes + line * kernels::kCodeLineBytes, 0, 2);
        }
        lines_left -= num_lines;
        if (lines_left == 0) {
            return;
        }
    }
}

/// Leaves the best entries of the scores in buffers.best.
void select_entries(std::size_t count, TreeBuffers& buffers) {
    const kernels::CodesKernels& codes = *kernels::active_kernels().codes;
    buffers.best.start(count);
    buffers.best.raise_threshold(codes, buffers.scores.data(), buffers.first_entries.size(),
                                 buffers.scratch.select);
    buffers.best.collect(codes, buffers.scores.data(), buffers.first_entries);
    buffers.best.cut(codes);
}

}  // namespace

kernels::CodeSegment segment_of(const SearchTerms& terms, std::uint32_t leaf, std::int32_t bias) {
    const IndexTables& tables = terms.index.tables;
    const TreeTables& tree = terms.index.tree;
    return {.codes = tables.codes.data() +
                     tables.code_offsets[leaf] * tree.num_lines * kernels::kCodeLineBytes,
            .num_entries = tree.leaf_entries[leaf],
            .bias = bias};
}

TreeReach TreeReach::widened() const {
    return {num_leaves * kWidenBy, num_candidates * kWidenBy, surplus * kWidenBy + 16};
}

TreeReach first_reach(const SearchTerms& terms, std::size_t num_excluded) {
    const TreeTables& tree = terms.index.tree;
    TreeReach reach = {terms.knobs.num_leaves_to_search, terms.knobs.reordering_num_neighbors, 0};
    if (reach.num_leaves == 0) {
        const double usual = kUsualLeaves * std::sqrt(static_cast<double>(tree.num_filled_leaves)) *
                             std::max(1.0, std::pow(static_cast<double>(terms.k) / 10, 0.25));
        reach.num_leaves = std::max(kLeastLeaves, static_cast<std::size_t>(std::lround(usual)));
    }
    if (reach.num_candidates == 0) {
        reach.num_candidates = std::max(kLeastCandidates, kCandidatesPerResult * terms.k);
    }
    const std::size_t num_items = terms.index.tables.num_items;
    reach.num_candidates = std::max(reach.num_candidates, terms.k) + num_excluded;
    if (tree.num_entries > num_items) {
        // An item's entries count once each.
        reach.num_candidates += reach.num_candidates / 2;
    }
    return reach;
}

bool reads_too_little(const SearchTerms& terms, std::span<const ScoredRow> results,
                      TreeQueryScratch& scratch, TreeQuery& query) {
    if (!terms.reads_on) {
        return false;
    }
    // A third of what may be missed: codes rank some badly, and the spread of scores is a model.
    const double most_missed = (1 - terms.target_recall) / 3 * static_cast<double>(terms.k);
    const float last = results.size() == terms.k
                           ? results.back().score
                           : terms.min_score.value_or(std::numeric_limits<float>::lowest());
    return add_promising(terms, last, most_missed, scratch, scratch.reach, query);
}

void search_tree(const PreparedSearch& search, TreeBuffers& buffers,
                 std::vector<ScoredRow>& results, SearchTrace& trace) {
    const SearchTerms& terms = search.terms;
    const TreeTables& tree = terms.index.tree;
    const bool starts = buffers.query.start(terms, search.query, buffers.scratch);
    TreeReach reach = first_reach(terms, search.excluded.size());
    bool chosen = false;
    while (starts) {
        if (!chosen) {
            buffers.query.choose_leaves(terms, reach.num_leaves, buffers.scratch);
        }
        prefetch_codes(terms, buffers.query.leaves());
        if (buffers.query.leaves().empty() || !buffers.query.make_tables(terms, buffers.scratch)) {
            break;
        }
        scan_leaves(terms, buffers);
        select_entries(reach.num_candidates, buffers);
        buffers.rescorer.start(terms, buffers.best.entries());
        trace.leaves = buffers.query.leaves().size();
        trace.scored += buffers.first_entries.size() * kCodeBlock;
        const bool all = reach.is_all(tree);
        const std::size_t found =
            buffers.rescorer.finish(search, buffers.query, reach.surplus, all, results, trace);
        if (found >= terms.k) {
            if (chosen || all ||
                !reads_too_little(terms, results, buffers.scratch, buffers.query)) {
                return;
            }
            // Where more leaves promise as good items, more entries lie within the errors of codes.
            constexpr std::size_t kMoreCandidates = 2;
            reach.num_candidates *= kMoreCandidates;
            chosen = true;
        } else if (all) {
            break;
        } else {
            reach = reach.widened();
            chosen = false;
        }
        trace.widened = true;
    }
    search_exact(search, buffers.exact, results, trace);
}

}  // namespace segue
