#include "index_build/spill.h"

#include <algorithm>
#include <limits>

#include "index_build/kmeans_nearest.h"
#include "kernels/kernels.h"
#include "kernels/partition_kernels.h"

namespace segue {
namespace {

/// Leaves around each that are looked at: two tiles less the leaf itself.
constexpr std::size_t kLeavesAround = 2 * kernels::kCentreTile;
constexpr std::size_t kRowsAtOnce = 240;

/// Finds second leaves with buffers of its own. Not thread-safe.
class Spiller {
public:
    Spiller(const BuildItems& items, const IndexParts& parts, std::span<const float> biases,
            float lambda)
        : items_(items),
          parts_(parts),
          biases_(biases.begin(), biases.end()),
          lambda_(lambda),
          x_(kRowsAtOnce, items.dim()),
          weights_(kRowsAtOnce),
          offsets_(kRowsAtOnce) {}

    /// `around`: the leaf and others, the leaf first.
    void spill(std::size_t leaf, std::span<const std::uint32_t> around,
               std::span<std::uint32_t> second) {
        const std::span<const std::uint32_t> others = around.subspan(1);
        const PackedCentres packed(parts_.leaf_centres.view(), biases_, others);
        // The residual of another centre along r is r . x - r . c' = r . x + c . c' - x . c'.
        AlignedBuffer<float> products(packed.num_tiles() * kernels::kCentreTile);
        for (std::size_t i = 0; i < others.size(); ++i) {
            products[i] = kernels_.dot(parts_.leaf_centres.row(leaf).data(),
                                       parts_.leaf_centres.row(others[i]).data(), items_.dim());
        }
        for (std::size_t begin = parts_.leaf_offsets[leaf]; begin < parts_.leaf_offsets[leaf + 1];
             begin += kRowsAtOnce) {
            const std::size_t count =
                std::min<std::size_t>(kRowsAtOnce, parts_.leaf_offsets[leaf + 1] - begin);
            weigh({parts_.item_rows.data() + begin, count}, parts_.leaf_centres.row(leaf));
            kernels_.partition->find_nearest({.rows = x_.data(),
                                              .stride = x_.stride(),
                                              .num_rows = count,
                                              .dim = items_.dim(),
                                              .packed_centres = packed.packed(),
                                              .biases = packed.biases(),
                                              .num_tiles = packed.num_tiles(),
                                              .row_weights = weights_.data(),
                                              .row_offsets = offsets_.data(),
                                              .centre_offsets = products.data()},
                                             second.data() + begin);
            for (std::size_t i = begin; i < begin + count; ++i) {
                second[i] = others[second[i]];
            }
        }
    }

private:
    /// Gathers x and computes lambda / (2 ||r||^2) and r . x of each row.
    void weigh(std::span<const std::uint32_t> rows, std::span<const float> centre) {
        items_.gather(rows, x_.data(), x_.stride());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const std::span<const float> x = x_.view().row(i);
            const float squared = kernels_.squared_distance(x.data(), centre.data(), x.size());
            const float whole = kernels_.dot(x.data(), x.data(), x.size());
            // Rounding would decide about a residual this small.
            weights_[i] = squared > 1e-6F * whole ? lambda_ / (2 * squared) : 0;
            offsets_[i] = whole - kernels_.dot(x.data(), centre.data(), x.size());
        }
    }

    const kernels::KernelTable& kernels_ = kernels::active_kernels();
    const BuildItems& items_;
    const IndexParts& parts_;
    std::vector<float> biases_;
    float lambda_;
    Matrix x_;
    std::vector<float> weights_;
    std::vector<float> offsets_;
};

}  // namespace

std::vector<std::uint32_t> second_leaves(const BuildItems& items, const IndexParts& parts,
                                         float lambda, ThreadPool& pool) {
    const MatrixView centres = parts.leaf_centres.view();
    std::vector<float> biases = centre_biases(centres, false);
    for (std::size_t leaf = 0; leaf < centres.num_rows; ++leaf) {
        if (parts.leaf_offsets[leaf] == parts.leaf_offsets[leaf + 1]) {
            biases[leaf] = -std::numeric_limits<float>::max();  // nothing to search there
        }
    }
    const std::size_t num_around = std::min(kLeavesAround, centres.num_rows);
    const AlignedBuffer<std::uint32_t> around = centres_around(centres, biases, num_around, pool);
    std::vector<std::uint32_t> second(items.num_rows(), 0);
    if (num_around < 2) {
        return second;
    }
    std::vector<Spiller> spillers;
    for (unsigned worker = 0; worker < pool.num_threads(); ++worker) {
        spillers.emplace_back(items, parts, biases, lambda);
    }
    pool.for_each(centres.num_rows, [&](std::size_t leaf, unsigned worker) {
        spillers[worker].spill(leaf, around.span().subspan(leaf * num_around, num_around), second);
    });
    return second;
}

}  // namespace segue
