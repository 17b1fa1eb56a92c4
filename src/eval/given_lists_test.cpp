#include "eval/given_lists.h"

#include <gtest/gtest.h>

#include <vector>

namespace segue {
namespace {

TEST(GivenLists, are_ranked_by_score_then_row_and_cut) {
    const SparseMatrix scores = sparse_from_triplets(
        3, 6, std::vector<Triplet>{{0, 1, 2}, {0, 3, 5}, {0, 4, 2}, {2, 0, -1}, {2, 5, 3}});
    ThreadPool pool(1);
    const std::vector<std::uint32_t> rows = {2, 0, 1};
    const Result<Neighbours> lists = given_group_lists(scores.view())({rows, {}, 2}, pool);
    ASSERT_TRUE(lists.ok());
    EXPECT_EQ(lists->offsets, (std::vector<std::uint64_t>{0, 2, 4, 4}));
    EXPECT_EQ(lists->item_rows, (std::vector<std::uint32_t>{5, 0, 3, 1}));
    EXPECT_EQ(lists->scores, (std::vector<float>{3, -1, 5, 2}));
    const Result<Neighbours> items = given_item_lists(scores.view())(rows, 1, pool);
    ASSERT_TRUE(items.ok());
    EXPECT_EQ(items->item_rows, (std::vector<std::uint32_t>{5, 3}));
}

}  // namespace
}  // namespace segue
