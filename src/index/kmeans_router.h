#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "index/build_items.h"
#include "index/kmeans_groups.h"

namespace segue {

/// Centres as kernels compare rows with them. Immutable, thread-safe.
class PackedCentres {
public:
    /// Copies the `chosen` rows of `centres`. biases [centres.num_rows] are added to products.
    PackedCentres(const MatrixView& centres, std::span<const float> biases,
                  std::span<const std::uint32_t> chosen);

    std::size_t dim() const { return dim_; }
    std::size_t num_tiles() const { return biases_.size() / kTile; }
    const float* packed() const { return packed_.data(); }
    const float* biases() const { return biases_.data(); }

private:
    static constexpr std::size_t kTile = 64;
    std::size_t dim_;
    AlignedBuffer<float> packed_;
    AlignedBuffer<float> biases_;
};

/// Finds the nearest centre of each of many rows. Up to a few hundred centres are all compared;
/// more are grouped, a row is compared with the centres of the nearest group, then with those
/// around the best, twice: about 1 row in 30 ends at its second or third nearest. Copies the
/// centres. Immutable, thread-safe.
class CentreRouter {
public:
    /// `spherical`: the nearest centre is that of the largest product, otherwise that of the least
    /// Euclidean distance. The same for any number of threads.
    CentreRouter(const MatrixView& centres, bool spherical, std::uint64_t seed, ThreadPool& pool);

    std::size_t num_centres() const { return centres_.num_rows(); }

    /// nearest[i] = the centre of rows[i].
    void assign(const BuildItems& items, std::span<const std::uint32_t> rows,
                std::span<std::uint32_t> nearest, ThreadPool& pool) const;
    /// The same, where `nearest` has good guesses already: those of centres that have moved since.
    void refine(const BuildItems& items, std::span<const std::uint32_t> rows,
                std::span<std::uint32_t> nearest, ThreadPool& pool) const;

    /// The centres around one, nearest first, itself before all; all of them where rows are
    /// compared with all.
    std::span<const std::uint32_t> around(std::size_t centre) const;

    /// The group of each centre: centres of a group are near to each other. [num_centres]
    std::span<const std::uint32_t> group_of() const { return group_of_; }

private:
    bool compares_all() const { return around_.size() == 0; }
    void group_centres(bool spherical, std::uint64_t seed, ThreadPool& pool);
    void find_around(ThreadPool& pool);

    Matrix centres_;
    std::vector<float> biases_;            // [num_centres]
    std::vector<std::uint32_t> group_of_;  // [num_centres]
    Groups members_;
    Matrix group_centres_;
    std::vector<float> group_biases_;
    std::vector<PackedCentres> packed_members_;  // [num_groups]
    AlignedBuffer<std::uint32_t> around_;        // [num_centres x num_around_]
    std::size_t num_around_ = 0;
};

}  // namespace segue
