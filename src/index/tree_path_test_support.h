#pragma once

// What the tests of searches along the tree share: indexes of clustered vectors, some with items
// spilled into a second leaf, and what an exact search finds.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"
#include "index/exact_index.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"

namespace segue::tree_path_test {

/// Groups of nearby vectors of uneven lengths.
inline Matrix clustered(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    constexpr std::size_t kGroups = 20;
    Random random(seed);
    Matrix centres(kGroups, dim);
    Random centre_random(7);
    for (std::size_t i = 0; i < kGroups; ++i) {
        for (float& value : centres.row(i)) {
            value = static_cast<float>(centre_random.normal());
        }
    }
    Matrix rows(num_rows, dim);
    for (std::size_t r = 0; r < num_rows; ++r) {
        const std::span<const float> centre = centres.row(random.below(kGroups));
        const double length = 0.2 + 2 * random.uniform();
        for (std::size_t i = 0; i < dim; ++i) {
            const double value = static_cast<double>(centre[i]) + 0.6 * random.normal();
            rows.row(r)[i] = static_cast<float>(length * value);
        }
    }
    return rows;
}

/// An index and the vectors it is of.
struct Searched {
    Matrix items;
    IndexParts parts;
    Measure measure;
    double exponent;
    std::vector<LeafIndex> index;  // one, which views the parts

    const LeafIndex& get() const { return index.front(); }
};

/// Puts the items of each leaf into the leaf before it, too.
inline void spill(IndexParts& parts) {
    const IndexParts before = [&] {
        IndexParts copy;
        copy.code_offsets = parts.code_offsets;
        copy.codes = std::move(parts.codes);
        return copy;
    }();
    const std::size_t num_leaves = parts.leaf_offsets.size() - 1;
    const std::size_t block_bytes = code_block_bytes(parts.dim);
    const auto num_entries = [&](std::size_t leaf) {
        return parts.leaf_offsets[leaf + 1] - parts.leaf_offsets[leaf];
    };
    for (std::size_t leaf = 0; leaf < num_leaves; ++leaf) {
        const std::size_t entries = num_entries(leaf) + num_entries((leaf + 1) % num_leaves);
        parts.code_offsets[leaf + 1] = parts.code_offsets[leaf] + (entries + 31) / 32;
    }
    parts.codes = AlignedBuffer<std::uint8_t>(parts.code_offsets.back() * block_bytes);
    parts.code_positions.assign(parts.code_offsets.back() * 32, 0xFFFFFFFF);
    for (std::size_t leaf = 0; leaf < num_leaves; ++leaf) {
        std::size_t to = parts.code_offsets[leaf] * 32;
        for (const std::size_t from : {leaf, (leaf + 1) % num_leaves}) {
            for (std::size_t entry = 0; entry < num_entries(from); ++entry, ++to) {
                const std::size_t source = before.code_offsets[from] * 32 + entry;
                parts.code_positions[to] =
                    static_cast<std::uint32_t>(parts.leaf_offsets[from] + entry);
                for (std::size_t s = 0; s < num_subspaces(parts.dim); ++s) {
                    const auto byte = [&](std::size_t at) {
                        return at / 32 * block_bytes + s / 4 * 64 + at % 16 * 4 + s % 4;
                    };
                    const unsigned both = before.codes[byte(source)];
                    const unsigned code = source % 32 < 16 ? both % 16 : both / 16;
                    parts.codes[byte(to)] |=
                        static_cast<std::uint8_t>(to % 32 < 16 ? code : code * 16);
                }
            }
        }
    }
}

inline Searched make_index(Matrix items, const IndexBuildOptions& options, bool spilled = false) {
    ThreadPool pool(2);
    Searched made = {std::move(items), {}, options.measure, options.popularity_exponent, {}};
    made.parts = build_index(made.items.view(), options, pool).value();
    if (spilled) {
        spill(made.parts);
    }
    return made;
}

/// Tables are views: opened where the parts stay.
inline void open(Searched& made) {
    made.index.push_back(LeafIndex::open(made.parts.tables(), made.items.view()).value());
}

inline std::vector<ScoredRow> search(const Searched& made, std::span<const float> query,
                                     IndexSearchOptions options, SearchTrace* trace = nullptr) {
    options.path = SearchPath::kTree;
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const Status status = made.get().search(query, options, scratch, results, trace);
    EXPECT_TRUE(status.ok()) << status.message();
    return results;
}

inline std::vector<ScoredRow> exact(const Searched& made, std::span<const float> query,
                                    const SearchOptions& options) {
    return ExactIndex(made.items.view(), made.measure, made.exponent)
        .search(query, options)
        .value();
}

inline std::size_t num_common(const std::vector<ScoredRow>& left,
                              const std::vector<ScoredRow>& right) {
    std::set<std::uint32_t> rows;
    for (const ScoredRow& scored : left) {
        rows.insert(scored.item_row);
    }
    return static_cast<std::size_t>(
        std::count_if(right.begin(), right.end(),
                      [&](const ScoredRow& scored) { return rows.count(scored.item_row) != 0; }));
}

inline void expect_equal(const std::vector<ScoredRow>& found,
                         const std::vector<ScoredRow>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].item_row, expected[i].item_row) << i;
        EXPECT_EQ(found[i].score, expected[i].score) << i;
    }
}

inline constexpr TreeKnobs kEverything = {.num_leaves_to_search = 1000000,
                                          .reordering_num_neighbors = 1000000};

}  // namespace segue::tree_path_test
