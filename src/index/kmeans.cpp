#include "index/kmeans.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

constexpr std::size_t kRowsPerChunk = 1024;
constexpr std::size_t kGroupsPerChunk = 16;

/// The first `count` of a random order of [0, size).
std::vector<std::uint32_t> random_rows(std::size_t size, std::size_t count, Random& random) {
    std::vector<std::uint32_t> rows(size);
    std::iota(rows.begin(), rows.end(), 0U);
    for (std::size_t i = 0; i < count; ++i) {
        std::swap(rows[i], rows[i + random.below(size - i)]);
    }
    rows.resize(count);
    return rows;
}

void copy_row(std::span<const float> from, bool unit_length, std::span<float> to) {
    double squared = 0;
    for (const float value : from) {
        squared += static_cast<double>(value) * static_cast<double>(value);
    }
    const double factor = unit_length && squared > 0 ? 1 / std::sqrt(squared) : 1;
    for (std::size_t i = 0; i < from.size(); ++i) {
        to[i] = static_cast<float>(static_cast<double>(from[i]) * factor);
    }
}

/// Moves every centre that has rows to their mean.
void move_to_means(const MatrixView& sample, const GroupedRows& groups, bool spherical,
                   ThreadPool& pool, Matrix& centres) {
    const Chunks chunks = {groups.num_groups(), kGroupsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        std::vector<double> sum(sample.dim);
        std::vector<float> mean(sample.dim);
        for (std::size_t group = chunks.begin(chunk); group < chunks.end(chunk); ++group) {
            const std::span<const std::uint32_t> rows = groups.of(group);
            if (rows.empty()) {
                continue;
            }
            std::fill(sum.begin(), sum.end(), 0.0);
            for (const std::uint32_t row : rows) {
                const std::span<const float> x = sample.row(row);
                for (std::size_t i = 0; i < x.size(); ++i) {
                    sum[i] += static_cast<double>(x[i]);
                }
            }
            for (std::size_t i = 0; i < sum.size(); ++i) {
                mean[i] = static_cast<float>(sum[i] / static_cast<double>(rows.size()));
            }
            copy_row(mean, spherical, centres.row(group));
        }
    });
}

}  // namespace

NearestCentre::NearestCentre(const MatrixView& centres, bool spherical)
    : centres_(centres.num_rows, centres.dim), biases_(centres.num_rows) {
    for (std::size_t centre = 0; centre < centres.num_rows; ++centre) {
        const std::span<const float> row = centres.row(centre);
        std::copy(row.begin(), row.end(), centres_.row(centre).begin());
        double squared = 0;
        for (const float value : row) {
            squared += static_cast<double>(value) * static_cast<double>(value);
        }
        biases_[centre] = spherical ? 0 : static_cast<float>(-squared / 2);
    }
}

void NearestCentre::find(const MatrixView& rows, std::span<std::uint32_t> nearest) const {
    constexpr std::size_t kRowsAtOnce = 16;
    const kernels::KernelTable& kernels = kernels::active_kernels();
    std::vector<float> products(kRowsAtOnce * centres_.num_rows());
    const Chunks tiles = {rows.num_rows, kRowsAtOnce};
    for (std::size_t tile = 0; tile < tiles.count(); ++tile) {
        const std::size_t begin = tiles.begin(tile);
        const std::size_t count = tiles.end(tile) - begin;
        kernels.multiply_transposed({.queries = rows.data + begin * rows.stride,
                                     .query_stride = rows.stride,
                                     .num_queries = count,
                                     .rows = centres_.data(),
                                     .stride = centres_.stride(),
                                     .num_rows = centres_.num_rows(),
                                     .dim = rows.dim,
                                     .products = products.data(),
                                     .product_stride = centres_.num_rows()});
        for (std::size_t row = 0; row < count; ++row) {
            const float* scores = products.data() + row * centres_.num_rows();
            std::size_t best = 0;
            for (std::size_t centre = 1; centre < centres_.num_rows(); ++centre) {
                if (scores[centre] + biases_[centre] > scores[best] + biases_[best]) {
                    best = centre;
                }
            }
            nearest[begin + row] = static_cast<std::uint32_t>(best);
        }
    }
}

GroupedRows group_rows(std::span<const std::uint32_t> group_of_row, std::size_t num_groups) {
    GroupedRows grouped;
    grouped.offsets = AlignedBuffer<std::uint64_t>(num_groups + 1);
    grouped.rows = AlignedBuffer<std::uint32_t>(group_of_row.size());
    for (const std::uint32_t group : group_of_row) {
        ++grouped.offsets[group + 1];
    }
    for (std::size_t group = 0; group < num_groups; ++group) {
        grouped.offsets[group + 1] += grouped.offsets[group];
    }
    std::vector<std::uint64_t> next(grouped.offsets.data(), grouped.offsets.data() + num_groups);
    for (std::size_t row = 0; row < group_of_row.size(); ++row) {
        grouped.rows[next[group_of_row[row]]++] = static_cast<std::uint32_t>(row);
    }
    return grouped;
}

Matrix learn_centres(const MatrixView& sample, const KMeansOptions& options, ThreadPool& pool,
                     const ProgressListener& progress) {
    Matrix centres(options.num_centres, sample.dim);
    if (sample.num_rows == 0) {
        return centres;
    }
    Random random(options.seed);
    const std::vector<std::uint32_t> first =
        random_rows(sample.num_rows, std::min(sample.num_rows, options.num_centres), random);
    for (std::size_t centre = 0; centre < options.num_centres; ++centre) {
        copy_row(sample.row(first[centre % first.size()]), options.spherical, centres.row(centre));
    }
    std::vector<std::uint32_t> nearest(sample.num_rows);
    std::vector<std::uint32_t> before(sample.num_rows);
    const Chunks chunks = {sample.num_rows, kRowsPerChunk};
    for (std::uint32_t iteration = 0; iteration < options.num_iterations; ++iteration) {
        const NearestCentre finder(centres.view(), options.spherical);
        pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
            const std::size_t begin = chunks.begin(chunk);
            const std::size_t count = chunks.end(chunk) - begin;
            finder.find({sample.data + begin * sample.stride, count, sample.dim, sample.stride},
                        std::span(nearest).subspan(begin, count));
        });
        report(progress, {.stage = "leaves",
                          .done = iteration + 1,
                          .total = options.num_iterations,
                          .unit = "iterations",
                          .note = {}});
        if (iteration > 0 && nearest == before) {
            break;
        }
        before = nearest;
        const GroupedRows groups = group_rows(nearest, options.num_centres);
        move_to_means(sample, groups, options.spherical, pool, centres);
        for (std::size_t centre = 0; centre < options.num_centres; ++centre) {
            if (groups.of(centre).empty()) {
                copy_row(sample.row(random.below(sample.num_rows)), options.spherical,
                         centres.row(centre));
            }
        }
    }
    return centres;
}

}  // namespace segue
