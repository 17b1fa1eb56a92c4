#pragma once

// Cuts a table into a part to learn from and a part to be judged by. The same cut of the learning
// part alone gives the validation part that early stopping and tuning may look at.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "data/dataset.h"
#include "data/sparse.h"

namespace segue {

enum class SplitKind {
    kHoldout,      // a share of each group's items at random
    kLeaveOneOut,  // one item of each group: the last by time, at random without times
    kTime,         // everything from one moment on
};

struct SplitSpec {
    SplitKind kind = SplitKind::kHoldout;
    /// Of each group's items that go to the test part, rounded down. Only for kHoldout.
    double fraction = 0.2;
    /// Groups with fewer items stay wholly in the training part. Not for kTime; kLeaveOneOut takes
    /// two at least.
    std::size_t min_group_size = 5;
    /// The first moment of the test part, in the unit of the times. Only for kTime.
    double first_test_time = 0;
    std::uint64_t seed = 1;

    /// Returns an error if: the fraction is not inside (0, 1) or the time is not finite.
    Status validate() const;
};

/// Reads "holdout:0.2", "leave-one-out" or "time:WHEN"; WHEN is a number or a UTC date as in
/// 2024-03-01, 2024-03-01T18:30 or 2024-03-01 18:30:00Z, which becomes seconds since 1970.
Result<SplitSpec> parse_split(std::string_view text);

/// What became of the entries.
struct SplitCounts {
    std::uint64_t train_entries = 0;
    std::uint64_t test_entries = 0;
    std::uint64_t test_groups = 0;           // groups with test entries
    std::uint64_t whole_groups = 0;          // groups wholly in the training part
    std::uint64_t dropped_unseen_items = 0;  // test entries whose item has no training entry
    std::uint64_t dropped_unseen_groups =
        0;  // other test entries, whose group has no training entry
};

/// Both parts have the shape of the whole, also where a row or column has become empty.
struct MatrixSplit {
    SparseMatrix train;
    SparseMatrix test;
    SplitCounts counts;
};

/// `times` [num_entries], or empty. Depends on the seed, on nothing else.
/// Returns an error if: the spec is invalid, or it is kTime and there are no times.
Result<MatrixSplit> split_interactions(const SparseView& interactions,
                                       std::span<const double> times, const SplitSpec& spec);

struct DatasetSplit {
    /// As if only these entries had been read: groups and items without any are not in it.
    Dataset train;
    /// [train.groups x train.items], disjoint from train.interactions.
    SparseMatrix test;
    SplitCounts counts;
};

/// Returns an error if: the spec is invalid, it is kTime and there are no times, or either part is
/// empty.
Result<DatasetSplit> split_dataset(const Dataset& dataset, const SplitSpec& spec);

/// As if only a share of the groups had been read, each in or out by the seed and its row alone:
/// what a smaller share keeps a larger one keeps too. All groups for a share of 1.
Dataset sample_groups(const Dataset& dataset, double share, std::uint64_t seed);

/// `test` without the entries that `train` (of the same shape) has too: they could never be
/// offered. `num_dropped` may be null.
SparseMatrix without_entries_of(const SparseView& train, const SparseView& test,
                                std::uint64_t* num_dropped = nullptr);

}  // namespace segue
