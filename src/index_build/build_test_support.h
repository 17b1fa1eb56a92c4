#pragma once

// What tests of building an index share.

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "base/random.h"
#include "data/matrix.h"
#include "index_build/build_index.h"

namespace segue {

/// Rows around a few directions, of different lengths.
inline Matrix rows_of_towns(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Random random(seed);
    Matrix towns(9, dim);
    for (std::size_t town = 0; town < towns.num_rows(); ++town) {
        for (float& value : towns.row(town)) {
            value = static_cast<float>(random.normal());
        }
    }
    Matrix rows(num_rows, dim);
    for (std::size_t row = 0; row < num_rows; ++row) {
        const std::span<const float> town =
            std::as_const(towns).row(static_cast<std::size_t>(random.below(towns.num_rows())));
        const double length = std::exp(0.5 * random.normal());
        for (std::size_t i = 0; i < dim; ++i) {
            const double value = static_cast<double>(town[i]) + 0.7 * random.normal();
            rows.row(row)[i] = static_cast<float>(length * value);
        }
    }
    return rows;
}

inline IndexParts build(const Matrix& rows, const IndexBuildOptions& options,
                        unsigned num_threads = 2) {
    ThreadPool pool(num_threads);
    Result<IndexParts> parts = build_index(rows.view(), options, pool);
    EXPECT_TRUE(parts.ok()) << parts.status().message();
    return std::move(parts).value();
}

/// x_j in double precision, from norms in double precision.
inline std::vector<double> exact_x(std::span<const float> item, Measure measure, double exponent) {
    double squared = 0;
    for (const float value : item) {
        squared += static_cast<double>(value) * static_cast<double>(value);
    }
    const double gamma = measure == Measure::kCosine ? 1 : exponent;
    const double scale = gamma == 0 ? 1 : squared > 0 ? std::pow(std::sqrt(squared), -gamma) : 0;
    std::vector<double> x(item.begin(), item.end());
    for (double& value : x) {
        value *= scale;
    }
    return x;
}

}  // namespace segue
