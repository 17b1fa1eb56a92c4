#include "index_synthetic.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace segue::bench {
namespace {

/// Directions that niches share: two niches may have some in common.
constexpr std::size_t kNumDirections = 4096;
constexpr std::size_t kRowsPerChunk = 4096;
/// Streams of the seed: rows of items count from 0, those of queries from here.
constexpr std::uint64_t kFirstQueryStream = std::uint64_t{1} << 40;
constexpr std::uint64_t kModelStream = std::uint64_t{1} << 41;

/// What rows are drawn around. Immutable, thread-safe.
class NicheModel {
public:
    explicit NicheModel(const SyntheticShape& shape)
        : shape_(shape),
          axis_lengths_(shape.dim),
          niches_(shape.num_niches, shape.dim),
          directions_(kNumDirections, shape.dim),
          niche_sizes_(shape.num_niches),
          popularity_(shape.num_niches) {
        set_axis_lengths();
        Random random(shape.seed, kModelStream);
        draw_niches(random);
        for (std::size_t i = 0; i < kNumDirections; ++i) {
            draw_along_axes(random, 1, directions_.row(i));
        }
        double total = 0;
        for (std::size_t i = 0; i < popularity_.size(); ++i) {
            total += std::pow(static_cast<double>(i) + 10, -0.6);
            popularity_[i] = total;
        }
    }

    /// Writes the row a stream of the seed stands for, not yet of length 1.
    void draw_row(std::uint64_t stream, std::span<float> row) const {
        Random random(shape_.seed, stream);
        const double chosen = random.uniform() * popularity_.back();
        const auto niche = static_cast<std::size_t>(
            std::lower_bound(popularity_.begin(), popularity_.end() - 1, chosen) -
            popularity_.begin());
        std::copy(niches_.row(niche).begin(), niches_.row(niche).end(), row.begin());
        const double size =
            shape_.local_spread * niche_sizes_[niche] * std::exp(0.25 * random.normal());
        const double step = size / std::sqrt(static_cast<double>(shape_.local_dims));
        std::uint64_t state = niche;
        for (std::size_t i = 0; i < shape_.local_dims; ++i) {
            const auto direction = directions_.row(split_mix64(state) % kNumDirections);
            const auto along = static_cast<float>(step * random.normal());
            for (std::size_t axis = 0; axis < row.size(); ++axis) {
                row[axis] += along * direction[axis];
            }
        }
        for (std::size_t axis = 0; axis < row.size(); ++axis) {
            row[axis] += static_cast<float>(shape_.isotropic_spread * size * axis_lengths_[axis] *
                                            random.normal());
        }
    }

private:
    void set_axis_lengths() {
        double total = 0;
        for (std::size_t axis = 0; axis < shape_.dim; ++axis) {
            axis_lengths_[axis] = std::pow(static_cast<double>(axis) + 1, -shape_.spectrum_decay);
            total += axis_lengths_[axis];
        }
        for (double& length : axis_lengths_) {
            length = std::sqrt(length / total);
        }
    }

    void draw_along_axes(Random& random, double scale, std::span<float> out) const {
        for (std::size_t axis = 0; axis < out.size(); ++axis) {
            out[axis] = static_cast<float>(scale * axis_lengths_[axis] * random.normal());
        }
    }

    void draw_niches(Random& random) {
        Matrix genres(shape_.num_genres, shape_.dim);
        for (std::size_t i = 0; i < genres.num_rows(); ++i) {
            draw_along_axes(random, 1, genres.row(i));
        }
        for (std::size_t i = 0; i < niches_.num_rows(); ++i) {
            const double place = std::pow(random.uniform(), 1.5);  // some genres are large
            const auto genre = genres.row(
                static_cast<std::size_t>(place * static_cast<double>(shape_.num_genres)));
            niche_sizes_[i] = std::exp(0.35 * random.normal());
            draw_along_axes(random, shape_.niche_spread, niches_.row(i));
            for (std::size_t axis = 0; axis < shape_.dim; ++axis) {
                niches_.row(i)[axis] += genre[axis];
            }
        }
    }

    SyntheticShape shape_;
    std::vector<double> axis_lengths_;
    Matrix niches_;
    Matrix directions_;
    std::vector<double> niche_sizes_;
    std::vector<double> popularity_;  // sums up to each niche
};

void draw_rows(const NicheModel& model, std::uint64_t first_stream, ThreadPool& pool,
               Matrix& rows) {
    const Chunks chunks{rows.num_rows(), kRowsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        for (std::size_t row = chunks.begin(chunk); row < chunks.end(chunk); ++row) {
            model.draw_row(first_stream + row, rows.row(row));
        }
    });
    normalise_rows(rows);
}

}  // namespace

VectorSet make_synthetic(const SyntheticShape& shape, ThreadPool& pool) {
    VectorSet set;
    set.unit = true;
    set.seed = shape.seed;
    set.items = Matrix(shape.num_items, shape.dim);
    set.queries = Matrix(shape.num_queries, shape.dim);
    const NicheModel model(shape);
    draw_rows(model, 0, pool, set.items);
    draw_rows(model, kFirstQueryStream, pool, set.queries);
    return set;
}

}  // namespace segue::bench
