#pragma once

// A table where the right answers are known, for tests.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/dataset.h"

namespace segue {

inline constexpr std::size_t kNumGenres = 5;
inline constexpr std::uint32_t kItemsOfGenre = 20;

/// Every group likes one genre and has 10 of its items and one of any other.
inline Dataset planted_genres(std::size_t num_groups) {
    Dataset dataset;
    Random random(5);
    std::vector<Triplet> entries;
    for (std::size_t item = 0; item < kNumGenres * kItemsOfGenre; ++item) {
        dataset.items.insert("item" + std::to_string(item));
    }
    for (std::uint32_t group = 0; group < num_groups; ++group) {
        dataset.groups.insert("group" + std::to_string(group));
        const auto first = static_cast<std::uint32_t>(random.below(kNumGenres)) * kItemsOfGenre;
        std::set<std::uint32_t> items = {
            static_cast<std::uint32_t>(random.below(kNumGenres * kItemsOfGenre))};
        while (items.size() < 11) {
            items.insert(first + static_cast<std::uint32_t>(random.below(kItemsOfGenre)));
        }
        for (const std::uint32_t item : items) {
            entries.push_back({group, item, 1});
        }
    }
    dataset.interactions = sparse_from_triplets(num_groups, kNumGenres * kItemsOfGenre, entries);
    return dataset;
}

}  // namespace segue
