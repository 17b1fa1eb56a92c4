#include "index_build/build_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "base/random.h"
#include "index_build/build_codes.h"
#include "index_build/build_items.h"
#include "index_build/build_rows.h"
#include "index_build/kmeans.h"
#include "index_build/kmeans_groups.h"
#include "index_build/kmeans_nearest.h"
#include "index_build/leaf_order.h"

namespace segue {
namespace {

constexpr std::size_t kMaxDim = 4096;
constexpr std::size_t kMaxLeaves = std::size_t{1} << 24;
constexpr std::size_t kLeavesPerChunk = 16;
constexpr std::size_t kSampledRowsPerLeaf = 100;

std::size_t choose_num_leaves(const IndexBuildOptions& options, std::size_t num_items) {
    const std::size_t wanted =
        options.num_leaves != 0
            ? options.num_leaves
            : static_cast<std::size_t>(4 * std::sqrt(static_cast<double>(num_items)));
    return std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(num_items, 1));
}

/// Telling rows drawn without repetition, in their order.
std::vector<std::uint32_t> sample_rows(const BuildItems& items, std::size_t wanted,
                                       std::uint64_t seed) {
    std::vector<std::uint32_t> rows;
    for (std::size_t row = 0; row < items.num_rows(); ++row) {
        if (items.is_telling(static_cast<std::uint32_t>(row))) {
            rows.push_back(static_cast<std::uint32_t>(row));
        }
    }
    wanted = std::min(wanted, rows.size());
    Random random(seed);
    std::size_t drawn = 0;
    for (std::size_t i = 0; drawn < wanted; ++i) {
        if (random.below(rows.size() - i) < wanted - drawn) {
            rows[drawn] = rows[i];
            ++drawn;
        }
    }
    rows.resize(wanted);
    return rows;
}

/// Centres become the mean of the finite x of their leaf, zeros where there is none.
void fill_leaf_centres(const BuildItems& items, IndexParts& parts, ThreadPool& pool) {
    const std::size_t num_leaves = parts.leaf_offsets.size() - 1;
    parts.leaf_centres = Matrix(num_leaves, items.dim());
    const Chunks chunks = {num_leaves, kLeavesPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        MeanOfItems mean(items);
        for (std::size_t leaf = chunks.begin(chunk); leaf < chunks.end(chunk); ++leaf) {
            const std::size_t begin = parts.leaf_offsets[leaf];
            mean.start();
            mean.add({parts.item_rows.data() + begin, parts.leaf_offsets[leaf + 1] - begin});
            if (mean.count() != 0) {
                mean.write(parts.leaf_centres.row(leaf));
            }
        }
    });
}

/// The leaf of each item.
std::vector<std::uint32_t> assign_leaves(const BuildItems& items, const IndexBuildOptions& options,
                                         std::size_t num_leaves, ThreadPool& pool,
                                         const ProgressListener& progress) {
    std::vector<std::uint32_t> leaf_of(items.num_rows(), 0);
    if (num_leaves == 1) {
        return leaf_of;
    }
    const std::size_t sample_size = std::max<std::size_t>(
        num_leaves, options.training_sample_size != 0 ? options.training_sample_size
                                                      : num_leaves * kSampledRowsPerLeaf);
    const Matrix learnt = learn_centres(items, sample_rows(items, sample_size, options.seed),
                                        {.num_centres = num_leaves,
                                         .spherical = items.has_unit_length(),
                                         .num_iterations = options.num_iterations,
                                         .seed = options.seed},
                                        pool, progress);
    const Matrix centres = in_order_of_nearness(learnt.view());
    const CentreFinder finder(centres.view(), items.has_unit_length(), pool);
    std::vector<std::uint32_t> all(items.num_rows());
    std::iota(all.begin(), all.end(), 0U);
    finder.find(items, all, leaf_of, pool);
    return leaf_of;
}

void fill_leaves(const BuildItems& items, const IndexBuildOptions& options, std::size_t num_leaves,
                 IndexParts& parts, ThreadPool& pool, const ProgressListener& progress) {
    const Groups leaves =
        group_by(assign_leaves(items, options, num_leaves, pool, progress), num_leaves);
    parts.leaf_offsets.assign(leaves.offsets.span().begin(), leaves.offsets.span().end());
    parts.item_rows.assign(leaves.members.span().begin(), leaves.members.span().end());
    fill_leaf_centres(items, parts, pool);
    report(progress, {.stage = "leaves",
                      .done = options.num_iterations + std::uint64_t{1},
                      .total = options.num_iterations + std::uint64_t{1},
                      .unit = "iterations",
                      .note = {}});
}

}  // namespace

Status IndexBuildOptions::validate() const {
    if (!std::isfinite(popularity_exponent)) {
        return invalid_argument("the popularity exponent of the index is not a finite number");
    }
    if (popularity_exponent != 0 && measure != Measure::kDot) {
        return invalid_argument(
            "a popularity exponent needs an index of dot products; cosine and squared distance "
            "have none");
    }
    if (num_leaves > kMaxLeaves) {
        return invalid_argument(
            fmt::format("num_leaves is {}; it may be {} at most", num_leaves, kMaxLeaves));
    }
    if (!(anisotropic_quantization_threshold >= 0 && anisotropic_quantization_threshold < 1)) {
        return invalid_argument(
            fmt::format("anisotropic_quantization_threshold is {}; it must be in [0, 1)",
                        anisotropic_quantization_threshold));
    }
    if (!(soar_lambda >= 0 && std::isfinite(soar_lambda))) {
        return invalid_argument(
            fmt::format("soar_lambda is {}; it must be a number not below 0", soar_lambda));
    }
    return {};
}

Result<IndexParts> build_index(const MatrixView& items, const IndexBuildOptions& options,
                               ThreadPool& pool, const ProgressListener& progress) {
    if (Status status = options.validate(); !status.ok()) {
        return status;
    }
    if (items.dim == 0 || items.dim > kMaxDim) {
        return invalid_argument(
            fmt::format("vectors have {} dimensions; an index is of 1 to {}", items.dim, kMaxDim));
    }
    if (items.num_rows >= std::numeric_limits<std::uint32_t>::max()) {
        return resource_limit(fmt::format("there are {} vectors; an index has room for {}",
                                          items.num_rows,
                                          std::numeric_limits<std::uint32_t>::max() - 1));
    }
    const BuildItems prepared(items, options.measure, options.popularity_exponent, pool);
    IndexParts parts;
    parts.measure = options.measure;
    parts.built_exponent = options.popularity_exponent;
    parts.num_items = items.num_rows;
    parts.dim = items.dim;
    const std::size_t num_leaves = choose_num_leaves(options, items.num_rows);
    fill_leaves(prepared, options, num_leaves, parts, pool, progress);
    if (num_leaves > 1) {
        fill_codes(prepared, options, parts, pool, progress);
    }
    fill_rows(prepared, parts, pool, progress);
    return parts;
}

}  // namespace segue
