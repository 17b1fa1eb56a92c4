#pragma once

// Tables for the tests of this folder, and the slow way to count them.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "base/random.h"
#include "cooc/pair_counter.h"
#include "data/sparse.h"

namespace segue {

/// Groups as lists of items, in any order.
inline SparseMatrix table_of(std::size_t num_items,
                             const std::vector<std::vector<std::uint32_t>>& groups) {
    std::vector<Triplet> entries;
    for (std::size_t group = 0; group < groups.size(); ++group) {
        for (const std::uint32_t item : groups[group]) {
            entries.push_back({static_cast<std::uint32_t>(group), item, 1});
        }
    }
    return sparse_from_triplets(groups.size(), num_items, entries);
}

/// A random table with its positions: groups of 0 to `max_size` items, popular items at the low
/// rows.
struct RandomTable {
    SparseMatrix interactions;
    std::vector<std::uint32_t> positions;

    CountInput input() const { return {interactions.view(), positions}; }
};

inline RandomTable random_table(std::uint64_t seed, std::size_t num_groups, std::size_t num_items,
                                std::size_t max_size, bool with_values) {
    Random random(seed);
    std::vector<Triplet> entries;
    for (std::size_t group = 0; group < num_groups; ++group) {
        const std::uint64_t size = random.below(max_size + 1);
        for (std::uint64_t place = 0; place < size; ++place) {
            const double draw = random.uniform() * random.uniform();
            const auto item = static_cast<std::uint32_t>(draw * static_cast<double>(num_items));
            entries.push_back({static_cast<std::uint32_t>(group), item, 1});
        }
    }
    RandomTable table;
    table.interactions = sparse_from_triplets(num_groups, num_items, entries);
    if (!with_values) {
        table.interactions.values.clear();
    }
    for (std::size_t group = 0; group < num_groups; ++group) {
        std::vector<std::uint32_t> places(table.interactions.view().row_size(group));
        for (std::size_t place = 0; place < places.size(); ++place) {
            places[place] = static_cast<std::uint32_t>(place);
            std::swap(places[place], places[random.below(place + 1)]);
        }
        table.positions.insert(table.positions.end(), places.begin(), places.end());
    }
    return table;
}

struct BruteCounts {
    double together = 0;
    double weighted = 0;
};
using BruteTable = std::map<std::pair<std::uint32_t, std::uint32_t>, BruteCounts>;

/// Every ordered pair of different items, by looking at every pair of entries of every group.
inline BruteTable brute_force_counts(const CountInput& input, const CountOptions& options) {
    const SparseView& table = input.interactions;
    BruteTable counts;
    for (std::size_t group = 0; group < table.num_rows; ++group) {
        const double weight =
            std::pow(static_cast<double>(table.row_size(group)), -options.group_exponent);
        for (std::uint64_t left = table.offsets[group]; left < table.offsets[group + 1]; ++left) {
            for (std::uint64_t right = table.offsets[group]; right < table.offsets[group + 1];
                 ++right) {
                if (left == right) {
                    continue;
                }
                if (options.window > 0) {
                    const std::int64_t distance =
                        std::int64_t{input.positions[left]} - std::int64_t{input.positions[right]};
                    if (std::abs(distance) > std::int64_t{options.window}) {
                        continue;
                    }
                }
                double amount = 1;
                if (options.values_are_counts && !table.values.empty()) {
                    amount = static_cast<double>(table.values[left]) *
                             static_cast<double>(table.values[right]);
                }
                BruteCounts& sums = counts[{table.columns[left], table.columns[right]}];
                sums.together += amount;
                sums.weighted += amount * weight;
            }
        }
    }
    return counts;
}

}  // namespace segue
