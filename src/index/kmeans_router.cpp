#include "index/kmeans_router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "index/kmeans.h"
#include "kernels/kernels.h"
#include "kernels/partition_kernels.h"

namespace segue {
namespace {

/// Up to here comparing all is as fast as routing.
constexpr std::size_t kMaxCompared = 512;
/// Centres around each that rows are compared with: one tile of the kernel.
constexpr std::size_t kAround = kernels::kCentreTile;
/// Groups whose members may be around a centre.
constexpr std::size_t kNearGroups = 10;
constexpr std::size_t kMaxGroups = 512;
constexpr std::uint32_t kGroupIterations = 6;
/// Rows gathered at once: 64 KB of 64 dimensions.
constexpr std::size_t kRowsAtOnce = 240;
constexpr std::size_t kRefinements = 2;

std::vector<float> biases_of(const MatrixView& centres, bool spherical) {
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

std::vector<std::uint32_t> numbers_below(std::size_t end) {
    std::vector<std::uint32_t> numbers(end);
    std::iota(numbers.begin(), numbers.end(), 0U);
    return numbers;
}

/// Some rows of one group: a unit of work.
struct Piece {
    std::uint32_t group = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

std::vector<Piece> cut(const Groups& groups) {
    std::vector<Piece> pieces;
    for (std::size_t group = 0; group < groups.num_groups(); ++group) {
        for (std::uint64_t begin = groups.offsets[group]; begin < groups.offsets[group + 1];
             begin += kRowsAtOnce) {
            pieces.push_back(
                {static_cast<std::uint32_t>(group), begin,
                 std::min<std::uint64_t>(begin + kRowsAtOnce, groups.offsets[group + 1])});
        }
    }
    return pieces;
}

/// Compares rows with centres in buffers of its own. Not thread-safe.
class Comparer {
public:
    Comparer(const BuildItems& items, std::span<const std::uint32_t> rows)
        : items_(items), rows_(rows), x_(kRowsAtOnce, items.dim()) {}

    /// The nearest of `centres` to rows_[member] of each member, of kRowsAtOnce at most. Valid
    /// until the next call.
    std::span<const std::uint32_t> nearest(std::span<const std::uint32_t> members,
                                           const PackedCentres& centres) {
        chosen_.clear();
        for (const std::uint32_t member : members) {
            chosen_.push_back(rows_[member]);
        }
        items_.gather(chosen_, x_.data(), x_.stride());
        nearest_.resize(members.size());
        kernels::active_kernels().partition->find_nearest({.rows = x_.data(),
                                                           .stride = x_.stride(),
                                                           .num_rows = members.size(),
                                                           .dim = items_.dim(),
                                                           .packed_centres = centres.packed(),
                                                           .biases = centres.biases(),
                                                           .num_tiles = centres.num_tiles()},
                                                          nearest_.data());
        return nearest_;
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

/// nearest[i] = the nearest to rows[i] of all the centres.
void compare_all(const BuildItems& items, std::span<const std::uint32_t> rows,
                 const PackedCentres& centres, std::span<std::uint32_t> nearest, ThreadPool& pool) {
    std::vector<Comparer> workers = comparers(items, rows, pool);
    const Chunks chunks = {rows.size(), kRowsAtOnce};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        std::vector<std::uint32_t> members(chunks.end(chunk) - chunks.begin(chunk));
        std::iota(members.begin(), members.end(), static_cast<std::uint32_t>(chunks.begin(chunk)));
        std::ranges::copy(workers[worker].nearest(members, centres),
                          nearest.begin() + static_cast<std::ptrdiff_t>(chunks.begin(chunk)));
    });
}

}  // namespace

PackedCentres::PackedCentres(const MatrixView& centres, std::span<const float> biases,
                             std::span<const std::uint32_t> chosen)
    : dim_(centres.dim),
      packed_((chosen.size() + kTile - 1) / kTile * kTile * centres.dim),
      biases_((chosen.size() + kTile - 1) / kTile * kTile) {
    static_assert(kTile == kernels::kCentreTile && kTile == kernels::kQueryBlock);
    std::fill_n(biases_.data(), biases_.size(), -std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        const float* centre = centres.data + chosen[i] * centres.stride;
        float* out = packed_.data() + i / kTile * kTile * dim_ + i % kTile;
        for (std::size_t element = 0; element < dim_; ++element) {
            out[element * kTile] = centre[element];
        }
        biases_[i] = biases[chosen[i]];
    }
}

CentreRouter::CentreRouter(const MatrixView& centres, bool spherical, std::uint64_t seed,
                           ThreadPool& pool)
    : centres_(centres.num_rows, centres.dim), biases_(biases_of(centres, spherical)) {
    for (std::size_t centre = 0; centre < centres.num_rows; ++centre) {
        std::ranges::copy(centres.row(centre), centres_.row(centre).begin());
    }
    group_centres(spherical, seed, pool);
    for (std::size_t group = 0; group < members_.num_groups(); ++group) {
        packed_members_.emplace_back(centres_.view(), biases_, members_.of(group));
    }
    if (members_.num_groups() > 1) {
        find_around(pool);
    }
}

void CentreRouter::group_centres(bool spherical, std::uint64_t seed, ThreadPool& pool) {
    std::size_t num_groups = 1;
    group_of_.assign(num_centres(), 0);
    if (num_centres() > kMaxCompared) {
        num_groups = std::min(
            kMaxGroups, static_cast<std::size_t>(std::sqrt(static_cast<double>(num_centres()))));
        const BuildItems items(centres_.view(), Measure::kDot, 0, pool);
        const std::vector<std::uint32_t> all = numbers_below(num_centres());
        group_centres_ = learn_centres(items, all,
                                       {.num_centres = num_groups,
                                        .spherical = spherical,
                                        .num_iterations = kGroupIterations,
                                        .seed = seed},
                                       pool, {});
        group_biases_ = biases_of(group_centres_.view(), spherical);
        compare_all(items, all, {group_centres_.view(), group_biases_, numbers_below(num_groups)},
                    group_of_, pool);
    }
    members_ = group_by(group_of_, num_groups);
    for (std::size_t group = 0; group < group_biases_.size(); ++group) {
        if (members_.of(group).empty()) {
            group_biases_[group] = -std::numeric_limits<float>::infinity();
        }
    }
}

void CentreRouter::find_around(ThreadPool& pool) {
    num_around_ = std::min(kAround, num_centres());
    around_ = AlignedBuffer<std::uint32_t>(num_centres() * num_around_);
    const kernels::KernelTable& kernels = kernels::active_kernels();
    const std::size_t num_groups = members_.num_groups();
    pool.for_each(num_groups, [&](std::size_t group, unsigned) {
        struct Scored {
            float score;
            std::uint32_t number;
        };
        const auto nearer = [](const Scored& left, const Scored& right) {
            return left.score != right.score ? left.score > right.score
                                             : left.number < right.number;
        };
        std::vector<Scored> groups(num_groups);
        for (std::size_t other = 0; other < num_groups; ++other) {
            const float product = kernels.dot(group_centres_.row(group).data(),
                                              group_centres_.row(other).data(), centres_.dim());
            groups[other] = {product + group_biases_[other], static_cast<std::uint32_t>(other)};
        }
        std::sort(groups.begin(), groups.end(), nearer);
        std::vector<std::uint32_t> candidates;
        for (std::size_t i = 0;
             i < num_groups && (i < kNearGroups || candidates.size() < num_around_); ++i) {
            const std::span<const std::uint32_t> members = members_.of(groups[i].number);
            candidates.insert(candidates.end(), members.begin(), members.end());
        }
        std::vector<Scored> scored(candidates.size());
        for (const std::uint32_t centre : members_.of(group)) {
            for (std::size_t i = 0; i < candidates.size(); ++i) {
                const float product =
                    kernels.dot(centres_.row(centre).data(), centres_.row(candidates[i]).data(),
                                centres_.dim());
                scored[i] = {candidates[i] == centre ? std::numeric_limits<float>::infinity()
                                                     : product + biases_[candidates[i]],
                             candidates[i]};
            }
            const auto end = scored.begin() + static_cast<std::ptrdiff_t>(num_around_);
            std::partial_sort(scored.begin(), end, scored.end(), nearer);
            for (std::size_t i = 0; i < num_around_; ++i) {
                around_[centre * num_around_ + i] = scored[i].number;
            }
        }
    });
}

std::span<const std::uint32_t> CentreRouter::around(std::size_t centre) const {
    return compares_all() ? members_.of(0)
                          : around_.span().subspan(centre * num_around_, num_around_);
}

void CentreRouter::assign(const BuildItems& items, std::span<const std::uint32_t> rows,
                          std::span<std::uint32_t> nearest, ThreadPool& pool) const {
    if (compares_all()) {
        compare_all(items, rows, packed_members_[0], nearest, pool);
        return;
    }
    compare_all(items, rows,
                {group_centres_.view(), group_biases_, numbers_below(members_.num_groups())},
                nearest, pool);
    const Groups groups = group_by(nearest, members_.num_groups());
    const std::vector<Piece> pieces = cut(groups);
    std::vector<Comparer> workers = comparers(items, rows, pool);
    pool.for_each(pieces.size(), [&](std::size_t index, unsigned worker) {
        const Piece& piece = pieces[index];
        const std::span<const std::uint32_t> centres = members_.of(piece.group);
        const std::span<const std::uint32_t> members =
            groups.members.span().subspan(piece.begin, piece.end - piece.begin);
        const std::span<const std::uint32_t> found =
            workers[worker].nearest(members, packed_members_[piece.group]);
        for (std::size_t i = 0; i < members.size(); ++i) {
            nearest[members[i]] = centres[found[i]];
        }
    });
    for (std::size_t i = 0; i < kRefinements; ++i) {
        refine(items, rows, nearest, pool);
    }
}

void CentreRouter::refine(const BuildItems& items, std::span<const std::uint32_t> rows,
                          std::span<std::uint32_t> nearest, ThreadPool& pool) const {
    if (compares_all()) {
        assign(items, rows, nearest, pool);
        return;
    }
    const Groups groups = group_by(nearest, num_centres());
    const std::vector<Piece> pieces = cut(groups);
    std::vector<Comparer> workers = comparers(items, rows, pool);
    pool.for_each(pieces.size(), [&](std::size_t index, unsigned worker) {
        const Piece& piece = pieces[index];
        const std::span<const std::uint32_t> centres = around(piece.group);
        const std::span<const std::uint32_t> members =
            groups.members.span().subspan(piece.begin, piece.end - piece.begin);
        const std::span<const std::uint32_t> found =
            workers[worker].nearest(members, PackedCentres(centres_.view(), biases_, centres));
        for (std::size_t i = 0; i < members.size(); ++i) {
            nearest[members[i]] = centres[found[i]];
        }
    });
}

}  // namespace segue
