#pragma once

// k-means for the leaves of an index: centres learnt from a sample, rows assigned to the nearest.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "base/progress.h"
#include "base/thread_pool.h"
#include "data/matrix.h"

namespace segue {

struct KMeansOptions {
    std::size_t num_centres = 1;
    /// Rows are compared by angle: centres have length 1, and the nearest is that of the largest
    /// product. Otherwise by Euclidean distance.
    bool spherical = false;
    std::uint32_t num_iterations = 10;
    std::uint64_t seed = 1;
};

/// Learns [num_centres x dim] centres from a sample of rows, from random rows of it on. A centre
/// nothing is nearest to begins anew at a random row; so long as the sample has as many different
/// rows, few stay without one. The same bytes for any number of threads. Requires: all finite.
Matrix learn_centres(const MatrixView& sample, const KMeansOptions& options, ThreadPool& pool,
                     const ProgressListener& progress);

/// Finds the nearest of many centres. Copies them. Immutable, thread-safe.
class NearestCentre {
public:
    NearestCentre(const MatrixView& centres, bool spherical);

    /// nearest[r] = the centre of row r, the first of equally near ones. [rows.num_rows]
    void find(const MatrixView& rows, std::span<std::uint32_t> nearest) const;

private:
    Matrix centres_;
    AlignedBuffer<float> biases_;  // [num_centres] the greatest product + bias is the nearest
};

/// Rows in the order of their groups, ascending within each.
struct GroupedRows {
    /// [num_groups + 1]
    AlignedBuffer<std::uint64_t> offsets;
    AlignedBuffer<std::uint32_t> rows;

    std::span<const std::uint32_t> of(std::size_t group) const {
        return rows.span().subspan(offsets[group], offsets[group + 1] - offsets[group]);
    }
    std::size_t num_groups() const { return offsets.size() - 1; }
};

/// Requires: every group is less than num_groups.
GroupedRows group_rows(std::span<const std::uint32_t> group_of_row, std::size_t num_groups);

}  // namespace segue
