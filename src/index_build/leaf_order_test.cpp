#include "index_build/leaf_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "base/random.h"

namespace segue {
namespace {

Matrix groups_of_rows(std::size_t num_rows, std::size_t num_groups, std::size_t dim) {
    Random random(3);
    Matrix rows(num_rows, dim);
    for (std::size_t row = 0; row < num_rows; ++row) {
        Random centre(1000 + row % num_groups);
        for (float& value : rows.row(row)) {
            value = static_cast<float>(centre.normal() + 0.02 * random.normal());
        }
    }
    return rows;
}

std::multiset<std::vector<float>> set_of(const Matrix& rows) {
    std::multiset<std::vector<float>> set;
    for (std::size_t row = 0; row < rows.num_rows(); ++row) {
        set.insert({rows.row(row).begin(), rows.row(row).end()});
    }
    return set;
}

TEST(LeafOrder, keeps_every_row_once) {
    for (const std::size_t num_rows : {0, 1, 2, 3, 63, 64, 65, 130, 500}) {
        const Matrix rows = groups_of_rows(num_rows, 7, 5);
        EXPECT_EQ(set_of(in_order_of_nearness(rows.view())), set_of(rows)) << num_rows;
    }
    Matrix equal(200, 3);
    EXPECT_EQ(set_of(in_order_of_nearness(equal.view())), set_of(equal));
}

TEST(LeafOrder, puts_groups_of_a_run_each_into_runs) {
    const Matrix ordered = in_order_of_nearness(groups_of_rows(8 * kLeavesPerRun, 8, 10).view());
    for (std::size_t row = 0; row < ordered.num_rows(); ++row) {
        const std::span<const float> first =
            std::as_const(ordered).row(row / kLeavesPerRun * kLeavesPerRun);
        double squared = 0;
        for (std::size_t i = 0; i < first.size(); ++i) {
            const double off = static_cast<double>(std::as_const(ordered).row(row)[i]) -
                               static_cast<double>(first[i]);
            squared += off * off;
        }
        EXPECT_LT(std::sqrt(squared), 1) << row;
    }
}

}  // namespace
}  // namespace segue
