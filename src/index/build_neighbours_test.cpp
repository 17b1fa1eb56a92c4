#include "index/build_neighbours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "index/leaf_index_test_support.h"

namespace segue {
namespace {

/// The part of the entries of `wanted` that `found` has in the same item's list.
double share_found(const Neighbours& wanted, const Neighbours& found) {
    std::size_t num_found = 0;
    for (std::size_t item = 0; item + 1 < wanted.offsets.size(); ++item) {
        const std::span<const std::uint32_t> list =
            std::span(found.item_rows)
                .subspan(found.offsets[item], found.offsets[item + 1] - found.offsets[item]);
        for (std::size_t i = wanted.offsets[item]; i < wanted.offsets[item + 1]; ++i) {
            num_found += std::ranges::count(list, wanted.item_rows[i]);
        }
    }
    return static_cast<double>(num_found) / static_cast<double>(wanted.item_rows.size());
}

TEST(NeighbourTable, through_the_exact_path_is_that_of_the_f32_scan) {
    ThreadPool pool(2);
    for (const double exponent : {0.0, 1.0}) {
        const BuiltIndex built(clustered_rows(700, 12, 3),
                               {.popularity_exponent = 1, .num_leaves = 20});
        const MatrixView items = built.items.view();
        const Neighbours wanted = build_neighbour_table(items, 15, exponent, pool).value();
        const Result<Neighbours> table = build_neighbour_table(
            built.index, items,
            {.k = 15, .popularity_exponent = exponent, .path = SearchPath::kExact}, pool);
        ASSERT_TRUE(table.ok()) << table.status().message();
        EXPECT_EQ(table->offsets, wanted.offsets);
        EXPECT_GT(share_found(wanted, *table), 0.999);
    }
}

TEST(NeighbourTable, through_the_tree_has_most_of_it_for_any_number_of_threads) {
    const BuiltIndex built(clustered_rows(3000, 16, 4),
                           {.popularity_exponent = 1, .num_leaves = 40});
    const MatrixView items = built.items.view();
    ThreadPool pool(2);
    const NeighbourTableOptions options = {
        .k = 10,
        .popularity_exponent = 1,
        .path = SearchPath::kTree,
        .knobs = {.num_leaves_to_search = 30, .reordering_num_neighbors = 400}};
    const Neighbours table = build_neighbour_table(built.index, items, options, pool).value();
    const Neighbours wanted = build_neighbour_table(items, 10, 1, pool).value();
    EXPECT_EQ(table.offsets, wanted.offsets);
    EXPECT_GT(share_found(wanted, table), 0.9);
    ThreadPool other(5);
    const Neighbours again = build_neighbour_table(built.index, items, options, other).value();
    EXPECT_EQ(again.item_rows, table.item_rows);
    EXPECT_EQ(again.scores, table.scores);
}

TEST(NeighbourTable, leaves_each_item_out_of_its_own_list) {
    ThreadPool pool(2);
    const BuiltIndex built(repeated_rows(300, 6, 20, 5), {.num_leaves = 8});
    for (const SearchPath path : {SearchPath::kExact, SearchPath::kTree, SearchPath::kAuto}) {
        const Neighbours table =
            build_neighbour_table(built.index, built.items.view(), {.k = 500, .path = path}, pool)
                .value();
        for (std::uint32_t item = 0; item < 300; ++item) {
            ASSERT_EQ(table.offsets[item + 1] - table.offsets[item], 299U);
            for (std::size_t i = table.offsets[item]; i < table.offsets[item + 1]; ++i) {
                EXPECT_NE(table.item_rows[i], item);
            }
        }
    }
}

TEST(NeighbourTable, says_what_is_wrong) {
    ThreadPool pool(1);
    BuiltIndex built(clustered_rows(100, 6, 6), {.num_leaves = 1});
    Matrix& items = built.items;
    const MatrixView fewer = {items.data(), 99, items.dim(), items.stride()};
    const auto message = [&](const MatrixView& vectors, const NeighbourTableOptions& options) {
        return build_neighbour_table(built.index, vectors, options, pool).status().message();
    };
    EXPECT_NE(message(fewer, {}).find("99"), std::string::npos);
    EXPECT_NE(message(items.view(), {.path = SearchPath::kTree}).find("tree"), std::string::npos);
    items.row(42)[1] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_NE(message(items.view(), {}).find("42"), std::string::npos);
}

TEST(NeighbourTable, is_exact_while_that_takes_a_minute) {
    EXPECT_TRUE(exact_table_pays(0, 64));
    EXPECT_TRUE(exact_table_pays(300000, 64));
    EXPECT_TRUE(exact_table_pays(340000, 100));
    EXPECT_FALSE(exact_table_pays(1000000, 64));
    EXPECT_FALSE(exact_table_pays(4000000000ULL, 4096));
}

}  // namespace
}  // namespace segue
