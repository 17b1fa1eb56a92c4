#include "index_build/build_codes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "base/random.h"
#include "index_build/codebook.h"
#include "index_build/kmeans_groups.h"
#include "index_build/spill.h"
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
constexpr std::uint32_t kNoPosition = 0xFFFFFFFF;

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

/// Which positions have codes in which leaf. Immutable, thread-safe.
class Entries {
public:
    Entries(const BuildItems& items, const IndexBuildOptions& options, const IndexParts& parts,
            ThreadPool& pool)
        : leaf_offsets_(parts.leaf_offsets) {
        if (options.soar_lambda > 0) {
            second_ = group_by(second_leaves(items, parts, options.soar_lambda, pool),
                               parts.leaf_offsets.size() - 1);
        }
    }

    bool has_second() const { return second_.offsets.size() != 0; }

    std::size_t count(std::size_t leaf) const {
        return leaf_offsets_[leaf + 1] - leaf_offsets_[leaf] +
               (has_second() ? second_.of(leaf).size() : 0);
    }

    /// Positions of the leaf itself, then those for which it is the second; each ascending.
    std::vector<std::uint32_t> of(std::size_t leaf) const {
        std::vector<std::uint32_t> positions(leaf_offsets_[leaf + 1] - leaf_offsets_[leaf]);
        std::iota(positions.begin(), positions.end(),
                  static_cast<std::uint32_t>(leaf_offsets_[leaf]));
        if (has_second()) {
            const std::span<const std::uint32_t> others = second_.of(leaf);
            positions.insert(positions.end(), others.begin(), others.end());
        }
        return positions;
    }

private:
    std::span<const std::uint64_t> leaf_offsets_;
    Groups second_;
};

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

    /// `positions`: the entries of the leaf.
    void encode(std::size_t leaf, std::span<const std::uint32_t> positions) {
        rows_.clear();
        for (const std::uint32_t position : positions) {
            rows_.push_back(parts_.item_rows[position]);
        }
        const std::span<const std::uint32_t> rows = rows_;
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
    std::vector<std::uint32_t> rows_;
    Matrix x_;
    AlignedBuffer<float> residuals_;   // [2 * num_subspaces x kTile]
    AlignedBuffer<float> directions_;  // [2 * num_subspaces x kTile]
    std::vector<std::uint8_t> codes_;
};

}  // namespace

void fill_codes(const BuildItems& items, const IndexBuildOptions& options, IndexParts& parts,
                ThreadPool& pool, const ProgressListener& progress) {
    const std::size_t num_leaves = parts.leaf_offsets.size() - 1;
    const Entries entries(items, options, parts, pool);
    parts.codebook =
        learn_codebook(sample_residuals(items, parts, options.seed).view(), options.seed, pool);
    parts.code_offsets.assign(num_leaves + 1, 0);
    for (std::size_t leaf = 0; leaf < num_leaves; ++leaf) {
        parts.code_offsets[leaf + 1] =
            parts.code_offsets[leaf] +
            (entries.count(leaf) + kBlockPositions - 1) / kBlockPositions;
    }
    const std::size_t num_blocks = parts.code_offsets[num_leaves];
    parts.codes = AlignedBuffer<std::uint8_t>(num_blocks * code_block_bytes(items.dim()));
    if (entries.has_second()) {
        parts.code_positions.assign(num_blocks * kBlockPositions, kNoPosition);
    }
    const float weight = parallel_weight(options.anisotropic_quantization_threshold, items.dim());
    std::vector<LeafEncoder> encoders;
    for (unsigned worker = 0; worker < pool.num_threads(); ++worker) {
        encoders.emplace_back(items, weight, parts);
    }
    const Chunks waves = {num_leaves, std::max<std::size_t>(num_leaves / kReports, 64)};
    for (std::size_t wave = 0; wave < waves.count(); ++wave) {
        const std::size_t begin = waves.begin(wave);
        pool.for_each(waves.end(wave) - begin, [&](std::size_t index, unsigned worker) {
            const std::size_t leaf = begin + index;
            const std::vector<std::uint32_t> positions = entries.of(leaf);
            encoders[worker].encode(leaf, positions);
            if (entries.has_second()) {
                std::ranges::copy(positions, parts.code_positions.data() +
                                                 parts.code_offsets[leaf] * kBlockPositions);
            }
        });
        report(progress, {.stage = "codes",
                          .done = parts.leaf_offsets[waves.end(wave)],
                          .total = items.num_rows(),
                          .unit = "items",
                          .note = {}});
    }
}

}  // namespace segue
