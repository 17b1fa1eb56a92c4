#include "recommend/mean_vector.h"

#include <gtest/gtest.h>

#include "model/model_fixture.h"

namespace segue {
namespace {

TEST(MeanVector, is_the_vector_the_mean_or_zeros) {
    const Model model = Model::from_parts(testing::small_parts());
    const auto vector = [&](std::string_view text) { return mean_vector(model, text).vector; };
    using Vector = std::vector<float>;
    EXPECT_EQ(vector("a"), (Vector{0.5F, -1}));
    EXPECT_EQ(vector("a b"), (Vector{1, -0.75F}));
    EXPECT_EQ(vector("zzz"), (Vector{0, 0}));
    EXPECT_EQ(vector(""), (Vector{0, 0}));
    EXPECT_EQ(vector(" \t\n"), (Vector{0, 0}));
}

TEST(MeanVector, counts_repeated_keys_and_unknown_ones) {
    const Model model = Model::from_parts(testing::small_parts());
    const MeanVector twice = mean_vector(model, " a  a\tb ");
    EXPECT_FLOAT_EQ(twice.vector[0], 2.5F / 3);
    const MeanVector mixed = mean_vector(model, "a nothing nothing b");
    EXPECT_EQ(mixed.vector, (std::vector<float>{0.5F, -0.375F}));
    EXPECT_EQ(mixed.unknown, (std::vector<std::string>{"nothing", "nothing"}));
}

}  // namespace
}  // namespace segue
