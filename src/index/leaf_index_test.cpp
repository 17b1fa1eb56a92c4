#include "index/leaf_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "index/allocation_counter.h"
#include "index/leaf_index_test_support.h"
#include "index/prepared_search.h"

namespace segue {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

struct Damage {
    const char* message;  // part of what is said
    std::function<void(IndexParts&)> act;
};

/// With the position of every entry of the codes, as items in several leaves ask for.
IndexParts parts_with_positions() {
    const Matrix items = clustered_rows(200, 10, 1);
    ThreadPool pool(1);
    IndexParts parts = build_index(items.view(), {.num_leaves = 6}, pool).value();
    parts.code_positions.assign(parts.code_offsets.back() * kBlockPositions, 0xFFFFFFFF);
    for (std::size_t leaf = 0; leaf < 6; ++leaf) {
        std::size_t entry = parts.code_offsets[leaf] * kBlockPositions;
        for (std::uint64_t at = parts.leaf_offsets[leaf]; at < parts.leaf_offsets[leaf + 1]; ++at) {
            parts.code_positions[entry++] = static_cast<std::uint32_t>(at);
        }
    }
    return parts;
}

TEST(LeafIndex, refuses_tables_that_do_not_fit_together) {
    const Matrix items = clustered_rows(200, 10, 1);
    const std::vector<Damage> damages = {
        {"dimension", [](IndexParts& p) { p.dim = 0; }},
        {"dimension", [](IndexParts& p) { p.dim = 4097; }},
        {"made for", [](IndexParts& p) { p.dim = 11; }},
        {"items", [](IndexParts& p) { p.num_items = ~std::size_t{0}; }},
        {"made for", [](IndexParts& p) { p.num_items = 199; }},
        {"measure", [](IndexParts& p) { p.measure = static_cast<Measure>(7); }},
        {"exponent", [](IndexParts& p) { p.built_exponent = static_cast<double>(kNan); }},
        {"norm levels", [](IndexParts& p) { p.norm_low = 0; }},
        {"norm levels", [](IndexParts& p) { p.norm_low = kInfinity; }},
        {"norm levels", [](IndexParts& p) { p.norm_ratio = kNan; }},
        {"norm levels", [](IndexParts& p) { p.norm_ratio = 0.5F; }},
        {"no leaf", [](IndexParts& p) { p.leaf_offsets.clear(); }},
        {"no leaf", [](IndexParts& p) { p.leaf_offsets.resize(1); }},
        {"leaf_offsets", [](IndexParts& p) { p.leaf_offsets.front() = 1; }},
        {"leaf_offsets", [](IndexParts& p) { p.leaf_offsets.back() = 201; }},
        {"leaf_offsets falls", [](IndexParts& p) { p.leaf_offsets[1] = ~std::uint64_t{0}; }},
        {"leaf_centres", [](IndexParts& p) { p.leaf_offsets.push_back(200); }},
        {"leaf_centres", [](IndexParts& p) { p.leaf_centres = Matrix(6, 9); }},
        {"leaf_centres", [](IndexParts& p) { p.leaf_centres.row(2)[3] = kNan; }},
        {"item_rows", [](IndexParts& p) { p.item_rows.pop_back(); }},
        {"does not exist", [](IndexParts& p) { p.item_rows[5] = 200; }},
        {"another has", [](IndexParts& p) { p.item_rows[5] = p.item_rows[6]; }},
        {"rows", [](IndexParts& p) { p.rows = AlignedBuffer<std::uint8_t>(200 * 16 - 1); }},
        {"row_scales", [](IndexParts& p) { p.row_scales.push_back(1); }},
        {"row_scales", [](IndexParts& p) { p.row_scales[7] = kInfinity; }},
        {"row_scales", [](IndexParts& p) { p.row_scales[7] = -1; }},
        {"block_errors", [](IndexParts& p) { p.block_errors.pop_back(); }},
        {"block_errors", [](IndexParts& p) { p.block_errors[1] = kNan; }},
        {"norms", [](IndexParts& p) { p.norms.clear(); }},
        {"norm_levels", [](IndexParts& p) { p.norm_levels.push_back(0); }},
        {"code_offsets", [](IndexParts& p) { p.code_offsets.pop_back(); }},
        {"code_offsets", [](IndexParts& p) { p.code_offsets.front() = 1; }},
        {"code_offsets", [](IndexParts& p) { p.code_offsets[2] = 1000; }},
        {"codes without", [](IndexParts& p) { p.code_offsets.clear(); }},
        {"codes", [](IndexParts& p) { p.codes = AlignedBuffer<std::uint8_t>(p.codes.size() - 1); }},
        {"code_offsets", [](IndexParts& p) { p.codes = {}; }},
        {"codebook", [](IndexParts& p) { p.codebook.pop_back(); }},
        {"codebook", [](IndexParts& p) { p.codebook[3] = kInfinity; }},
        {"code_positions", [](IndexParts& p) { p.code_positions.pop_back(); }},
        {"code_positions", [](IndexParts& p) { p.code_positions[0] = 200; }},
        {"code_positions", [](IndexParts& p) { p.code_positions[0] = 0xFFFFFFFF; }},
    };
    const IndexParts whole = parts_with_positions();
    ASSERT_TRUE(LeafIndex::open(whole.tables(), items.view()).ok());
    for (std::size_t i = 0; i < damages.size(); ++i) {
        IndexParts parts = parts_with_positions();
        damages[i].act(parts);
        const Result<LeafIndex> opened = LeafIndex::open(parts.tables(), items.view());
        ASSERT_FALSE(opened.ok()) << "damage " << i << ", " << damages[i].message;
        EXPECT_EQ(opened.status().code(), StatusCode::kCorrupt);
        EXPECT_NE(opened.status().message().find(damages[i].message), std::string::npos)
            << opened.status().message();
    }
}

TEST(LeafIndex, refuses_blocks_of_codes_that_do_not_match_their_leaf) {
    const Matrix items = clustered_rows(200, 10, 1);
    ThreadPool pool(1);
    IndexParts parts = build_index(items.view(), {.num_leaves = 6}, pool).value();
    std::size_t leaf = 0;
    while (parts.code_offsets[leaf + 1] == parts.code_offsets[leaf]) {
        ++leaf;
    }
    ASSERT_LT(leaf + 2, parts.code_offsets.size());
    --parts.code_offsets[leaf + 1];
    EXPECT_FALSE(LeafIndex::open(parts.tables(), items.view()).ok());
}

TEST(LeafIndex, damaged_numbers_that_address_nothing_harm_no_search) {
    const Matrix items = clustered_rows(200, 10, 1);
    IndexParts parts = parts_with_positions();
    Random random(3);
    for (std::uint8_t& byte : parts.rows.span()) {
        byte = static_cast<std::uint8_t>(random.below(256));
    }
    for (std::uint8_t& byte : parts.codes.span()) {
        byte = static_cast<std::uint8_t>(random.below(256));
    }
    for (std::size_t i = 0; i < 200; ++i) {
        const float odd[] = {kNan, kInfinity, -kInfinity, -1, 0, 1e-45F, 1e38F};
        parts.norms[i] = odd[random.below(7)];
        parts.norm_levels[i] = static_cast<std::uint8_t>(random.below(256));
        parts.block_errors[i / 32] = i % 2 == 0 ? 0 : 1e38F;
    }
    const LeafIndex index = LeafIndex::open(parts.tables(), items.view()).value();
    ThreadPool pool(1);
    for (const SearchPath path : {SearchPath::kExact, SearchPath::kTree}) {
        for (const double exponent : {0.0, 1.0}) {
            EXPECT_LE(
                search(index, items.row(1), {.k = 7, .popularity_exponent = exponent, .path = path})
                    .size(),
                7U);
            EXPECT_TRUE(index
                            .search_batch(items.view(),
                                          {.k = 7, .popularity_exponent = exponent, .path = path},
                                          pool)
                            .ok());
        }
    }
}

TEST(LeafIndex, says_what_is_wrong_with_a_search) {
    const BuiltIndex built(clustered_rows(100, 6, 1), {.num_leaves = 1});
    const BuiltIndex other(clustered_rows(99, 6, 1), {.num_leaves = 1});
    const BuiltIndex cosine(clustered_rows(100, 6, 1), {.measure = Measure::kCosine});
    const LeafFilter filter =
        LeafFilter::from_bitmap(other.index.tables(), std::vector<std::uint64_t>{1, 1}).value();
    const std::vector<float> query(6, 1);
    const std::vector<float> with_nan = {1, 2, kNan, 1, 1, 1};
    const std::vector<float> with_infinity = {1, 2, 3, 1, 1, kInfinity};
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const auto message = [&](const BuiltIndex& index, std::span<const float> vector,
                             const IndexSearchOptions& options) {
        return index.index.search(vector, options, scratch, results).message();
    };
    EXPECT_EQ(message(built, query, {}), "");
    EXPECT_NE(message(built, std::span(query).first(5), {}), "");
    EXPECT_NE(message(built, with_nan, {}).find("element 2"), std::string::npos);
    EXPECT_NE(message(built, with_infinity, {}).find("element 5"), std::string::npos);
    EXPECT_NE(message(built, query, {.filter = &filter}).find("99"), std::string::npos);
    EXPECT_NE(message(built, query, {.min_score = kNan}), "");
    EXPECT_NE(message(built, query, {.popularity_exponent = std::nan("")}), "");
    EXPECT_NE(message(built, query, {.path = SearchPath::kTree}).find("tree"), std::string::npos);
    EXPECT_NE(message(cosine, query, {.popularity_exponent = 0.5}), "");
    EXPECT_FALSE(LeafFilter::from_bitmap(built.index.tables(), std::vector<std::uint64_t>{1}).ok());

    ThreadPool pool(1);
    Matrix queries = clustered_rows(3, 6, 2);
    queries.row(2)[1] = kNan;
    const Result<Neighbours> lists = built.index.search_batch(queries.view(), {}, pool);
    ASSERT_FALSE(lists.ok());
    EXPECT_NE(lists.status().message().find("query 2"), std::string::npos);
    SparseMatrix excluded;
    excluded.num_rows = 2;
    excluded.offsets = {0, 0, 0};
    EXPECT_FALSE(
        built.index.search_batch(queries.view(), {.excluded = excluded.view()}, pool).ok());
}

TEST(LeafIndex, serves_no_items_no_queries_and_no_results) {
    const BuiltIndex empty(Matrix(0, 5), {});
    const std::vector<float> query(5, 1);
    EXPECT_TRUE(search(empty.index, query, {.k = 10}).empty());
    ThreadPool pool(2);
    EXPECT_EQ(empty.index.search_batch(Matrix(0, 5).view(), {}, pool)->offsets.size(), 1U);
    EXPECT_EQ(empty.index.search_batch(Matrix(3, 5).view(), {}, pool)->offsets.size(), 4U);
    const BuiltIndex built(clustered_rows(50, 5, 1), {});
    EXPECT_TRUE(search(built.index, query, {.k = 0}).empty());
    EXPECT_EQ(built.index.search_batch(Matrix(3, 5).view(), {.k = 0}, pool)->offsets.size(), 4U);
    EXPECT_EQ(search(built.index, query, {.k = 1000}).size(), 50U);
}

TEST(LeafIndex, allocates_nothing_for_a_query_after_some) {
    const BuiltIndex built(clustered_rows(4000, 48, 1), {.num_leaves = 60});
    std::vector<std::uint64_t> bitmap(4000 / 64 + 1, 0x1111111111111111);
    const LeafFilter filter = LeafFilter::from_bitmap(built.index.tables(), bitmap).value();
    std::vector<std::uint32_t> excluded(50);
    for (std::uint32_t i = 0; i < 50; ++i) {
        excluded[i] = i * 7;
    }
    const Matrix queries = normal_rows(12, 48, 9);
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const auto search_all = [&] {
        for (const SearchPath path : {SearchPath::kExact, SearchPath::kTree}) {
            for (const LeafFilter* with : {static_cast<const LeafFilter*>(nullptr), &filter}) {
                for (const double exponent : {0.0, 0.5}) {
                    for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                        const Status status = built.index.search(queries.row(q),
                                                                 {.k = 20,
                                                                  .popularity_exponent = exponent,
                                                                  .excluded = excluded,
                                                                  .filter = with,
                                                                  .path = path},
                                                                 scratch, results);
                        EXPECT_TRUE(status.ok());
                        EXPECT_EQ(results.size(), 20U);
                    }
                }
            }
        }
    };
    search_all();
    const std::size_t before = num_allocations();
    search_all();
    EXPECT_EQ(num_allocations() - before, 0U);
}

TEST(LeafFilter, has_the_bits_of_items_at_their_positions) {
    const BuiltIndex built(clustered_rows(200, 8, 1), {.num_leaves = 5});
    std::vector<std::uint64_t> bitmap(4);
    std::size_t count = 0;
    for (std::size_t row = 0; row < 200; row += 3) {
        bitmap[row / 64] |= std::uint64_t{1} << (row % 64);
        ++count;
    }
    bitmap[3] |= ~std::uint64_t{0} << 8;  // items that do not exist
    const LeafFilter filter = LeafFilter::from_bitmap(built.index.tables(), bitmap).value();
    EXPECT_EQ(filter.count(), count);
    EXPECT_EQ(filter.num_items(), 200U);
    ASSERT_EQ(filter.bits().size(), 200U / 64 + 2);
    for (std::size_t position = 0; position < filter.bits().size() * 64; ++position) {
        const bool expected = position < 200 && built.index.tables().item_rows[position] % 3 == 0;
        EXPECT_EQ(filter.bits()[position / 64] >> (position % 64) & 1, expected ? 1U : 0U);
    }
}

TEST(ItemRowSet, has_the_rows_it_was_given_and_no_others) {
    Random random(1);
    ItemRowSet set;
    for (const std::size_t size : {0, 1, 2, 1000, 3, 70}) {
        std::vector<std::uint32_t> rows;
        std::vector<bool> expected(5000);
        for (std::size_t i = 0; i < size; ++i) {
            rows.push_back(static_cast<std::uint32_t>(random.below(6000)));
            if (rows.back() < 5000) {
                expected[rows.back()] = true;
            }
        }
        set.assign(rows, 5000);
        for (std::uint32_t row = 0; row < 5000; ++row) {
            ASSERT_EQ(set.contains(row), expected[row]) << row << " of " << size;
        }
        EXPECT_EQ(set.size(),
                  static_cast<std::size_t>(std::count(expected.begin(), expected.end(), true)));
    }
}

}  // namespace
}  // namespace segue
