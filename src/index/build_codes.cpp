#include "index/build_codes.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/random.h"
#include "index/codebook.h"
#include "kernels/kernels.h"
#include "kernels/partition_kernels.h"

namespace segue {
namespace {

/// More residuals than these move no codeword by what a search would notice.
constexpr std::size_t kCodebookSample = 65536;
constexpr std::size_t kReports = 64;
/// Most codes settle in three or four.
constexpr unsigned kEncodingRounds = 8;
constexpr std::size_t kTile = kernels::kEncodeTile;

/// The leaf of a position.
std::size_t leaf_of(std::span<const std::uint64_t> leaf_offsets, std::size_t position) {
    const auto next = std::upper_bound(leaf_offsets.begin(), leaf_offsets.end(), position);
    return static_cast<std::size_t>(next - leaf_offsets.begin()) - 1;
}

void subtract(std::span<const float> centre, float* x) {
    for (std::size_t i = 0; i < centre.size(); ++i) {
        x[i] -= centre[i];
    }
}

/// Residuals of positions drawn without repetition, in their order.
Matrix sample_residuals(const BuildItems& items, const IndexParts& parts, std::uint64_t seed) {
    const std::size_t wanted = std::min(items.num_rows(), kCodebookSample);
    Matrix residuals(wanted, items.dim());
    Random random(seed, 1);
    std::size_t taken = 0;
    for (std::size_t position = 0; taken < wanted; ++position) {
        if (random.below(items.num_rows() - position) >= wanted - taken) {
            continue;
        }
        float* residual = residuals.row(taken).data();
        items.gather({parts.item_rows.data() + position, 1}, residual, residuals.stride());
        const std::size_t leaf = leaf_of(parts.leaf_offsets, position);
        subtract(parts.leaf_centres.row(leaf), residual);
        ++taken;
    }
    return residuals;
}

/// Encodes leaves with buffers of its own. Not thread-safe.
class LeafEncoder {
public:
    LeafEncoder(const BuildItems& items, float weight, IndexParts& parts)
        : items_(items),
          weight_(weight),
          parts_(parts),
          num_subspaces_(num_subspaces(items.dim())),
          x_(kTile, items.dim()),
          residuals_(2 * num_subspaces_ * kTile),
          directions_(2 * num_subspaces_ * kTile),
          codes_(num_subspaces_ * kTile) {}

    void encode(std::size_t leaf) {
        const std::span<const std::uint32_t> rows =
            std::span(parts_.item_rows)
                .subspan(parts_.leaf_offsets[leaf],
                         parts_.leaf_offsets[leaf + 1] - parts_.leaf_offsets[leaf]);
        std::uint8_t* codes =
            parts_.codes.data() + parts_.code_offsets[leaf] * code_block_bytes(items_.dim());
        for (std::size_t first = 0; first < rows.size(); first += kTile) {
            const std::span<const std::uint32_t> tile =
                rows.subspan(first, std::min(kTile, rows.size() - first));
            fill_tile(tile, parts_.leaf_centres.row(leaf));
            kernels::active_kernels().partition->encode({.residuals = residuals_.data(),
                                                         .directions = directions_.data(),
                                                         .codebook = parts_.codebook.data(),
                                                         .num_subspaces = num_subspaces_,
                                                         .parallel_weight = weight_,
                                                         .num_rounds = kEncodingRounds},
                                                        codes_.data());
            store(tile.size(), first % kBlockPositions,
                  codes + first / kBlockPositions * code_block_bytes(items_.dim()));
        }
    }

private:
    /// Residuals and directions of some rows, coordinate after coordinate.
    void fill_tile(std::span<const std::uint32_t> rows, std::span<const float> centre) {
        items_.gather(rows, x_.data(), x_.stride());
        for (std::size_t entry = 0; entry < rows.size(); ++entry) {
            const std::span<const float> x = std::as_const(x_).row(entry);
            double squared = 0;
            for (const float value : x) {
                squared += static_cast<double>(value) * static_cast<double>(value);
            }
            const auto inverse = static_cast<float>(squared > 0 ? 1 / std::sqrt(squared) : 0);
            for (std::size_t i = 0; i < x.size(); ++i) {
                residuals_[i * kTile + entry] = x[i] - centre[i];
                directions_[i * kTile + entry] = x[i] * inverse;
            }
        }
    }

    /// Puts the codes of `count` entries into a block, from `lane` on.
    void store(std::size_t count, std::size_t lane, std::uint8_t* block) const {
        const unsigned shift = lane < kTile ? 0 : 4;
        for (std::size_t part = 0; part < num_subspaces_; ++part) {
            std::uint8_t* line = block + part / kSubspacesPerLine * 64 + part % kSubspacesPerLine;
            for (std::size_t entry = 0; entry < count; ++entry) {
                std::uint8_t& byte = line[entry * kSubspacesPerLine];
                byte = static_cast<std::uint8_t>(byte | codes_[part * kTile + entry] << shift);
            }
        }
    }

    const BuildItems& items_;
    float weight_;
    IndexParts& parts_;
    std::size_t num_subspaces_;
    Matrix x_;
    AlignedBuffer<float> residuals_;   // [2 * num_subspaces x kTile]
    AlignedBuffer<float> directions_;  // [2 * num_subspaces x kTile]
    std::vector<std::uint8_t> codes_;
};

}  // namespace

void fill_codes(const BuildItems& items, const IndexBuildOptions& options, IndexParts& parts,
                ThreadPool& pool, const ProgressListener& progress) {
    const std::size_t num_leaves = parts.leaf_offsets.size() - 1;
    parts.codebook =
        learn_codebook(sample_residuals(items, parts, options.seed).view(), options.seed, pool);
    parts.code_offsets.assign(num_leaves + 1, 0);
    for (std::size_t leaf = 0; leaf < num_leaves; ++leaf) {
        const std::size_t count = parts.leaf_offsets[leaf + 1] - parts.leaf_offsets[leaf];
        parts.code_offsets[leaf + 1] =
            parts.code_offsets[leaf] + (count + kBlockPositions - 1) / kBlockPositions;
    }
    parts.codes =
        AlignedBuffer<std::uint8_t>(parts.code_offsets[num_leaves] * code_block_bytes(items.dim()));
    const float weight = parallel_weight(options.anisotropic_quantization_threshold, items.dim());
    std::vector<LeafEncoder> encoders;
    for (unsigned worker = 0; worker < pool.num_threads(); ++worker) {
        encoders.emplace_back(items, weight, parts);
    }
    const Chunks waves = {num_leaves, std::max<std::size_t>(num_leaves / kReports, 64)};
    for (std::size_t wave = 0; wave < waves.count(); ++wave) {
        const std::size_t begin = waves.begin(wave);
        pool.for_each(waves.end(wave) - begin, [&](std::size_t leaf, unsigned worker) {
            encoders[worker].encode(begin + leaf);
        });
        report(progress, {.stage = "codes",
                          .done = parts.leaf_offsets[waves.end(wave)],
                          .total = items.num_rows(),
                          .unit = "items",
                          .note = {}});
    }
}

}  // namespace segue
