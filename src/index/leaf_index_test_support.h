#pragma once

// What tests of LeafIndex share: items of many kinds, an index over them, the f32 scan beside it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "data/matrix.h"
#include "index/exact_index.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"

namespace segue {

inline Matrix normal_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed,
                          double scale = 1) {
    Random random(seed);
    Matrix rows(num_rows, dim);
    for (std::size_t row = 0; row < num_rows; ++row) {
        for (float& value : rows.row(row)) {
            value = static_cast<float>(random.normal() * scale);
        }
    }
    return rows;
}

/// Few directions with a little noise; norms over three orders of magnitude.
inline Matrix clustered_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Random random(seed);
    const Matrix centres = normal_rows(9, dim, seed + 1);
    Matrix rows(num_rows, dim);
    for (std::size_t row = 0; row < num_rows; ++row) {
        const std::span<const float> centre = centres.row(random.below(9));
        const double length = std::pow(10, 3 * random.uniform() - 1.5);
        for (std::size_t i = 0; i < dim; ++i) {
            const double value = static_cast<double>(centre[i]) + 0.2 * random.normal();
            rows.row(row)[i] = static_cast<float>(length * value);
        }
    }
    return rows;
}

/// Rows that repeat, so that ties are everywhere.
inline Matrix repeated_rows(std::size_t num_rows, std::size_t dim, std::size_t num_distinct,
                            std::uint64_t seed) {
    Random random(seed);
    const Matrix distinct = normal_rows(num_distinct, dim, seed + 1);
    Matrix rows(num_rows, dim);
    for (std::size_t row = 0; row < num_rows; ++row) {
        const std::span<const float> from = distinct.row(random.below(num_distinct));
        std::copy(from.begin(), from.end(), rows.row(row).begin());
    }
    return rows;
}

/// Clustered rows among which some are zero, tiny, huge, or have elements that are no numbers.
inline Matrix odd_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    Matrix rows = clustered_rows(num_rows, dim, seed);
    Random random(seed);
    const std::vector<float> factors = {0, 1e-30F, 1e-21F, 1e-12F, 1e12F, 1e18F, 1e25F, 1e37F};
    for (std::size_t row = 0; row < num_rows; row += 1 + random.below(7)) {
        const std::uint64_t kind = random.below(factors.size() + 3);
        if (kind < factors.size()) {
            for (float& value : rows.row(row)) {
                value *= factors[kind];
            }
        } else {
            rows.row(row)[random.below(dim)] = kind == factors.size()       ? kInfinity
                                               : kind == factors.size() + 1 ? -kInfinity
                                                                            : std::nanf("");
        }
    }
    return rows;
}

/// An index with everything it views. Not copied or moved.
struct BuiltIndex {
    Matrix items;
    IndexParts parts;
    LeafIndex index;

    BuiltIndex(Matrix rows, const IndexBuildOptions& options)
        : items(std::move(rows)), parts(build(items, options)), index(open(parts, items)) {}

    static IndexParts build(const Matrix& items, const IndexBuildOptions& options) {
        ThreadPool pool(1);
        Result<IndexParts> parts = build_index(items.view(), options, pool);
        EXPECT_TRUE(parts.ok()) << parts.status().message();
        return std::move(parts).value();
    }
    static LeafIndex open(const IndexParts& parts, const Matrix& items) {
        Result<LeafIndex> index = LeafIndex::open(parts.tables(), items.view());
        EXPECT_TRUE(index.ok()) << index.status().message();
        return std::move(index).value();
    }
};

inline std::vector<ScoredRow> search(const LeafIndex& index, std::span<const float> query,
                                     const IndexSearchOptions& options,
                                     SearchTrace* trace = nullptr) {
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const Status status = index.search(query, options, scratch, results, trace);
    EXPECT_TRUE(status.ok()) << status.message();
    return results;
}

inline std::vector<ScoredRow> list_of(const Neighbours& lists, std::size_t query) {
    std::vector<ScoredRow> list;
    for (std::uint64_t i = lists.offsets[query]; i < lists.offsets[query + 1]; ++i) {
        list.push_back({lists.item_rows[i], lists.scores[i]});
    }
    return list;
}

/// "row:score row:score ..."
inline std::string text_of(std::span<const ScoredRow> list) {
    std::string text;
    for (const ScoredRow& scored : list) {
        text += std::to_string(scored.item_row) + ":" + std::to_string(scored.score) + " ";
    }
    return text;
}

inline testing::AssertionResult same_lists(std::span<const ScoredRow> found,
                                           std::span<const ScoredRow> expected) {
    bool same = found.size() == expected.size();
    for (std::size_t i = 0; same && i < found.size(); ++i) {
        same = found[i].item_row == expected[i].item_row && found[i].score == expected[i].score;
    }
    return same ? testing::AssertionSuccess()
                : testing::AssertionFailure()
                      << "found " << text_of(found) << "\nexpected " << text_of(expected);
}

}  // namespace segue
