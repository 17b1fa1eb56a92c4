#include "recommend/offered_items.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "index_build/build_index.h"
#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::random_parts;

Model model_with_index(std::size_t num_items) {
    ModelParts parts = random_parts(AnswerBy::kVectors, num_items, 20, 4, 1);
    ThreadPool pool(1);
    parts.index = build_index(parts.item_vectors.view(), {.num_leaves = 1}, pool).value();
    return Model::from_parts(std::move(parts));
}

TEST(OfferedItems, have_the_items_they_were_given_and_no_others) {
    const Model model = model_with_index(9000);
    for (const std::uint32_t step : {1, 2, 3, 1000}) {
        const auto is_offered = [&](std::uint32_t row) { return row % step == 0; };
        const OfferedItems items = OfferedItems::of_condition(model, is_offered);
        std::size_t count = 0;
        for (std::uint32_t row = 0; row < 9000; ++row) {
            ASSERT_EQ(items.contains(row), is_offered(row)) << row;
            count += is_offered(row) ? 1 : 0;
        }
        EXPECT_EQ(items.count(), count);
        EXPECT_EQ(items.is_few(), count <= OfferedItems::kFewItems);
        EXPECT_EQ(items.rows().size(), items.is_few() ? count : 0);
        ASSERT_EQ(items.filter() == nullptr, items.is_few());
        if (items.filter() != nullptr) {
            EXPECT_EQ(items.filter()->count(), count);
        }
    }
}

TEST(OfferedCache, keeps_the_sets_used_last_within_its_memory) {
    const Model model = model_with_index(20);
    std::vector<std::uint32_t> rows(20);
    std::iota(rows.begin(), rows.end(), 0U);
    OfferedCache cache;
    const auto set = std::make_shared<OfferedItems>(OfferedItems::of_rows(model, rows));
    EXPECT_EQ(cache.find("a"), nullptr);
    cache.insert("a", set);
    EXPECT_EQ(cache.find("a"), set);
    // Long conditions count as much as sets do.
    const std::string long_text(1 << 20, 'x');
    for (int i = 0; i < 100; ++i) {
        cache.insert(long_text + std::to_string(i), set);
        EXPECT_EQ(cache.find("a"), set) << i;
    }
    EXPECT_EQ(cache.find(long_text + "0"), nullptr);
    EXPECT_EQ(cache.find(long_text + "99"), set);
}

}  // namespace
}  // namespace segue
