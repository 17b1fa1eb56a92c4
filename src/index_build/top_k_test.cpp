#include "index_build/top_k.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace segue {
namespace {

TEST(TopK, keeps_what_a_full_sort_puts_first) {
    Random random(1);
    for (const std::size_t num_candidates : {0U, 1U, 5U, 100U, 3000U}) {
        for (const std::size_t k : {0U, 1U, 7U, 100U, 5000U}) {
            TopK best;
            best.start(k);
            std::vector<ScoredRow> all;
            for (std::uint32_t row = 0; row < num_candidates; ++row) {
                // Few distinct scores, so that ties are everywhere.
                all.push_back({row, static_cast<float>(random.below(20)) - 10});
                best.offer(all.back());
            }
            std::sort(all.begin(), all.end(), comes_before);
            all.resize(std::min(all.size(), k));
            const std::span<const ScoredRow> kept = best.finish();
            ASSERT_EQ(kept.size(), all.size());
            for (std::size_t i = 0; i < all.size(); ++i) {
                EXPECT_EQ(kept[i].item_row, all[i].item_row);
                EXPECT_EQ(kept[i].score, all[i].score);
            }
        }
    }
}

TEST(TopK, keeps_scores_from_the_least_one_on) {
    TopK best;
    best.start(10, 2.0F);
    for (std::uint32_t row = 0; row < 5; ++row) {
        best.offer({row, static_cast<float>(row)});
    }
    const std::span<const ScoredRow> kept = best.finish();
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept.back().score, 2.0F);
}

TEST(TopK, raises_its_threshold_and_never_lowers_it) {
    TopK best;
    best.start(3);
    Random random(2);
    float threshold = best.threshold();
    for (std::uint32_t row = 0; row < 1000; ++row) {
        best.offer({row, static_cast<float>(random.uniform())});
        ASSERT_GE(best.threshold(), threshold);
        threshold = best.threshold();
    }
    EXPECT_GT(threshold, 0.9F);
}

}  // namespace
}  // namespace segue
