#include "recommend/query_vector.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/random.h"

namespace segue {
namespace {

TEST(QueryVector, one_unit_is_the_same_bytes_as_a_sum_of_it_alone) {
    Random random(5);
    for (const std::size_t dim : {1U, 3U, 8U, 13U, 64U, 100U}) {
        std::vector<float> vector(dim);
        for (float& value : vector) {
            value = static_cast<float>(random.normal());
        }
        vector[dim / 2] = -0.0F;
        for (const double weight : {1.0, 2.5, -0.3}) {
            VectorSum sum(dim);
            sum.add_unit(vector, weight);
            std::vector<float> expected(dim);
            sum.write(expected);
            std::vector<float> found(dim, 7);
            write_unit(vector, weight, found);
            for (std::size_t place = 0; place < dim; ++place) {
                EXPECT_EQ(std::bit_cast<std::uint32_t>(found[place]),
                          std::bit_cast<std::uint32_t>(expected[place]));
            }
            if (dim > 1) {
                EXPECT_NEAR(vector_norm(found), std::abs(weight), 1e-6);
            }
        }
    }
}

TEST(QueryVector, a_vector_of_zeros_has_no_unit) {
    const std::vector<float> zeros(9);
    std::vector<float> found(9, 7);
    write_unit(zeros, 1, found);
    EXPECT_EQ(found, zeros);
    EXPECT_EQ(vector_norm(zeros), 0);
}

}  // namespace
}  // namespace segue
