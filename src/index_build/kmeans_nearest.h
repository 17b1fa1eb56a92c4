#pragma once

// The nearest of many centres for many items.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "index_build/build_items.h"

namespace segue {

/// What is added to the product of a row and a centre so that the greatest is the nearest:
/// nothing if lengths are 1, otherwise -||centre||^2 / 2. [centres.num_rows]
std::vector<float> centre_biases(const MatrixView& centres, bool spherical);

/// Numbers of the `count` centres around each, itself first, then nearest first; ties by number.
/// [num_centres x count] Requires: count <= centres.num_rows.
AlignedBuffer<std::uint32_t> centres_around(const MatrixView& centres,
                                            std::span<const float> biases, std::size_t count,
                                            ThreadPool& pool);

/// Centres as kernels compare f32 rows with them. Immutable, thread-safe.
class PackedCentres {
public:
    /// Copies the `chosen` rows of `centres` and of `biases`.
    PackedCentres(const MatrixView& centres, std::span<const float> biases,
                  std::span<const std::uint32_t> chosen);

    std::size_t num_tiles() const { return num_tiles_; }
    const float* packed() const { return packed_.data(); }
    const float* biases() const { return biases_.data(); }

private:
    std::size_t num_tiles_;
    AlignedBuffer<float> packed_;  // [num_tiles x dim x 64]
    AlignedBuffer<float> biases_;  // [num_tiles * 64]
};

/// Finds the nearest centre of items: that of the largest product (spherical) or of the least
/// Euclidean distance. Copies the centres. Thread-compatible.
class CentreFinder {
public:
    CentreFinder(const MatrixView& centres, bool spherical, ThreadPool& pool);

    /// The centres have moved a little. Which are around which stays as it was until look_around.
    /// Requires: `centres` has the shape of those before.
    void move_to(const MatrixView& centres);
    void look_around(ThreadPool& pool);

    /// nearest[i] = the centre of item rows[i]. All centres are compared. Where int8 products are
    /// faster they choose first, and f32 products choose again among those around the choice.
    void find(const BuildItems& items, std::span<const std::uint32_t> rows,
              std::span<std::uint32_t> nearest, ThreadPool& pool) const;

    /// The same where `nearest` already has each item's centre of before the centres moved: it is
    /// compared with the 64 around that one, which is nearly always enough. Much faster.
    void refine(const BuildItems& items, std::span<const std::uint32_t> rows,
                std::span<std::uint32_t> nearest, ThreadPool& pool) const;

private:
    bool compares_few() const { return around_.size() == 0; }
    void find_by_bytes(const BuildItems& items, std::span<const std::uint32_t> rows,
                       std::span<std::uint32_t> nearest, ThreadPool& pool) const;

    bool spherical_;
    Matrix centres_;
    std::vector<float> biases_;
    AlignedBuffer<std::uint32_t> around_;  // [num_centres x 64], empty where all are compared
};

}  // namespace segue
