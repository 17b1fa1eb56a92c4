#include "pipeline/neighbour_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/random.h"
#include "index/exact_index.h"
#include "index_build/build_index.h"

namespace segue {
namespace {

constexpr std::size_t kItems = 3000;
constexpr std::size_t kLength = 30;

ModelParts parts_with_index(std::uint32_t num_leaves) {
    constexpr std::size_t kDim = 12;
    Random random(3);
    ModelParts parts;
    parts.info.answer_by = AnswerBy::kVectors;
    parts.info.popularity_exponent = 1;
    parts.item_vectors = Matrix(kItems, kDim);
    for (std::size_t item = 0; item < kItems; ++item) {
        parts.items.insert("i" + std::to_string(item));
        for (float& value : parts.item_vectors.row(item)) {
            value = static_cast<float>(random.normal());
        }
    }
    ThreadPool pool(1);
    parts.index = build_index(parts.item_vectors.view(),
                              {.popularity_exponent = 1, .num_leaves = num_leaves}, pool)
                      .value();
    parts.index_facts.settings.calibrated = {{1, {12, 60}}};
    return parts;
}

TEST(NeighbourTableStage, says_how_much_of_the_exact_table_one_through_the_index_has) {
    ModelParts parts = parts_with_index(40);
    ThreadPool pool(2);
    const NeighbourTableReport report =
        add_neighbours(parts, kLength, pool, {}, TableWay::kThroughIndex).value();
    EXPECT_TRUE(report.through_index);
    EXPECT_GE(report.num_judged, 250U);
    const Neighbours exact =
        build_neighbour_table(parts.item_vectors.view(), kLength, 1, pool).value();
    ASSERT_EQ(parts.neighbours.offsets, exact.offsets);
    std::size_t found = 0;
    for (std::size_t item = 0; item < kItems; ++item) {
        for (std::size_t place = 0; place < kLength; ++place) {
            // The two tables round their scores differently.
            found += parts.neighbours.scores[item * kLength + place] >=
                             exact.scores[item * kLength + kLength - 1] * 0.99999F
                         ? 1
                         : 0;
        }
    }
    const double recall = static_cast<double>(found) / (kItems * kLength);
    EXPECT_GT(recall, 0.8);
    EXPECT_LT(report.recall_low, recall + 0.01);
    EXPECT_NEAR(report.recall, recall, 0.02);
    EXPECT_NE(note_of(report, kItems, 12).find("through the index: recall@30 0."),
              std::string::npos);
    ThreadPool other(5);
    const Neighbours first = std::exchange(parts.neighbours, {});
    ASSERT_TRUE(add_neighbours(parts, kLength, other, {}, TableWay::kThroughIndex).ok());
    EXPECT_EQ(parts.neighbours.item_rows, first.item_rows);
    EXPECT_EQ(parts.neighbours.scores, first.scores);
}

TEST(NeighbourTableStage, compares_all_items_where_that_is_fast_or_there_is_no_tree) {
    ThreadPool pool(2);
    for (const std::uint32_t leaves : {1, 40}) {
        ModelParts parts = parts_with_index(leaves);
        EXPECT_TRUE(lacks_neighbours(parts));
        const TableWay way = leaves == 1 ? TableWay::kThroughIndex : TableWay::kAuto;
        const NeighbourTableReport report = add_neighbours(parts, kLength, pool, {}, way).value();
        EXPECT_FALSE(report.through_index);
        EXPECT_FALSE(lacks_neighbours(parts));
        EXPECT_EQ(note_of(report, kItems, 12), "30 a list");
        const Neighbours exact =
            build_neighbour_table(parts.item_vectors.view(), kLength, 1, pool).value();
        EXPECT_EQ(parts.neighbours.item_rows, exact.item_rows);
    }
}

}  // namespace
}  // namespace segue
