#pragma once

// Adds up what lists are worth, from many threads, to the same sums for any number of them.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/judge.h"

namespace segue {

/// What is wrong with a list that may not be judged.
enum class ListFault : std::uint8_t { kNone, kTooLong, kUnknownItem, kRepeatedItem, kOwnItem };

/// The sums over the lists of `num_lists` groups. Single writer for each worker: add() may be
/// called at the same time with different workers and different places.
class Tally {
public:
    /// `item_frequencies` [num_items] outlives *this.
    Tally(std::span<const std::size_t> ks, std::span<const std::uint32_t> item_frequencies,
          std::size_t num_lists, unsigned num_workers);

    /// Judges the list of the group at `place` by `relevant`, where `own` may not be in it; both
    /// ascend.
    void add(std::size_t place, unsigned worker, std::span<const std::uint32_t> list,
             std::span<const std::uint32_t> relevant, std::span<const std::uint32_t> own);

    /// [num_lists]
    std::span<const ListFault> faults() const { return faults_; }
    /// The names of the metrics begin with `prefix`. Fills everything but Judgement::group_rows.
    Judgement finish(std::string_view prefix, bool keep_group_values) const;

private:
    /// What one worker has seen; the sums are whole numbers, so their order does not matter.
    struct Worker {
        std::vector<std::uint32_t>
            best_places;                   // [num_items] the foremost place an item was shown at
        std::vector<std::uint64_t> shown;  // [ks] places filled
        std::vector<std::uint64_t> frequencies;  // [ks] sum of the frequencies of what filled them
        std::vector<std::uint8_t> hits;
        std::vector<std::uint32_t> sorted;
    };
    ListFault fault_of(Worker& worker, std::span<const std::uint32_t> list,
                       std::span<const std::uint32_t> own) const;
    void count_shown(Worker& worker, std::span<const std::uint32_t> list) const;
    double coverage(std::size_t k) const;
    double mean_popularity(std::size_t which_k) const;
    std::size_t num_values() const;

    std::vector<std::size_t> ks_;
    std::span<const std::uint32_t> item_frequencies_;
    std::vector<double> values_;  // [num_lists x num_values()]
    std::vector<ListFault> faults_;
    std::vector<Worker> workers_;
};

}  // namespace segue
