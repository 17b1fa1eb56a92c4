#pragma once

// Judges lists by held-out items, whoever made the lists: every item of the training part is a
// candidate but the group's own (full rank; no sampled negatives, which mislead: Krichene and
// Rendle 2020).

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "data/sparse.h"

namespace segue {

/// What a maker of lists is asked for: a list for each of these groups of the training part.
struct GroupListRequest {
    std::span<const std::uint32_t> group_rows;
    /// [group_rows.size() x num_items], row for row with group_rows: what the groups have in the
    /// training part.
    SparseView histories;
    std::size_t k = 0;
};

/// At most k items for each group asked for, best first, without the group's own.
using GroupListMaker =
    std::function<Result<Neighbours>(const GroupListRequest& request, ThreadPool& pool)>;

/// At most k items for each item asked for, best first, without itself.
using ItemListMaker = std::function<Result<Neighbours>(std::span<const std::uint32_t> item_rows,
                                                       std::size_t k, ThreadPool& pool)>;

struct JudgeOptions {
    /// Lists are cut after this many places; ascending and distinct.
    std::vector<std::size_t> ks = {20};
    /// Which item of a group asks, where items are judged.
    std::uint64_t seed = 1;
    /// Keep what every single group came to, for tests of significance.
    bool keep_group_values = false;

    /// Returns an error if: there is no k, one is 0 or absurdly large, or they do not ascend.
    Status validate() const;
};

struct Metric {
    std::string name;  // "recall@20", "mrr", ...
    double value = 0;
};

struct Judgement {
    /// For each k: recall, ndcg, hr, map, precision, coverage, popularity, named as in "recall@20";
    /// then "mrr" of the longest lists. All but coverage and popularity are means over the judged
    /// groups; coverage is the share of the items with training entries that somebody was shown,
    /// popularity the mean number of training groups of what was shown. docs/numerics.md has the
    /// formulas.
    std::vector<Metric> metrics;
    /// Groups with held-out items; those without a history, to whom nothing can be offered, count
    /// with zeros.
    std::size_t num_groups = 0;
    /// Which they were, and one row of values each: the means among `metrics`, in their order,
    /// [num_groups x num_group_metrics]. Empty unless asked for.
    std::vector<std::uint32_t> group_rows;
    std::vector<std::string> group_metric_names;
    std::vector<double> group_values;
};

/// Lists for groups: a group's held-out items are relevant, its own left out.
/// Requires: `train` and `test` have the same shape and no entry in common.
/// Returns an error if: options are invalid, nobody is left to judge, the maker fails, or a list
/// has an unknown item, an item twice, more than k items or one of the group's own. The same for
/// any number of threads.
Result<Judgement> judge_group_lists(const GroupListMaker& make_lists, const SparseView& train,
                                    const SparseView& test, const JudgeOptions& options,
                                    ThreadPool& pool, const ProgressListener& progress = {});

/// Lists for items: one item of each group's history at random (the same for every maker) asks, the
/// group's held-out items are relevant, and only the item that asks is left out. Groups without a
/// history are not judged. Otherwise as judge_group_lists; the names begin with "item_".
Result<Judgement> judge_item_lists(const ItemListMaker& make_lists, const SparseView& train,
                                   const SparseView& test, const JudgeOptions& options,
                                   ThreadPool& pool, const ProgressListener& progress = {});

/// Mean recall@k of the lists, what early stopping and tuning look at. `held_out` is the validation
/// part cut from the training part; same requirements and errors as judge_group_lists.
Result<double> validation_recall(const GroupListMaker& make_lists, const SparseView& train,
                                 const SparseView& held_out, std::size_t k, ThreadPool& pool);

}  // namespace segue
