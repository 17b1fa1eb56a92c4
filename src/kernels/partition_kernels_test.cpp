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

/// Rows and centres of random bytes.
struct Int8Case {
    Int8Case(std::size_t rows, std::size_t centres, std::size_t groups)
        : num_rows(rows),
          num_centres(centres),
          num_groups(groups),
          num_tiles((centres + kCentreTile - 1) / kCentreTile),
          row_bytes(rows * groups * 4),
          row_scales(rows, 0.25F),
          packed(num_tiles * groups * kCentreTile * 4),
          scales(num_tiles * kCentreTile, 0.0F),
          corrections(num_tiles * kCentreTile, 0),
          biases(num_tiles * kCentreTile, -kInfinity) {
        Random random(rows + 1000 * centres + groups);
        for (std::uint8_t& byte : row_bytes) {
            byte = static_cast<std::uint8_t>(random.below(256));
        }
        for (std::size_t centre = 0; centre < centres; ++centre) {
            for (std::size_t i = 0; i < groups * 4; ++i) {
                const auto byte = static_cast<std::int8_t>(random.below(255));
                packed[at(centre, i)] = byte;
                corrections[centre] -= 128 * byte;
            }
            scales[centre] = static_cast<float>(1 + random.below(8)) / 4;
            biases[centre] = static_cast<float>(random.below(1000));
        }
    }

    std::size_t at(std::size_t centre, std::size_t i) const {
        return ((centre / kCentreTile * num_groups + i / 4) * kCentreTile + centre % kCentreTile) *
                   4 +
               i % 4;
    }

    Int8NearestArguments arguments() const {
        return {.rows = row_bytes.data(),
                .row_scales = row_scales.data(),
                .num_rows = num_rows,
                .num_groups = num_groups,
                .packed_centres = packed.data(),
                .centre_scales = scales.data(),
                .corrections = corrections.data(),
                .biases = biases.data(),
                .num_tiles = num_tiles};
    }

    /// Exact, as scales are powers of two or small multiples.
    double score(std::size_t row, std::size_t centre) const {
        double sum = 0;
        for (std::size_t i = 0; i < num_groups * 4; ++i) {
            sum += (row_bytes[row * num_groups * 4 + i] - 128.0) * packed[at(centre, i)];
        }
        return sum * static_cast<double>(scales[centre]) * static_cast<double>(row_scales[row]) +
               static_cast<double>(biases[centre]);
    }

    std::size_t num_rows;
    std::size_t num_centres;
    std::size_t num_groups;
    std::size_t num_tiles;
    std::vector<std::uint8_t> row_bytes;
    std::vector<float> row_scales;
    std::vector<std::int8_t> packed;
    std::vector<float> scales;
    std::vector<std::int32_t> corrections;
    std::vector<float> biases;
};

TEST_P(Partition, finds_the_best_of_int8_centres) {
    if (kernels().partition->find_nearest_int8 == nullptr) {
        GTEST_SKIP() << "these kernels compare f32 rows as fast";
    }
    for (const std::size_t num_groups : {1, 2, 3, 16, 25}) {
        for (const std::size_t num_centres : {1, 16, 63, 64, 65, 300}) {
            for (const std::size_t num_rows : {0, 1, 5, 6, 7, 48, 50, 99}) {
                const Int8Case c(num_rows, num_centres, num_groups);
                std::vector<std::uint32_t> nearest(num_rows, 0xFFFFFFFFU);
                kernels().partition->find_nearest_int8(c.arguments(), nearest.data());
                for (std::size_t row = 0; row < num_rows; ++row) {
                    std::size_t best = 0;
                    for (std::size_t centre = 1; centre < num_centres; ++centre) {
                        best = c.score(row, centre) > c.score(row, best) ? centre : best;
                    }
                    EXPECT_EQ(nearest[row], best);
                }
            }
        }
    }
}

TEST_P(Partition, quantizes_rows_to_the_same_bytes_at_every_level) {
    for (std::size_t dim = 1; dim <= 70; ++dim) {
        for (const std::size_t row_bytes : {dim, dim + 1, dim + 64}) {
            const std::size_t num_rows = 5;
            AlignedBuffer<float> rows = random_floats(num_rows * dim + 1, dim);
            std::fill_n(rows.data() + 1 + dim, dim, 0.0F);
            std::fill_n(rows.data() + 1 + 2 * dim, dim, -1e-44F);
            rows[1 + 3 * dim] = 1e18F;
            const QuantizeArguments arguments = {.rows = rows.data() + 1,
                                                 .stride = dim,
                                                 .num_rows = num_rows,
                                                 .dim = dim,
                                                 .row_bytes = row_bytes};
            std::vector<std::uint8_t> bytes(num_rows * row_bytes + 1, 77);
            std::vector<float> scales(num_rows);
            std::vector<float> errors(num_rows);
            kernels().partition->quantize(arguments, bytes.data(), scales.data(), errors.data());
            EXPECT_EQ(bytes.back(), 77);
            for (std::size_t row = 0; row < num_rows; ++row) {
                const float* x = rows.data() + 1 + row * dim;
                const float largest =
                    std::abs(*std::max_element(x, x + dim, [](float left, float right) {
                        return std::abs(left) < std::abs(right);
                    }));
                EXPECT_EQ(scales[row], row == 1 || row == 2 ? 0 : largest / 127);
                double squared = 0;
                for (std::size_t i = 0; i < row_bytes; ++i) {
                    const int level = bytes[row * row_bytes + i] - 128;
                    const float wanted =
                        i < dim && scales[row] > 0 ? std::nearbyint(x[i] * (127 / largest)) : 0;
                    EXPECT_EQ(static_cast<float>(level), wanted);
                    if (i < dim) {
                        const double error =
                            static_cast<double>(x[i]) - static_cast<double>(scales[row]) * level;
                        squared += error * error;
                    }
                }
                const double slack =
                    std::sqrt(squared) * 1e-5 +
                    std::sqrt(static_cast<double>(dim)) * 0x1.0p-22 * static_cast<double>(largest);
                EXPECT_NEAR(errors[row], std::sqrt(squared), slack + 1e-42) << dim << " " << row;
            }
        }
    }
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
