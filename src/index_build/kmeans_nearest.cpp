#include "index_build/kmeans_nearest.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "index_build/kmeans_groups.h"
#include "index_build/top_k.h"
#include "kernels/kernels.h"
#include "kernels/partition_kernels.h"

namespace segue {
namespace {

constexpr std::size_t kTile = kernels::kCentreTile;
/// Centres around each that rows are compared with: one tile.
constexpr std::size_t kAround = kTile;
/// Up to here it is as fast to compare all.
constexpr std::size_t kFewCentres = 256;
/// Rows gathered at once: 60 KB of 64 dimensions.
constexpr std::size_t kRowsAtOnce = 240;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<std::uint32_t> numbers(std::size_t begin, std::size_t end) {
    std::vector<std::uint32_t> all(end - begin);
    std::iota(all.begin(), all.end(), static_cast<std::uint32_t>(begin));
    return all;
}

/// Compares rows with centres in buffers of its own. Not thread-safe.
class Comparer {
public:
    Comparer(const BuildItems& items, std::span<const std::uint32_t> rows)
        : items_(items), rows_(rows), x_(kRowsAtOnce, items.dim()), nearest_(kRowsAtOnce) {}

    /// The nearest of `centres` to item rows[member] of each member, kRowsAtOnce at most. Valid
    /// until the next call.
    std::span<const std::uint32_t> nearest(std::span<const std::uint32_t> members,
                                           const PackedCentres& centres) {
        chosen_.clear();
        for (const std::uint32_t member : members) {
            chosen_.push_back(rows_[member]);
        }
        items_.gather(chosen_, x_.data(), x_.stride());
        kernels::active_kernels().partition->find_nearest({.rows = x_.data(),
                                                           .stride = x_.stride(),
                                                           .num_rows = members.size(),
                                                           .dim = items_.dim(),
                                                           .packed_centres = centres.packed(),
                                                           .biases = centres.biases(),
                                                           .num_tiles = centres.num_tiles()},
                                                          nearest_.data());
        return {nearest_.data(), members.size()};
    }

private:
    const BuildItems& items_;
    std::span<const std::uint32_t> rows_;
    Matrix x_;
    std::vector<std::uint32_t> chosen_;
    std::vector<std::uint32_t> nearest_;
};

std::vector<Comparer> comparers(const BuildItems& items, std::span<const std::uint32_t> rows,
                                const ThreadPool& pool) {
    std::vector<Comparer> made;
    for (unsigned worker = 0; worker < pool.num_threads(); ++worker) {
        made.emplace_back(items, rows);
    }
    return made;
}

/// Centres as bytes, one scale each.
class Int8Centres {
public:
    Int8Centres(const Matrix& centres, std::span<const float> biases)
        : num_groups_((centres.dim() + 3) / 4),
          num_tiles_((centres.num_rows() + kTile - 1) / kTile),
          packed_(num_tiles_ * num_groups_ * kTile * 4),
          scales_(num_tiles_ * kTile),
          corrections_(num_tiles_ * kTile),
          biases_(num_tiles_ * kTile) {
        std::ranges::copy(biases, biases_.span().begin());
        std::fill(biases_.span().begin() + static_cast<std::ptrdiff_t>(biases.size()),
                  biases_.span().end(), -kInfinity);
        std::vector<std::uint8_t> bytes(num_groups_ * 4);
        float error = 0;
        for (std::size_t centre = 0; centre < centres.num_rows(); ++centre) {
            kernels::active_kernels().partition->quantize({.rows = centres.row(centre).data(),
                                                           .stride = centres.stride(),
                                                           .num_rows = 1,
                                                           .dim = centres.dim(),
                                                           .row_bytes = bytes.size()},
                                                          bytes.data(), &scales_[centre], &error);
            for (std::size_t i = 0; i < bytes.size(); ++i) {
                const int level = bytes[i] - 128;
                packed_[((centre / kTile * num_groups_ + i / 4) * kTile + centre % kTile) * 4 +
                        i % 4] = static_cast<std::int8_t>(level);
                corrections_[centre] -= 128 * level;
            }
        }
    }

    std::size_t row_bytes() const { return num_groups_ * 4; }

    void find(const std::uint8_t* rows, const float* row_scales, std::size_t num_rows,
              std::uint32_t* nearest) const {
        kernels::active_kernels().partition->find_nearest_int8({.rows = rows,
                                                                .row_scales = row_scales,
                                                                .num_rows = num_rows,
                                                                .num_groups = num_groups_,
                                                                .packed_centres = packed_.data(),
                                                                .centre_scales = scales_.data(),
                                                                .corrections = corrections_.data(),
                                                                .biases = biases_.data(),
                                                                .num_tiles = num_tiles_},
                                                               nearest);
    }

private:
    std::size_t num_groups_;
    std::size_t num_tiles_;
    AlignedBuffer<std::int8_t> packed_;
    AlignedBuffer<float> scales_;
    AlignedBuffer<std::int32_t> corrections_;
    AlignedBuffer<float> biases_;
};

/// Some members of one group: a unit of work.
struct Piece {
    std::uint32_t group = 0;
    std::span<const std::uint32_t> members;
};

std::vector<Piece> cut(const Groups& groups) {
    std::vector<Piece> pieces;
    for (std::size_t group = 0; group < groups.num_groups(); ++group) {
        const std::span<const std::uint32_t> members = groups.of(group);
        for (std::size_t begin = 0; begin < members.size(); begin += kRowsAtOnce) {
            pieces.push_back(
                {static_cast<std::uint32_t>(group),
                 members.subspan(begin, std::min(kRowsAtOnce, members.size() - begin))});
        }
    }
    return pieces;
}

}  // namespace

std::vector<float> centre_biases(const MatrixView& centres, bool spherical) {
    std::vector<float> biases(centres.num_rows, 0.0F);
    for (std::size_t centre = 0; !spherical && centre < centres.num_rows; ++centre) {
        double squared = 0;
        for (const float value : centres.row(centre)) {
            squared += static_cast<double>(value) * static_cast<double>(value);
        }
        biases[centre] = static_cast<float>(-squared / 2);
    }
    return biases;
}

AlignedBuffer<std::uint32_t> centres_around(const MatrixView& centres,
                                            std::span<const float> biases, std::size_t count,
                                            ThreadPool& pool) {
    constexpr std::size_t kQueries = 16;
    const kernels::KernelTable& kernels = kernels::active_kernels();
    AlignedBuffer<std::uint32_t> around(centres.num_rows * count);
    const Chunks chunks = {centres.num_rows, kQueries};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        const std::size_t begin = chunks.begin(chunk);
        std::vector<float> scores(kQueries * centres.num_rows);
        std::vector<std::uint32_t> above(centres.num_rows + kernels::kLanePadding);
        kernels.multiply_transposed({.queries = centres.data + begin * centres.stride,
                                     .query_stride = centres.stride,
                                     .num_queries = chunks.end(chunk) - begin,
                                     .rows = centres.data,
                                     .stride = centres.stride,
                                     .num_rows = centres.num_rows,
                                     .dim = centres.dim,
                                     .products = scores.data(),
                                     .product_stride = centres.num_rows});
        TopK best;
        for (std::size_t centre = begin; centre < chunks.end(chunk); ++centre) {
            float* own = scores.data() + (centre - begin) * centres.num_rows;
            for (std::size_t other = 0; other < centres.num_rows; ++other) {
                own[other] += biases[other];
            }
            own[centre] = std::numeric_limits<float>::max();
            best.start(count);
            constexpr std::size_t kScoresAtOnce = 512;
            for (std::size_t first = 0; first < centres.num_rows; first += kScoresAtOnce) {
                const std::size_t num_scores = std::min(kScoresAtOnce, centres.num_rows - first);
                const std::size_t num_above =
                    kernels.select_above(own + first, num_scores, best.threshold(), above.data());
                for (std::size_t i = 0; i < num_above; ++i) {
                    const std::size_t other = first + above[i];
                    best.offer({static_cast<std::uint32_t>(other), own[other]});
                }
            }
            std::ranges::transform(best.finish(), around.data() + centre * count,
                                   [](const ScoredRow& scored) { return scored.item_row; });
        }
    });
    return around;
}

PackedCentres::PackedCentres(const MatrixView& centres, std::span<const float> biases,
                             std::span<const std::uint32_t> chosen)
    : num_tiles_((chosen.size() + kTile - 1) / kTile),
      packed_(num_tiles_ * kTile * centres.dim),
      biases_(num_tiles_ * kTile) {
    std::fill_n(biases_.data(), biases_.size(), -kInfinity);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        const float* centre = centres.data + chosen[i] * centres.stride;
        float* out = packed_.data() + i / kTile * kTile * centres.dim + i % kTile;
        for (std::size_t element = 0; element < centres.dim; ++element) {
            out[element * kTile] = centre[element];
        }
        biases_[i] = biases[chosen[i]];
    }
}

CentreFinder::CentreFinder(const MatrixView& centres, bool spherical, ThreadPool& pool)
    : spherical_(spherical), centres_(centres.num_rows, centres.dim) {
    move_to(centres);
    look_around(pool);
}

void CentreFinder::move_to(const MatrixView& centres) {
    for (std::size_t centre = 0; centre < centres.num_rows; ++centre) {
        std::ranges::copy(centres.row(centre), centres_.row(centre).begin());
    }
    biases_ = centre_biases(centres, spherical_);
}

void CentreFinder::look_around(ThreadPool& pool) {
    if (centres_.num_rows() > kFewCentres) {
        around_ = centres_around(centres_.view(), biases_, kAround, pool);
    }
}

void CentreFinder::find(const BuildItems& items, std::span<const std::uint32_t> rows,
                        std::span<std::uint32_t> nearest, ThreadPool& pool) const {
    if (!compares_few() && kernels::active_kernels().partition->find_nearest_int8 != nullptr) {
        find_by_bytes(items, rows, nearest, pool);
        refine(items, rows, nearest, pool);
        return;
    }
    const PackedCentres packed(centres_.view(), biases_, numbers(0, centres_.num_rows()));
    std::vector<Comparer> workers = comparers(items, rows, pool);
    const Chunks chunks = {rows.size(), kRowsAtOnce};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        std::ranges::copy(
            workers[worker].nearest(numbers(chunks.begin(chunk), chunks.end(chunk)), packed),
            nearest.data() + chunks.begin(chunk));
    });
}

void CentreFinder::find_by_bytes(const BuildItems& items, std::span<const std::uint32_t> rows,
                                 std::span<std::uint32_t> nearest, ThreadPool& pool) const {
    const Int8Centres centres(centres_, biases_);
    const Chunks chunks = {rows.size(), kRowsAtOnce};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        const std::size_t begin = chunks.begin(chunk);
        const std::size_t count = chunks.end(chunk) - begin;
        Matrix x(count, items.dim());
        items.gather(rows.subspan(begin, count), x.data(), x.stride());
        std::vector<std::uint8_t> bytes(count * centres.row_bytes());
        std::vector<float> scales(count);
        std::vector<float> errors(count);
        kernels::active_kernels().partition->quantize({.rows = x.data(),
                                                       .stride = x.stride(),
                                                       .num_rows = count,
                                                       .dim = items.dim(),
                                                       .row_bytes = centres.row_bytes()},
                                                      bytes.data(), scales.data(), errors.data());
        centres.find(bytes.data(), scales.data(), count, nearest.data() + begin);
    });
}

void CentreFinder::refine(const BuildItems& items, std::span<const std::uint32_t> rows,
                          std::span<std::uint32_t> nearest, ThreadPool& pool) const {
    if (compares_few()) {
        find(items, rows, nearest, pool);
        return;
    }
    const Groups groups = group_by(nearest, centres_.num_rows());
    const std::vector<Piece> pieces = cut(groups);
    std::vector<Comparer> workers = comparers(items, rows, pool);
    pool.for_each(pieces.size(), [&](std::size_t index, unsigned worker) {
        const Piece& piece = pieces[index];
        const std::span<const std::uint32_t> around =
            around_.span().subspan(piece.group * kAround, kAround);
        const std::span<const std::uint32_t> found =
            workers[worker].nearest(piece.members, PackedCentres(centres_.view(), biases_, around));
        for (std::size_t i = 0; i < piece.members.size(); ++i) {
            nearest[piece.members[i]] = around[found[i]];
        }
    });
}

}  // namespace segue
