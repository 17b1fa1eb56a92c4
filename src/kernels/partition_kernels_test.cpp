#include "kernels/partition_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/test_support.h"

namespace segue::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class Partition : public EveryTable {};

INSTANTIATE_TEST_SUITE_P(Tables, Partition, every_supported_table(), name_of_table);

/// Centres in the form the kernel wants, -infinity as the bias of those that fill the last tile.
struct PackedCentres {
    PackedCentres(const AlignedBuffer<float>& centres, std::size_t num_centres, std::size_t dim)
        : num_tiles((num_centres + kCentreTile - 1) / kCentreTile),
          packed(num_tiles * kCentreTile * dim),
          biases(num_tiles * kCentreTile),
          offsets(num_tiles * kCentreTile) {
        for (std::size_t tile = 0; tile < num_tiles; ++tile) {
            const std::size_t first = tile * kCentreTile;
            pack_queries(centres.data() + first * dim, dim,
                         std::min(kCentreTile, num_centres - first), dim,
                         packed.data() + first * dim);
        }
        const AlignedBuffer<float> noise = random_floats(2 * num_centres, num_centres);
        std::fill_n(biases.data(), biases.size(), -kInfinity);
        std::copy_n(noise.data(), num_centres, biases.data());
        std::copy_n(noise.data() + num_centres, num_centres, offsets.data());
    }

    std::size_t num_tiles;
    AlignedBuffer<float> packed;
    AlignedBuffer<float> biases;
    AlignedBuffer<float> offsets;
};

/// The score in double precision.
double score_of(const NearestArguments& a, const PackedCentres& centres, std::size_t row,
                std::size_t centre) {
    double product = 0;
    for (std::size_t i = 0; i < a.dim; ++i) {
        product +=
            static_cast<double>(a.rows[row * a.stride + i]) *
            static_cast<double>(centres.packed[(centre / kCentreTile * a.dim + i) * kCentreTile +
                                               centre % kCentreTile]);
    }
    double score = product + static_cast<double>(centres.biases[centre]);
    if (a.row_weights != nullptr) {
        const double along = static_cast<double>(a.row_offsets[row]) +
                             static_cast<double>(centres.offsets[centre]) - product;
        score -= static_cast<double>(a.row_weights[row]) * along * along;
    }
    return score;
}

void expect_best(const NearestArguments& a, const PackedCentres& centres, std::size_t num_centres,
                 const std::vector<std::uint32_t>& nearest) {
    for (std::size_t row = 0; row < a.num_rows; ++row) {
        ASSERT_LT(nearest[row], num_centres);
        double best = -static_cast<double>(kInfinity);
        for (std::size_t centre = 0; centre < num_centres; ++centre) {
            best = std::max(best, score_of(a, centres, row, centre));
        }
        EXPECT_GE(score_of(a, centres, row, nearest[row]), best - 1e-4 * (1 + std::abs(best)))
            << row << " of " << a.num_rows << ", dim " << a.dim;
    }
}

TEST_P(Partition, finds_the_best_of_the_centres_for_every_row) {
    for (const std::size_t dim : {1, 2, 3, 15, 16, 17, 64, 100, 333}) {
        for (const std::size_t num_centres : {1, 2, 16, 63, 64, 65, 200}) {
            const PackedCentres centres(random_floats(num_centres * dim, dim), num_centres, dim);
            const std::size_t stride = dim + 3;
            for (const std::size_t num_rows : {0, 1, 5, 6, 7, 47, 48, 49, 100}) {
                const AlignedBuffer<float> rows = random_floats(num_rows * stride + 1, num_rows);
                const AlignedBuffer<float> offsets = random_floats(num_rows, dim + num_rows);
                AlignedBuffer<float> weights = random_floats(num_rows, num_centres);
                for (float& weight : weights.span()) {
                    weight = std::abs(weight);
                }
                NearestArguments arguments = {.rows = rows.data() + 1,
                                              .stride = stride,
                                              .num_rows = num_rows,
                                              .dim = dim,
                                              .packed_centres = centres.packed.data(),
                                              .biases = centres.biases.data(),
                                              .num_tiles = centres.num_tiles};
                std::vector<std::uint32_t> nearest(num_rows, 0xFFFFFFFFU);
                kernels().partition->find_nearest(arguments, nearest.data());
                expect_best(arguments, centres, num_centres, nearest);
                arguments.row_weights = weights.data();
                arguments.row_offsets = offsets.data();
                arguments.centre_offsets = centres.offsets.data();
                kernels().partition->find_nearest(arguments, nearest.data());
                expect_best(arguments, centres, num_centres, nearest);
            }
        }
    }
}

TEST_P(Partition, takes_the_first_of_equal_centres_and_0_where_there_is_no_score) {
    const std::size_t dim = 5;
    AlignedBuffer<float> same(130 * dim);
    std::fill_n(same.data(), same.size(), 1.0F);
    PackedCentres centres(same, 130, dim);
    std::fill_n(centres.biases.data(), 130, 0.5F);
    centres.biases[7] = centres.biases[71] = centres.biases[129] = 1.0F;
    AlignedBuffer<float> rows(4 * dim);
    rows[dim] = 2;
    rows[2 * dim] = kNan;
    rows[3 * dim] = -kInfinity;
    std::vector<std::uint32_t> nearest(4);
    kernels().partition->find_nearest({.rows = rows.data(),
                                       .stride = dim,
                                       .num_rows = 4,
                                       .dim = dim,
                                       .packed_centres = centres.packed.data(),
                                       .biases = centres.biases.data(),
                                       .num_tiles = centres.num_tiles},
                                      nearest.data());
    EXPECT_EQ(nearest, (std::vector<std::uint32_t>{7, 7, 0, 0}));
}

/// A tile of entries, residuals and directions of unit length.
struct EncodeTile {
    EncodeTile(std::size_t parts, std::uint64_t seed)
        : num_subspaces(parts),
          residuals(random_floats(2 * parts * kEncodeTile, seed)),
          directions(random_floats(2 * parts * kEncodeTile, seed + 1)),
          codebook(random_floats(parts * 32, seed + 2)) {
        for (std::size_t entry = 0; entry < kEncodeTile; ++entry) {
            double squared = 0;
            for (std::size_t i = 0; i < 2 * parts; ++i) {
                const double value = static_cast<double>(directions[i * kEncodeTile + entry]);
                squared += value * value;
            }
            const double length = entry == 3 ? 0 : 1 / std::sqrt(squared);
            for (std::size_t i = 0; i < 2 * parts; ++i) {
                float& value = directions[i * kEncodeTile + entry];
                value = static_cast<float>(static_cast<double>(value) * length);
            }
        }
    }

    std::vector<std::uint8_t> encode(const KernelTable& table, float weight,
                                     unsigned num_rounds) const {
        std::vector<std::uint8_t> codes(num_subspaces * kEncodeTile, 0xFF);
        table.partition->encode({.residuals = residuals.data(),
                                 .directions = directions.data(),
                                 .codebook = codebook.data(),
                                 .num_subspaces = num_subspaces,
                                 .parallel_weight = weight,
                                 .num_rounds = num_rounds},
                                codes.data());
        return codes;
    }

    double loss(const std::vector<std::uint8_t>& codes, std::size_t entry, double weight) const {
        double squared = 0;
        double along = 0;
        for (std::size_t i = 0; i < 2 * num_subspaces; ++i) {
            const std::size_t word = codes[i / 2 * kEncodeTile + entry];
            const double error = static_cast<double>(residuals[i * kEncodeTile + entry]) -
                                 static_cast<double>(codebook[i * 16 + word]);
            squared += error * error;
            along += error * static_cast<double>(directions[i * kEncodeTile + entry]);
        }
        return squared + (weight - 1) * along * along;
    }

    std::size_t num_subspaces;
    AlignedBuffer<float> residuals;
    AlignedBuffer<float> directions;
    AlignedBuffer<float> codebook;
};

TEST_P(Partition, encodes_every_subspace_by_its_nearest_codeword_without_a_weight) {
    for (const std::size_t parts : {1, 2, 3, 16, 50, 2048}) {
        const EncodeTile tile(parts, parts);
        std::vector<std::uint8_t> codes = tile.encode(kernels(), 1, 8);
        for (std::size_t i = 0; i < codes.size(); ++i) {
            const std::size_t part = i / kEncodeTile;
            const auto distance = [&](std::size_t word) {
                double squared = 0;
                for (std::size_t axis = 0; axis < 2; ++axis) {
                    const std::size_t at = 2 * part + axis;
                    const double error =
                        static_cast<double>(tile.residuals[at * kEncodeTile + i % kEncodeTile]) -
                        static_cast<double>(tile.codebook[at * 16 + word]);
                    squared += error * error;
                }
                return squared;
            };
            ASSERT_LT(codes[i], 16);
            for (std::size_t word = 0; word < 16; ++word) {
                EXPECT_LE(distance(codes[i]), distance(word) + 1e-5);
            }
        }
    }
}

TEST_P(Partition, encoding_ends_where_no_single_subspace_makes_the_loss_less) {
    for (const std::size_t parts : {1, 2, 5, 32}) {
        for (const double weight : {1.5, 4.125, 30.0}) {
            const EncodeTile tile(parts, parts);
            const std::vector<std::uint8_t> start = tile.encode(kernels(), 1, 0);
            std::vector<std::uint8_t> codes =
                tile.encode(kernels(), static_cast<float>(weight), 100);
            for (std::size_t entry = 0; entry < kEncodeTile; ++entry) {
                const double reached = tile.loss(codes, entry, weight);
                EXPECT_LE(reached, tile.loss(start, entry, weight) + 1e-4);
                for (std::size_t part = 0; part < parts; ++part) {
                    std::uint8_t& code = codes[part * kEncodeTile + entry];
                    const std::uint8_t kept = code;
                    for (code = 0; code < 16; ++code) {
                        EXPECT_GE(tile.loss(codes, entry, weight), reached - 1e-4 * (1 + reached));
                    }
                    code = kept;
                }
            }
        }
    }
}

TEST_P(Partition, encodes_an_entry_alike_whatever_the_others_are) {
    const EncodeTile tile(32, 9);
    const std::vector<std::uint8_t> all = tile.encode(kernels(), 8, 8);
    for (std::size_t entry = 0; entry < kEncodeTile; ++entry) {
        EncodeTile alone(32, 77);
        for (std::size_t i = entry; i < 64 * kEncodeTile; i += kEncodeTile) {
            alone.residuals[i] = tile.residuals[i];
            alone.directions[i] = tile.directions[i];
        }
        std::copy_n(tile.codebook.data(), tile.codebook.size(), alone.codebook.data());
        const std::vector<std::uint8_t> codes = alone.encode(kernels(), 8, 8);
        for (std::size_t i = entry; i < codes.size(); i += kEncodeTile) {
            EXPECT_EQ(codes[i], all[i]);
        }
    }
}

}  // namespace
}  // namespace segue::kernels
