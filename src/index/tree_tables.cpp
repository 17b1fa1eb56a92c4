#include "index/tree_tables.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "index/leaf_reach.h"
#include "index_build/leaf_order.h"
#include "kernels/codes_kernels.h"

namespace segue {
namespace {

constexpr std::uint32_t kNoPosition = 0xFFFFFFFF;
constexpr float kCentreLevels = 127;
/// How far the best items of a leaf reach above its centre, in standard deviations: about what the
/// greatest of some hundreds does. Between 3 and 5 it matters little.
constexpr float kReach = 3.5F;

void pack_centres(const IndexTables& tables, TreeTables& tree) {
    const std::size_t num_leaves = tables.num_leaves();
    const std::size_t num_blocks = (num_leaves + kernels::kCentreBlock - 1) / kernels::kCentreBlock;
    const std::size_t block_bytes = tree.num_centre_groups * kernels::kCodeLineBytes;
    tree.centres = AlignedBuffer<std::uint8_t>(num_blocks * block_bytes);
    tree.centre_scales = AlignedBuffer<float>(num_blocks * kernels::kCentreBlock);
    tree.centre_offsets = AlignedBuffer<float>(num_blocks * kernels::kCentreBlock);
    std::fill_n(tree.centres.data(), tree.centres.size(), std::uint8_t{128});
    std::fill_n(tree.centre_offsets.data(), tree.centre_offsets.size(),
                -std::numeric_limits<float>::infinity());
    for (std::size_t leaf = 0; leaf < num_leaves; ++leaf) {
        const std::span<const float> centre = tables.leaf_centres.row(leaf);
        float largest = 0;
        double squared = 0;
        for (const float value : centre) {
            largest = std::max(largest, std::fabs(value));
            squared += static_cast<double>(value) * static_cast<double>(value);
        }
        std::uint8_t* block = tree.centres.data() + leaf / kernels::kCentreBlock * block_bytes +
                              leaf % kernels::kCentreBlock * 4;
        for (std::size_t i = 0; largest > 0 && i < centre.size(); ++i) {
            block[i / 4 * kernels::kCodeLineBytes + i % 4] =
                static_cast<std::uint8_t>(std::lrint(centre[i] / largest * kCentreLevels) + 128);
        }
        tree.centre_scales[leaf] = largest / kCentreLevels;
        if (tree.leaf_entries[leaf] != 0) {
            tree.centre_offsets[leaf] = tables.measure == Measure::kSquaredL2
                                            ? static_cast<float>(-squared)
                                            : kReach * tree.leaf_spreads[leaf];
        }
    }
}

void count_entries(const IndexTables& tables, TreeTables& tree) {
    tree.leaf_entries.resize(tables.num_leaves());
    for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
        std::uint64_t entries = tables.leaf_offsets[leaf + 1] - tables.leaf_offsets[leaf];
        if (!tables.code_positions.empty()) {
            std::uint64_t end = tables.code_offsets[leaf + 1] * kBlockPositions;
            const std::uint64_t begin = tables.code_offsets[leaf] * kBlockPositions;
            while (end > begin && tables.code_positions[end - 1] == kNoPosition) {
                --end;
            }
            entries = end - begin;
        }
        tree.leaf_entries[leaf] = static_cast<std::uint32_t>(entries);
        tree.num_filled_leaves += entries != 0 ? 1 : 0;
        tree.num_entries += entries;
        tree.largest_leaf = std::max(tree.largest_leaf, tree.leaf_entries[leaf]);
    }
}

void derive_levels(const IndexTables& tables, TreeTables& tree) {
    tree.leaf_levels.resize(tables.num_leaves());
    for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
        const std::uint64_t begin = tables.leaf_offsets[leaf];
        const std::uint64_t end = tables.leaf_offsets[leaf + 1];
        std::uint64_t sum = 0;
        for (std::uint64_t position = begin; position < end; ++position) {
            sum += tables.norm_levels[position];
        }
        tree.leaf_levels[leaf] = static_cast<std::uint8_t>(begin == end ? 0 : sum / (end - begin));
    }
    const auto ends = std::minmax_element(tables.norm_levels.begin(), tables.norm_levels.end());
    if (ends.first != tables.norm_levels.end()) {
        tree.lowest_level = *ends.first;
        tree.highest_level = *ends.second;
    }
    if (tables.code_positions.empty()) {
        return;
    }
    tree.entry_levels.resize(tables.code_positions.size());
    for (std::size_t entry = 0; entry < tree.entry_levels.size(); ++entry) {
        const std::uint32_t position = tables.code_positions[entry];
        tree.entry_levels[entry] = position == kNoPosition ? 0 : tables.norm_levels[position];
    }
}

void derive_runs(const IndexTables& tables, TreeTables& tree) {
    const Chunks runs = {tables.num_leaves(), kLeavesPerRun};
    tree.run_centres = Matrix(runs.count(), tables.dim);
    tree.run_offsets.assign(runs.count(), 0);
    for (std::size_t run = 0; run < runs.count(); ++run) {
        const std::span<float> mean = tree.run_centres.row(run);
        const auto share = 1 / static_cast<float>(runs.end(run) - runs.begin(run));
        for (std::size_t leaf = runs.begin(run); leaf < runs.end(run); ++leaf) {
            const std::span<const float> centre = tables.leaf_centres.row(leaf);
            for (std::size_t i = 0; i < mean.size(); ++i) {
                mean[i] += share * centre[i];
            }
        }
        for (std::size_t i = 0; tables.measure == Measure::kSquaredL2 && i < mean.size(); ++i) {
            tree.run_offsets[run] -= mean[i] * mean[i] / 2;
        }
    }
}

}  // namespace

TreeTables derive_tree_tables(const IndexTables& tables) {
    TreeTables tree;
    if (!tables.has_codes()) {
        return tree;
    }
    tree.num_lines = code_block_bytes(tables.dim) / kernels::kCodeLineBytes;
    tree.num_centre_groups = (tables.dim + 3) / 4;
    tree.leaf_spreads = leaf_spreads(tables);
    count_entries(tables, tree);
    pack_centres(tables, tree);
    derive_runs(tables, tree);
    derive_levels(tables, tree);
    return tree;
}

}  // namespace segue
