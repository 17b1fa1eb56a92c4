#include "index/leaf_balls.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segue {
namespace {

constexpr std::size_t kLanes = 16;
/// Relative rounding of sums of 4096 / kLanes squares and of what is summed; generous.
constexpr double kRounding = 1 + 1e-4;

/// ||scale * (row - 128) - centre||^2, rounded.
float squared_distance(const std::uint8_t* row, float scale, const float* centre, std::size_t dim) {
    float sums[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= dim; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float level = static_cast<float>(static_cast<int>(row[i + lane]) - 128);
            const float off = scale * level - centre[i + lane];
            sums[lane] += off * off;
        }
    }
    float sum = 0;
    for (; i < dim; ++i) {
        const float off = scale * static_cast<float>(static_cast<int>(row[i]) - 128) - centre[i];
        sum += off * off;
    }
    for (const float one : sums) {
        sum += one;
    }
    return sum;
}

float rounded_up(double value) {
    return std::nextafter(static_cast<float>(value), std::numeric_limits<float>::infinity());
}

double length_of(std::span<const float> vector) {
    double squared = 0;
    for (const float value : vector) {
        squared += static_cast<double>(value) * static_cast<double>(value);
    }
    return std::sqrt(squared);
}

}  // namespace

std::vector<LeafBall> derive_leaf_balls(const IndexTables& tables) {
    const std::size_t row_bytes = int8_row_bytes(tables.dim);
    const double root_dim = std::sqrt(static_cast<double>(tables.dim));
    std::vector<LeafBall> balls(tables.num_leaves());
    for (std::size_t leaf = 0; leaf < balls.size(); ++leaf) {
        const std::size_t begin = tables.leaf_offsets[leaf];
        const std::size_t end = tables.leaf_offsets[leaf + 1];
        const std::span<const float> centre = tables.leaf_centres.row(leaf);
        const double length = length_of(centre);
        double radius = 0;
        float greatest_scale = 0;
        for (std::size_t position = begin; position < end; ++position) {
            const float scale = tables.row_scales[position];
            const float squared = squared_distance(tables.rows.data() + position * row_bytes, scale,
                                                   centre.data(), tables.dim);
            const double distance =
                std::sqrt(static_cast<double>(squared)) +
                static_cast<double>(tables.block_errors[position / kBlockPositions]);
            // NaN stays.
            radius = radius >= distance ? radius : distance;
            greatest_scale = std::max(greatest_scale, scale);
        }
        // Differences are rounded by a share of what is subtracted; squares of small ones vanish.
        const double parts = length + 128 * root_dim * static_cast<double>(greatest_scale);
        const double bound = radius * kRounding + 1e-6 * parts + 1e-18;
        balls[leaf].radius =
            std::isfinite(bound) ? rounded_up(bound) : std::numeric_limits<float>::infinity();
        balls[leaf].length = rounded_up(length);
    }
    return balls;
}

}  // namespace segue
