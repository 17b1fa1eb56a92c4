#pragma once

#include <algorithm>
#include <cstddef>

#include "base/random.h"
#include "recommend/recommend_fixture.h"

namespace segue::testing {

/// For tests: items around 40 centres, so that leaves mean something; lengths differ.
inline ModelParts clustered_parts(AnswerBy answer_by, std::size_t num_items) {
    constexpr std::size_t kDim = 12;
    ModelParts parts = random_parts(answer_by, num_items, 600, kDim, 3);
    Random random(4);
    Matrix centres(40, kDim);
    for (std::size_t centre = 0; centre < centres.num_rows(); ++centre) {
        for (float& value : centres.row(centre)) {
            value = static_cast<float>(random.normal());
        }
    }
    for (std::size_t item = 0; item < num_items; ++item) {
        const auto centre = centres.row(random.below(centres.num_rows()));
        parts.item_frequencies[item] = std::max(parts.item_frequencies[item], 1U);
        const double length = 0.5 + random.uniform();
        for (std::size_t i = 0; i < kDim; ++i) {
            parts.item_vectors.row(item)[i] = static_cast<float>(
                length * (static_cast<double>(centre[i]) + 0.6 * random.normal()));
        }
    }
    return parts;
}

}  // namespace segue::testing
