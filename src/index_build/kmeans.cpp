#include "index_build/kmeans.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "index_build/kmeans_groups.h"
#include "index_build/kmeans_nearest.h"

namespace segue {
namespace {

constexpr std::size_t kCentresPerChunk = 16;

/// `count` different ones of the rows, in random order.
std::vector<std::uint32_t> draw(std::span<const std::uint32_t> rows, std::size_t count,
                                Random& random) {
    std::vector<std::uint32_t> drawn(rows.begin(), rows.end());
    for (std::size_t i = 0; i < count; ++i) {
        std::swap(drawn[i], drawn[i + random.below(drawn.size() - i)]);
    }
    drawn.resize(count);
    return drawn;
}

void make_unit_length(std::span<float> vector) {
    double squared = 0;
    for (const float value : vector) {
        squared += static_cast<double>(value) * static_cast<double>(value);
    }
    const double factor = squared > 0 ? 1 / std::sqrt(squared) : 1;
    for (float& value : vector) {
        value = static_cast<float>(static_cast<double>(value) * factor);
    }
}

void move_to_row(const BuildItems& items, std::uint32_t row, bool spherical,
                 std::span<float> centre) {
    items.gather({&row, 1}, centre.data(), centre.size());
    if (spherical) {
        make_unit_length(centre);
    }
}

/// Moves every centre that has rows to their mean.
void move_to_means(const BuildItems& items, std::span<const std::uint32_t> rows,
                   const Groups& groups, bool spherical, ThreadPool& pool, Matrix& centres) {
    const Chunks chunks = {groups.num_groups(), kCentresPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        MeanOfItems mean(items);
        std::vector<std::uint32_t> members;
        for (std::size_t group = chunks.begin(chunk); group < chunks.end(chunk); ++group) {
            members.clear();
            for (const std::uint32_t member : groups.of(group)) {
                members.push_back(rows[member]);
            }
            mean.start();
            mean.add(members);
            if (mean.count() != 0) {
                mean.write(centres.row(group));
                if (spherical) {
                    make_unit_length(centres.row(group));
                }
            }
        }
    });
}

}  // namespace

Matrix learn_centres(const BuildItems& items, std::span<const std::uint32_t> rows,
                     const KMeansOptions& options, ThreadPool& pool,
                     const ProgressListener& progress) {
    Matrix centres(options.num_centres, items.dim());
    if (rows.empty()) {
        return centres;
    }
    Random random(options.seed);
    const std::vector<std::uint32_t> first =
        draw(rows, std::min(rows.size(), options.num_centres), random);
    for (std::size_t centre = 0; centre < options.num_centres; ++centre) {
        move_to_row(items, first[centre % first.size()], options.spherical, centres.row(centre));
    }
    CentreFinder finder(centres.view(), options.spherical, pool);
    std::vector<std::uint32_t> nearest(rows.size());
    std::vector<std::uint32_t> before;
    for (std::uint32_t iteration = 0; iteration < options.num_iterations; ++iteration) {
        if (iteration == 0) {
            finder.find(items, rows, nearest, pool);
        } else {
            finder.move_to(centres.view());
            if (std::has_single_bit(iteration)) {
                finder.look_around(pool);  // centres move less and less
            }
            finder.refine(items, rows, nearest, pool);
        }
        report(progress, {.stage = "leaves",
                          .done = iteration + 1,
                          .total = options.num_iterations + std::uint64_t{1},
                          .unit = "iterations",
                          .note = {}});
        if (nearest == before) {
            break;
        }
        before = nearest;
        const Groups groups = group_by(nearest, options.num_centres);
        move_to_means(items, rows, groups, options.spherical, pool, centres);
        for (std::size_t centre = 0; centre < options.num_centres; ++centre) {
            if (groups.of(centre).empty()) {
                move_to_row(items, rows[random.below(rows.size())], options.spherical,
                            centres.row(centre));
            }
        }
    }
    return centres;
}

}  // namespace segue
