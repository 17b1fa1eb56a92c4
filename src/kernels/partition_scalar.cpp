// Plain loops: the oracle of the tests and the functions of machines without AVX2.

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/partition_kernels.h"

namespace segue::kernels {
namespace {

constexpr std::size_t kWords = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float score_of(const NearestArguments& a, std::size_t row, std::size_t centre) {
    const float* packed =
        a.packed_centres + centre / kCentreTile * a.dim * kCentreTile + centre % kCentreTile;
    float product = 0;
    for (std::size_t i = 0; i < a.dim; ++i) {
        product += a.rows[row * a.stride + i] * packed[i * kCentreTile];
    }
    const float score = product + a.biases[centre];
    if (a.row_weights == nullptr) {
        return score;
    }
    const float along = a.row_offsets[row] + a.centre_offsets[centre] - product;
    return score - a.row_weights[row] * along * along;
}

void find_nearest(const NearestArguments& a, std::uint32_t* nearest) {
    for (std::size_t row = 0; row < a.num_rows; ++row) {
        float best = -kInfinity;
        nearest[row] = 0;
        for (std::size_t centre = 0; centre < a.num_tiles * kCentreTile; ++centre) {
            const float score = score_of(a, row, centre);
            if (score > best) {
                best = score;
                nearest[row] = static_cast<std::uint32_t>(centre);
            }
        }
    }
}

void quantize(const QuantizeArguments& a, std::uint8_t* bytes, float* scales, float* errors) {
    for (std::size_t row = 0; row < a.num_rows; ++row) {
        const float* x = a.rows + row * a.stride;
        std::uint8_t* out = bytes + row * a.row_bytes;
        float largest = 0;
        for (std::size_t i = 0; i < a.dim; ++i) {
            largest = std::fmax(largest, std::fabs(x[i]));
        }
        const float inverse = 127 / largest;
        const bool tells = inverse < kInfinity;
        scales[row] = tells ? largest / 127 : 0;
        std::memset(out, 128, a.row_bytes);
        float squared = 0;
        for (std::size_t i = 0; i < a.dim; ++i) {
            const float level = tells ? std::nearbyint(x[i] * inverse) : 0;
            out[i] = static_cast<std::uint8_t>(static_cast<int>(level) + 128);
            const float error = x[i] - scales[row] * level;
            squared += error * error;
        }
        errors[row] = std::sqrt(squared);
    }
}

/// One entry of a tile; what is written about it depends on nothing else.
class Encoder {
public:
    Encoder(const EncodeArguments& arguments, std::size_t entry, std::uint8_t* codes)
        : a_(arguments), entry_(entry), codes_(codes) {}

    void encode() {
        for (std::size_t part = 0; part < a_.num_subspaces; ++part) {
            choose(part, 0, 0);
            along_ += along_of(part, code(part));
        }
        bool changed = a_.parallel_weight > 1;
        for (unsigned round = 0; round < a_.num_rounds && changed; ++round) {
            changed = false;
            for (std::size_t part = 0; part < a_.num_subspaces; ++part) {
                const float others = along_ - along_of(part, code(part));
                changed = choose(part, a_.parallel_weight - 1, others) || changed;
                along_ = others + along_of(part, code(part));
            }
        }
    }

private:
    std::uint8_t& code(std::size_t part) { return codes_[part * kEncodeTile + entry_]; }
    float residual(std::size_t i) const { return a_.residuals[i * kEncodeTile + entry_]; }
    float direction(std::size_t i) const { return a_.directions[i * kEncodeTile + entry_]; }
    float error(std::size_t i, std::size_t word) const {
        return residual(i) - a_.codebook[i * kWords + word];
    }
    /// What a codeword leaves of the residual along the direction.
    float along_of(std::size_t part, std::size_t word) const {
        return error(2 * part, word) * direction(2 * part) +
               error(2 * part + 1, word) * direction(2 * part + 1);
    }

    /// Returns whether the code changed.
    bool choose(std::size_t part, float weight, float others) {
        std::size_t best = 0;
        float least = kInfinity;
        for (std::size_t word = 0; word < kWords; ++word) {
            const float x = error(2 * part, word);
            const float y = error(2 * part + 1, word);
            const float along = others + along_of(part, word);
            const float loss = x * x + y * y + weight * along * along;
            if (loss < least) {
                least = loss;
                best = word;
            }
        }
        const bool changed = code(part) != best;
        code(part) = static_cast<std::uint8_t>(best);
        return changed;
    }

    const EncodeArguments& a_;
    std::size_t entry_;
    std::uint8_t* codes_;
    float along_ = 0;
};

void encode(const EncodeArguments& arguments, std::uint8_t* codes) {
    for (std::size_t entry = 0; entry < kEncodeTile; ++entry) {
        Encoder(arguments, entry, codes).encode();
    }
}

constexpr PartitionKernels kScalar = {
    .find_nearest = find_nearest, .quantize = quantize, .encode = encode};

}  // namespace

const PartitionKernels& scalar_partition() {
    return kScalar;
}

}  // namespace segue::kernels
