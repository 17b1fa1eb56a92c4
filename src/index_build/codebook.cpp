#include "index_build/codebook.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/random.h"
#include "index_build/index_tables.h"
#include "kernels/kernels.h"
#include "kernels/partition_kernels.h"

namespace segue {
namespace {

constexpr int kLearningRounds = 15;
constexpr std::size_t kTile = kernels::kEncodeTile;
constexpr std::size_t kTileFloats = 2 * kTile;

/// The points of one subspace, in the tiles that kernels encode.
class Points {
public:
    Points(const MatrixView& residuals, std::size_t part)
        : size_(residuals.num_rows), tiles_((size_ + kTile - 1) / kTile * kTileFloats) {
        for (std::size_t i = 0; i < size_; ++i) {
            const float* residual = residuals.data + i * residuals.stride + 2 * part;
            tiles_[at(i)] = residual[0];
            tiles_[at(i) + kTile] = 2 * part + 1 < residuals.dim ? residual[1] : 0;
        }
    }

    std::size_t size() const { return size_; }
    float x(std::size_t i) const { return tiles_[at(i)]; }
    float y(std::size_t i) const { return tiles_[at(i) + kTile]; }
    const float* tile_of(std::size_t i) const { return tiles_.data() + i / kTile * kTileFloats; }

private:
    static std::size_t at(std::size_t i) { return i / kTile * kTileFloats + i % kTile; }

    std::size_t size_;
    std::vector<float> tiles_;
};

/// k-means++: each codeword is a point drawn by its squared distance to those before.
void draw_codewords(const Points& points, Random& random, float* codewords) {
    std::vector<float> distances(points.size(), std::numeric_limits<float>::infinity());
    std::size_t drawn = random.below(points.size());
    for (std::size_t word = 0; word < kCodewords; ++word) {
        codewords[word] = points.x(drawn);
        codewords[kCodewords + word] = points.y(drawn);
        double total = 0;
        for (std::size_t i = 0; i < points.size(); ++i) {
            const float x = points.x(i) - codewords[word];
            const float y = points.y(i) - codewords[kCodewords + word];
            distances[i] = std::min(distances[i], x * x + y * y);
            total += static_cast<double>(distances[i]);
        }
        double left = random.uniform() * total;
        for (drawn = 0; drawn + 1 < points.size(); ++drawn) {
            left -= static_cast<double>(distances[drawn]);
            if (left < 0) {
                break;
            }
        }
    }
}

/// Moves every codeword that is nearest to a point to the mean of those it is nearest to.
void improve_codewords(const Points& points, float* codewords) {
    constexpr std::array<float, kTileFloats> kNoDirection = {};
    struct Sum {
        double x = 0;
        double y = 0;
        double count = 0;
    };
    std::array<Sum, kCodewords> sums = {};
    std::array<std::uint8_t, kTile> codes;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (i % kTile == 0) {
            kernels::active_kernels().partition->encode({.residuals = points.tile_of(i),
                                                         .directions = kNoDirection.data(),
                                                         .codebook = codewords,
                                                         .num_subspaces = 1},
                                                        codes.data());
        }
        Sum& sum = sums[codes[i % kTile]];
        sum.x += static_cast<double>(points.x(i));
        sum.y += static_cast<double>(points.y(i));
        sum.count += 1;
    }
    for (std::size_t word = 0; word < kCodewords; ++word) {
        if (sums[word].count > 0) {
            codewords[word] = static_cast<float>(sums[word].x / sums[word].count);
            codewords[kCodewords + word] = static_cast<float>(sums[word].y / sums[word].count);
        }
    }
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
        const Points points(residuals, part);
        Random random(seed, part);
        float* codewords = codebook.data() + part * 2 * kCodewords;
        draw_codewords(points, random, codewords);
        for (int round = 0; round < kLearningRounds; ++round) {
            improve_codewords(points, codewords);
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

}  // namespace segue
