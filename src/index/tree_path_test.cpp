#include "index/tree_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"
#include "index/exact_index.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"

namespace segue {
namespace {

/// Groups of nearby vectors of uneven lengths.
Matrix clustered(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
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
void spill(IndexParts& parts) {
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

Searched make_index(Matrix items, const IndexBuildOptions& options, bool spilled = false) {
    ThreadPool pool(2);
    Searched made = {std::move(items), {}, options.measure, options.popularity_exponent, {}};
    made.parts = build_index(made.items.view(), options, pool).value();
    if (spilled) {
        spill(made.parts);
    }
    return made;
}

/// Tables are views: opened where the parts stay.
void open(Searched& made) {
    made.index.push_back(LeafIndex::open(made.parts.tables(), made.items.view()).value());
}

std::vector<ScoredRow> search(const Searched& made, std::span<const float> query,
                              IndexSearchOptions options, SearchTrace* trace = nullptr) {
    options.path = SearchPath::kTree;
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const Status status = made.get().search(query, options, scratch, results, trace);
    EXPECT_TRUE(status.ok()) << status.message();
    return results;
}

std::vector<ScoredRow> exact(const Searched& made, std::span<const float> query,
                             const SearchOptions& options) {
    return ExactIndex(made.items.view(), made.measure, made.exponent)
        .search(query, options)
        .value();
}

std::size_t num_common(const std::vector<ScoredRow>& left, const std::vector<ScoredRow>& right) {
    std::set<std::uint32_t> rows;
    for (const ScoredRow& scored : left) {
        rows.insert(scored.item_row);
    }
    return static_cast<std::size_t>(
        std::count_if(right.begin(), right.end(),
                      [&](const ScoredRow& scored) { return rows.count(scored.item_row) != 0; }));
}

void expect_equal(const std::vector<ScoredRow>& found, const std::vector<ScoredRow>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].item_row, expected[i].item_row) << i;
        EXPECT_EQ(found[i].score, expected[i].score) << i;
    }
}

constexpr TreeKnobs kEverything = {.num_leaves_to_search = 1000000,
                                   .reordering_num_neighbors = 1000000};

TEST(TreePath, reads_all_leaves_and_candidates_and_finds_what_exact_search_finds) {
    for (const bool spilled : {false, true}) {
        for (const std::size_t dim : {1, 2, 7, 33, 64, 100}) {
            for (const Measure measure : {Measure::kDot, Measure::kCosine, Measure::kSquaredL2}) {
                Searched made = make_index(clustered(700, dim, dim),
                                           {.measure = measure, .num_leaves = 12}, spilled);
                open(made);
                const Matrix queries = clustered(8, dim, 1000 + dim);
                for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                    expect_equal(search(made, queries.row(q), {.k = 10, .knobs = kEverything}),
                                 exact(made, queries.row(q), {.k = 10}));
                }
            }
        }
    }
}

TEST(TreePath, answers_other_popularity_exponents_than_the_built_one) {
    for (const double built : {0.0, 0.5, 1.0}) {
        Searched made =
            make_index(clustered(3000, 24, 1), {.popularity_exponent = built, .num_leaves = 30});
        open(made);
        const Matrix queries = clustered(40, 24, 2);
        for (const double exponent : {-1.0, 0.0, 0.5, 1.0, 1.3}) {
            std::size_t common = 0;
            for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                const std::vector<ScoredRow> expected =
                    exact(made, queries.row(q), {.k = 10, .popularity_exponent = exponent});
                common += num_common(search(made, queries.row(q),
                                            {.k = 10,
                                             .popularity_exponent = exponent,
                                             .knobs = {.num_leaves_to_search = 15,
                                                       .reordering_num_neighbors = 300}}),
                                     expected);
                expect_equal(
                    search(made, queries.row(q),
                           {.k = 10, .popularity_exponent = exponent, .knobs = kEverything}),
                    expected);
            }
            EXPECT_GT(static_cast<double>(common), 0.85 * 10 * 40)
                << "built " << built << ", asked " << exponent;
        }
    }
}

TEST(TreePath, finds_more_with_more_leaves_and_with_more_candidates) {
    for (const bool spilled : {false, true}) {
        Searched made = make_index(clustered(6000, 40, 3), {.num_leaves = 60}, spilled);
        open(made);
        const Matrix queries = clustered(60, 40, 4);
        const auto recall = [&](std::uint32_t leaves, std::uint32_t candidates) {
            std::size_t common = 0;
            for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                common += num_common(search(made, queries.row(q),
                                            {.k = 10,
                                             .knobs = {.num_leaves_to_search = leaves,
                                                       .reordering_num_neighbors = candidates}}),
                                     exact(made, queries.row(q), {.k = 10}));
            }
            return common;
        };
        std::size_t before = 0;
        for (const std::uint32_t leaves : {1, 2, 4, 8, 16, 32, 60}) {
            const std::size_t found = recall(leaves, 6000);
            EXPECT_GE(found, before) << leaves << " leaves";
            before = found;
        }
        EXPECT_EQ(before, queries.num_rows() * 10);
        before = 0;
        for (const std::uint32_t candidates : {10, 20, 40, 80, 160, 640, 12000}) {
            const std::size_t found = recall(60, candidates);
            EXPECT_GE(found, before) << candidates << " candidates";
            before = found;
        }
        EXPECT_EQ(before, queries.num_rows() * 10);
    }
}

TEST(TreePath, gives_k_results_of_those_a_filter_leaves_however_few) {
    for (const bool spilled : {false, true}) {
        Searched made = make_index(clustered(5000, 20, 5), {.num_leaves = 50}, spilled);
        open(made);
        const Matrix queries = clustered(10, 20, 6);
        for (const double share : {0.5, 0.1, 0.01, 0.001, 0.0}) {
            for (const bool correlated : {false, true}) {
                Random random(8);
                std::vector<std::uint64_t> allowed((5000 + 63) / 64);
                std::size_t count = 0;
                for (std::size_t position = 0; position < 5000; ++position) {
                    // Correlated: whole leaves are in or out.
                    const bool in = correlated ? static_cast<double>(position) < share * 5000
                                               : random.uniform() < share;
                    const std::uint32_t row = made.parts.item_rows[position];
                    allowed[row / 64] |= static_cast<std::uint64_t>(in) << (row % 64);
                    count += in ? 1 : 0;
                }
                const LeafFilter filter =
                    LeafFilter::from_bitmap(made.parts.tables(), allowed).value();
                for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                    const std::vector<ScoredRow> found = search(
                        made, queries.row(q),
                        {.k = 10,
                         .filter = &filter,
                         .knobs = {.num_leaves_to_search = 5, .reordering_num_neighbors = 20}});
                    EXPECT_EQ(found.size(), std::min<std::size_t>(10, count));
                    for (const ScoredRow& scored : found) {
                        EXPECT_TRUE((allowed[scored.item_row / 64] >> (scored.item_row % 64) & 1) !=
                                    0);
                    }
                    expect_equal(search(made, queries.row(q),
                                        {.k = 10, .filter = &filter, .knobs = kEverything}),
                                 exact(made, queries.row(q), {.k = 10, .allowed = allowed}));
                }
            }
        }
    }
}

TEST(TreePath, leaves_excluded_items_out_and_still_gives_k) {
    Searched made = make_index(clustered(2000, 16, 9), {.num_leaves = 25});
    open(made);
    const Matrix queries = clustered(5, 16, 10);
    for (std::size_t q = 0; q < queries.num_rows(); ++q) {
        std::vector<std::uint32_t> excluded;
        for (const ScoredRow& scored : exact(made, queries.row(q), {.k = 1200})) {
            excluded.push_back(scored.item_row);
        }
        for (const std::size_t count : {1, 10, 100, 1200}) {
            const std::span<const std::uint32_t> some = std::span(excluded).first(count);
            const std::vector<ScoredRow> found =
                search(made, queries.row(q),
                       {.k = 10,
                        .excluded = some,
                        .knobs = {.num_leaves_to_search = 3, .reordering_num_neighbors = 10}});
            EXPECT_EQ(found.size(), 10);
            for (const ScoredRow& scored : found) {
                EXPECT_EQ(std::count(some.begin(), some.end(), scored.item_row), 0);
            }
            expect_equal(
                search(made, queries.row(q), {.k = 10, .excluded = some, .knobs = kEverything}),
                exact(made, queries.row(q), {.k = 10, .excluded = some}));
        }
    }
}

TEST(TreePath, gives_any_number_of_results_up_to_all) {
    Searched made = make_index(clustered(500, 8, 11), {.num_leaves = 20});
    open(made);
    const Matrix queries = clustered(2, 8, 12);
    for (const std::size_t k : {0, 1, 33, 499, 500, 501, 100000}) {
        EXPECT_EQ(
            search(made, queries.row(0), {.k = k, .knobs = {.num_leaves_to_search = 1}}).size(),
            std::min<std::size_t>(k, 500));
    }
}

TEST(TreePath, keeps_scores_below_the_least_one_out) {
    Searched made = make_index(clustered(1000, 12, 13), {.num_leaves = 16});
    open(made);
    const Matrix queries = clustered(3, 12, 14);
    for (std::size_t q = 0; q < queries.num_rows(); ++q) {
        const std::vector<ScoredRow> all = exact(made, queries.row(q), {.k = 10});
        for (const std::size_t count : {0, 1, 4, 10}) {
            const float least = count == 0 ? all[0].score * 2 + 1 : all[count - 1].score;
            const std::vector<ScoredRow> found =
                search(made, queries.row(q), {.k = 10, .min_score = least, .knobs = kEverything});
            expect_equal(found, exact(made, queries.row(q), {.k = 10, .min_score = least}));
        }
    }
}

TEST(TreePath, serves_zero_huge_and_tiny_queries) {
    for (const Measure measure : {Measure::kDot, Measure::kCosine, Measure::kSquaredL2}) {
        Searched made = make_index(clustered(400, 10, 15), {.measure = measure, .num_leaves = 10});
        open(made);
        Matrix queries = clustered(1, 10, 16);
        const std::vector<float> query(queries.row(0).begin(), queries.row(0).end());
        for (const float factor : {0.0F, 1e-40F, 1e-30F, 1e30F, 1e37F}) {
            std::vector<float> scaled = query;
            for (float& value : scaled) {
                value *= factor;
            }
            expect_equal(search(made, scaled, {.k = 10, .knobs = kEverything}),
                         exact(made, scaled, {.k = 10}));
        }
    }
}

TEST(TreePath, serves_equal_zero_and_damaged_items) {
    for (const Measure measure : {Measure::kDot, Measure::kCosine, Measure::kSquaredL2}) {
        Matrix items = clustered(900, 6, 17);
        for (std::size_t row = 0; row < 300; ++row) {
            std::copy(items.row(0).begin(), items.row(0).end(), items.row(row).begin());
        }
        for (std::size_t row = 300; row < 350; ++row) {
            std::fill(items.row(row).begin(), items.row(row).end(), 0.0F);
        }
        for (std::size_t row = 350; row < 380; ++row) {
            items.row(row)[row % 6] = row % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                                   : std::numeric_limits<float>::infinity();
        }
        Searched made = make_index(std::move(items), {.measure = measure, .num_leaves = 400});
        open(made);
        const Matrix queries = clustered(4, 6, 18);
        for (std::size_t q = 0; q < queries.num_rows(); ++q) {
            expect_equal(search(made, queries.row(q), {.k = 500, .knobs = kEverything}),
                         exact(made, queries.row(q), {.k = 500}));
            EXPECT_EQ(search(made, queries.row(q), {.k = 500, .knobs = {.num_leaves_to_search = 2}})
                          .size(),
                      500);
        }
    }
}

TEST(TreePath, tells_equal_items_apart_by_row) {
    Matrix items(300, 4);
    for (std::size_t row = 0; row < items.num_rows(); ++row) {
        std::fill(items.row(row).begin(), items.row(row).end(), 1.0F);
    }
    Searched made = make_index(std::move(items), {.num_leaves = 3});
    open(made);
    const std::vector<float> query = {1, 2, 3, 4};
    expect_equal(search(made, query, {.k = 10, .knobs = kEverything}),
                 exact(made, query, {.k = 10}));
}

TEST(TreePath, gives_many_queries_what_it_gives_each_alone_with_any_threads) {
    for (const bool spilled : {false, true}) {
        for (const Measure measure : {Measure::kDot, Measure::kSquaredL2}) {
            Searched made = make_index(clustered(9000, 30, 19),
                                       {.measure = measure, .num_leaves = 40}, spilled);
            open(made);
            Matrix queries = clustered(300, 30, 20);
            std::fill(queries.row(5).begin(), queries.row(5).end(), 0.0F);
            SparseMatrix excluded;
            excluded.num_rows = queries.num_rows();
            excluded.num_columns = 9000;
            std::vector<std::uint64_t> allowed((9000 + 63) / 64, 0x7777777777777777U);
            const LeafFilter filter = LeafFilter::from_bitmap(made.parts.tables(), allowed).value();
            for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                for (std::uint32_t i = 0; i < q % 7; ++i) {
                    excluded.columns.push_back(static_cast<std::uint32_t>(q) + i * 3);
                }
                excluded.offsets.push_back(excluded.columns.size());
            }
            for (const LeafFilter* maybe : {static_cast<const LeafFilter*>(nullptr), &filter}) {
                // Few leaves are read by each query alone, many by several together.
                for (const auto& [num_leaves, num_threads] :
                     {std::pair(3U, 3U), std::pair(38U, 1U), std::pair(38U, 3U)}) {
                    const TreeKnobs knobs = {.num_leaves_to_search = num_leaves,
                                             .reordering_num_neighbors = 30};
                    ThreadPool pool(num_threads);
                    const Neighbours lists = made.get()
                                                 .search_batch(queries.view(),
                                                               {.k = 12,
                                                                .excluded = excluded.view(),
                                                                .filter = maybe,
                                                                .path = SearchPath::kTree,
                                                                .knobs = knobs},
                                                               pool)
                                                 .value();
                    ASSERT_EQ(lists.offsets.size(), queries.num_rows() + 1);
                    for (std::size_t q = 0; q < queries.num_rows(); q += num_leaves / 8 + 1) {
                        const std::vector<ScoredRow> alone =
                            search(made, queries.row(q),
                                   {.k = 12,
                                    .excluded = excluded.view().row_columns(q),
                                    .filter = maybe,
                                    .knobs = knobs});
                        std::vector<ScoredRow> together;
                        for (std::uint64_t i = lists.offsets[q]; i < lists.offsets[q + 1]; ++i) {
                            together.push_back({lists.item_rows[i], lists.scores[i]});
                        }
                        expect_equal(together, alone);
                    }
                }
            }
        }
    }
}

TEST(TreePath, serves_one_scratch_to_indexes_of_any_dimension) {
    SearchScratch scratch;
    for (const std::size_t dim : {40, 3, 100, 5}) {
        Searched made = make_index(clustered(300, dim, dim), {.num_leaves = 8});
        open(made);
        const Matrix queries = clustered(3, dim, 21);
        for (std::size_t q = 0; q < queries.num_rows(); ++q) {
            const IndexSearchOptions options = {
                .k = 5,
                .path = SearchPath::kTree,
                .knobs = {.num_leaves_to_search = 3, .reordering_num_neighbors = 20}};
            std::vector<ScoredRow> results;
            ASSERT_TRUE(made.get().search(queries.row(q), options, scratch, results).ok());
            expect_equal(results, search(made, queries.row(q), options));
        }
    }
}

TEST(TreePath, says_what_it_did) {
    Searched made = make_index(clustered(2000, 16, 22), {.num_leaves = 20});
    open(made);
    const Matrix queries = clustered(1, 16, 23);
    SearchTrace trace;
    search(made, queries.row(0),
           {.k = 10, .knobs = {.num_leaves_to_search = 4, .reordering_num_neighbors = 50}}, &trace);
    EXPECT_EQ(trace.path, SearchPath::kTree);
    EXPECT_EQ(trace.leaves, 4);
    EXPECT_GT(trace.scored, 50);
    EXPECT_EQ(trace.candidates, 50);
    EXPECT_GE(trace.rescored, 10);
    EXPECT_LE(trace.rescored, 50);
    EXPECT_FALSE(trace.widened);
}

}  // namespace
}  // namespace segue
