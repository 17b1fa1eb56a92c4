#include "index/codebook.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/random.h"
#include "index/index_tables.h"

namespace segue {
namespace {

constexpr int kLearningRounds = 15;
constexpr int kEncodingRounds = 8;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Point {
    float x = 0;
    float y = 0;
};

float squared_distance(const Point& left, const Point& right) {
    const float x = left.x - right.x;
    const float y = left.y - right.y;
    return x * x + y * y;
}

using Codewords = std::array<Point, kCodewords>;

/// k-means++: each codeword is a point drawn by its squared distance to those before.
Codewords first_codewords(std::span<const Point> points, Random& random) {
    Codewords codewords;
    codewords.fill(points[random.below(points.size())]);
    std::vector<float> distances(points.size(), kInfinity);
    for (std::size_t word = 1; word < kCodewords; ++word) {
        double total = 0;
        for (std::size_t i = 0; i < points.size(); ++i) {
            distances[i] = std::min(distances[i], squared_distance(points[i], codewords[word - 1]));
            total += static_cast<double>(distances[i]);
        }
        double left = random.uniform() * total;
        std::size_t drawn = 0;
        while (drawn + 1 < points.size() && left >= static_cast<double>(distances[drawn])) {
            left -= static_cast<double>(distances[drawn]);
            ++drawn;
        }
        codewords[word] = points[drawn];
    }
    return codewords;
}

Codewords learn_subspace(std::span<const Point> points, Random random) {
    Codewords codewords = first_codewords(points, random);
    for (int round = 0; round < kLearningRounds; ++round) {
        std::array<double, kCodewords> sum_x = {};
        std::array<double, kCodewords> sum_y = {};
        std::array<double, kCodewords> count = {};
        for (const Point& point : points) {
            std::array<float, kCodewords> distances;
            for (std::size_t word = 0; word < kCodewords; ++word) {
                distances[word] = squared_distance(point, codewords[word]);
            }
            const auto nearest = static_cast<std::size_t>(
                std::min_element(distances.begin(), distances.end()) - distances.begin());
            sum_x[nearest] += static_cast<double>(point.x);
            sum_y[nearest] += static_cast<double>(point.y);
            count[nearest] += 1;
        }
        for (std::size_t word = 0; word < kCodewords; ++word) {
            if (count[word] > 0) {
                codewords[word] = {static_cast<float>(sum_x[word] / count[word]),
                                   static_cast<float>(sum_y[word] / count[word])};
            }
        }
    }
    return codewords;
}

}  // namespace

std::vector<float> learn_codebook(const MatrixView& residuals, std::uint64_t seed,
                                  ThreadPool& pool) {
    const std::size_t num_parts = num_subspaces(residuals.dim);
    std::vector<float> codebook(num_parts * 2 * kCodewords, 0.0F);
    if (residuals.num_rows == 0) {
        return codebook;
    }
    pool.for_each(num_parts, [&](std::size_t part, unsigned) {
        std::vector<Point> points(residuals.num_rows);
        for (std::size_t row = 0; row < points.size(); ++row) {
            const float* residual = residuals.data + row * residuals.stride + 2 * part;
            points[row] = {residual[0], 2 * part + 1 < residuals.dim ? residual[1] : 0};
        }
        const Codewords learnt = learn_subspace(points, Random(seed, part));
        float* out = codebook.data() + part * 2 * kCodewords;
        for (std::size_t word = 0; word < kCodewords; ++word) {
            out[word] = learnt[word].x;
            out[kCodewords + word] = learnt[word].y;
        }
    });
    return codebook;
}

float parallel_weight(float anisotropic_threshold, std::size_t dim) {
    const double squared =
        static_cast<double>(anisotropic_threshold) * static_cast<double>(anisotropic_threshold);
    const double weight = static_cast<double>(dim - 1) * squared / (1 - squared);
    return static_cast<float>(std::max(1.0, weight));
}

void encode_residual(const EncodeArguments& arguments, std::uint8_t* codes) {
    const float extra = arguments.parallel_weight - 1;
    // What is left of the residual along x, by the codes so far.
    float along = 0;
    const auto along_of = [&](std::size_t part, std::size_t word) {
        const float* words = arguments.codebook + part * 2 * kCodewords;
        return (arguments.residual[2 * part] - words[word]) * arguments.direction[2 * part] +
               (arguments.residual[2 * part + 1] - words[kCodewords + word]) *
                   arguments.direction[2 * part + 1];
    };
    const auto best_of = [&](std::size_t part, float weight, float others) {
        const float* words = arguments.codebook + part * 2 * kCodewords;
        std::size_t best = 0;
        float least = kInfinity;
        for (std::size_t word = 0; word < kCodewords; ++word) {
            const float x = arguments.residual[2 * part] - words[word];
            const float y = arguments.residual[2 * part + 1] - words[kCodewords + word];
            const float sum = others + along_of(part, word);
            const float loss = x * x + y * y + weight * sum * sum;
            if (loss < least) {
                least = loss;
                best = word;
            }
        }
        return best;
    };
    for (std::size_t part = 0; part < arguments.num_subspaces; ++part) {
        codes[part] = static_cast<std::uint8_t>(best_of(part, 0, 0));
        along += along_of(part, codes[part]);
    }
    bool changed = extra > 0;
    for (int round = 0; round < kEncodingRounds && changed; ++round) {
        changed = false;
        for (std::size_t part = 0; part < arguments.num_subspaces; ++part) {
            const float others = along - along_of(part, codes[part]);
            const std::size_t best = best_of(part, extra, others);
            changed = changed || best != codes[part];
            codes[part] = static_cast<std::uint8_t>(best);
            along = others + along_of(part, best);
        }
    }
}

}  // namespace segue
