#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/measure.h"

namespace segue {

/// The items as an index stores them: x_j of index_tables.h, computed from the vectors it views,
/// which must outlive it. Immutable, thread-safe.
class BuildItems {
public:
    /// Reads every vector once, for the norms.
    BuildItems(const MatrixView& items, Measure measure, double popularity_exponent,
               ThreadPool& pool);

    std::size_t num_rows() const { return items_.num_rows; }
    std::size_t dim() const { return items_.dim; }
    /// Whether every x that is not zero has length 1.
    bool has_unit_length() const { return has_unit_length_; }
    /// [num_rows] ||j||
    std::span<const float> norms() const { return norms_.span(); }
    /// Whether x and its length are finite; searches never offer others.
    bool is_finite(std::uint32_t row) const { return scales_[row] >= 0; }
    /// Whether k-means can learn from the row.
    bool is_telling(std::uint32_t row) const { return is_finite(row) && norms_[row] > 0; }

    /// Writes x of `rows` to `out` [rows.size() x stride], zeros behind dim and for rows that are
    /// not finite. Requires: stride >= dim.
    void gather(std::span<const std::uint32_t> rows, float* out, std::size_t stride) const;

private:
    void prefetch(std::uint32_t row) const;

    MatrixView items_;
    bool has_unit_length_ = false;
    AlignedBuffer<float> norms_;
    AlignedBuffer<float> scales_;  // [num_rows] x = scale * j; -1 where x is not finite
};

/// The mean of the finite x of some rows, summed in the order they come in, in double precision.
/// Not thread-safe.
class MeanOfItems {
public:
    explicit MeanOfItems(const BuildItems& items)
        : items_(items), x_(kRowsAtOnce * items.dim()), sums_(items.dim()) {}

    void start();
    void add(std::span<const std::uint32_t> rows);
    /// Rows added that are finite.
    std::size_t count() const { return count_; }
    /// Requires: count() > 0.
    void write(std::span<float> mean) const;

private:
    static constexpr std::size_t kRowsAtOnce = 32;

    const BuildItems& items_;
    std::vector<float> x_;
    std::vector<double> sums_;
    std::size_t count_ = 0;
};

}  // namespace segue
