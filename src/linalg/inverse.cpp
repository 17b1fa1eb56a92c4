#include "linalg/inverse.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "kernels/dense_kernels.h"

// The symmetric sweep (Gauss and Jordan; Beaton 1964), block by block. Sweeping block k of a
// symmetric A with D = A_kk^-1 and U = A_k. (the block's rows) is
//     A_ij -= U_i' D U_j for i, j outside the block,  A_kj := D U_j,  A_kk := -D,
// and after all blocks A has become -A^-1. Each sweep is one update of rank kBlock of the triangle,
// which is all that takes time: size^3 operations for all blocks together with D U, as rows of the
// block itself are left out. Pivots are swept in the same way by smaller blocks, and the smallest
// in f64.

namespace segue {

namespace {

using kernels::kLeftStrip;
using kernels::kRightStrip;

/// The more rows a block has, the less often the triangle is read and written, and tiles of what is
/// added up beside the arithmetic; the pivots, swept by one thread, grow with its square.
constexpr std::size_t kBlock = 512;
constexpr std::size_t kSmallBlock = 32;
/// Rows and columns of the triangle that are updated together: few enough for the second level of
/// cache.
constexpr std::size_t kTile = 512;

static_assert(kInversePadding == kRightStrip && kBlock % kSmallBlock == 0);
static_assert(kSmallBlock == kRightStrip && kRightStrip % kLeftStrip == 0);

/// A square matrix somewhere in memory, of which column >= row counts.
struct Square {
    float* data = nullptr;
    std::size_t stride = 0;
    std::size_t size = 0;  // a multiple of kInversePadding

    float* row(std::size_t index) const { return data + index * stride; }
};

/// Calls work(n) for all n in [0, count), in any order.
using Runner = std::function<void(std::size_t count, const std::function<void(std::size_t)>& work)>;

void run_here(std::size_t count, const std::function<void(std::size_t)>& work) {
    for (std::size_t n = 0; n < count; ++n) {
        work(n);
    }
}

/// Sweeps a matrix of one small block in f64. Returns false if it is not positive definite.
bool sweep_small(const Square& a) {
    double values[kSmallBlock][kSmallBlock];
    for (std::size_t i = 0; i < a.size; ++i) {
        for (std::size_t j = i; j < a.size; ++j) {
            values[i][j] = values[j][i] = static_cast<double>(a.row(i)[j]);
        }
    }
    for (std::size_t k = 0; k < a.size; ++k) {
        const double pivot = values[k][k];
        if (!(pivot > 0 && std::isfinite(pivot))) {
            return false;
        }
        double scaled[kSmallBlock];
        for (std::size_t j = 0; j < a.size; ++j) {
            scaled[j] = values[k][j] / pivot;
        }
        for (std::size_t i = 0; i < a.size; ++i) {
            const double factor = values[i][k];
            for (std::size_t j = 0; j < a.size; ++j) {
                values[i][j] -= factor * scaled[j];
            }
        }
        for (std::size_t j = 0; j < a.size; ++j) {
            values[k][j] = values[j][k] = scaled[j];
        }
        values[k][k] = -1 / pivot;
    }
    for (std::size_t i = 0; i < a.size; ++i) {
        for (std::size_t j = i; j < a.size; ++j) {
            a.row(i)[j] = static_cast<float>(values[i][j]);
        }
    }
    return true;
}

/// Sweeps a matrix by blocks of one size. Not thread-safe.
class Sweeper {
public:
    Sweeper(const Square& a, std::size_t block, Runner run)
        : a_(a),
          block_(std::min(block, a.size)),
          run_(std::move(run)),
          num_strips_(a.size / kRightStrip),
          rows_left_(a.size * block_),
          rows_right_(a.size * block_),
          swept_(a.size * block_),
          pivot_(block_ * block_),
          pivot_left_(block_ * block_) {}

    std::size_t num_blocks() const { return (a_.size + block_ - 1) / block_; }

    /// Returns false if the matrix is not positive definite.
    bool sweep(std::size_t index) {
        begin_ = index * block_;
        depth_ = std::min(block_, a_.size - begin_);
        run_(num_strips_, [this](std::size_t strip) { pack_rows(strip); });
        if (!invert_pivot()) {
            return false;
        }
        run_(num_strips_, [this](std::size_t strip) { multiply_by_pivot(strip); });
        cut_ranges();
        const std::size_t side = ranges_.size();
        run_(side * (side + 1) / 2, [this, side](std::size_t tile) {
            // Tiles of the triangle, column by column.
            std::size_t column = 0;
            while (tile > column) {
                tile -= column + 1;
                ++column;
            }
            SEGUE_ASSERT(column < side);
            if (tile == column) {
                update_diagonal(ranges_[column]);
            } else {
                update(ranges_[tile], ranges_[column]);
            }
        });
        run_(num_strips_, [this](std::size_t strip) { write_rows(strip); });
        return true;
    }

private:
    /// Rows, or columns, that are updated together.
    struct Range {
        std::size_t first = 0;
        std::size_t size = 0;
    };

    /// All rows but those of the block.
    void cut_ranges() {
        ranges_.clear();
        for (const Range part :
             {Range{0, begin_}, Range{begin_ + depth_, a_.size - begin_ - depth_}}) {
            for (std::size_t at = 0; at < part.size; at += kTile) {
                ranges_.push_back({part.first + at, std::min(kTile, part.size - at)});
            }
        }
    }
    bool in_block(std::size_t strip) const {
        return strip * kRightStrip >= begin_ && strip * kRightStrip < begin_ + depth_;
    }
    /// U for the columns of one strip outside the block, for both sides of products.
    void pack_rows(std::size_t strip) {
        const std::size_t first = strip * kRightStrip;
        float* const right = rows_right_.data() + first * block_;
        if (in_block(strip)) {
            return;
        }
        if (first > begin_) {
            for (std::size_t k = 0; k < depth_; ++k) {
                std::copy_n(a_.row(begin_ + k) + first, kRightStrip, right + k * kRightStrip);
            }
        } else {
            for (std::size_t j = 0; j < kRightStrip; ++j) {
                const float* const column = a_.row(first + j) + begin_;
                for (std::size_t k = 0; k < depth_; ++k) {
                    right[k * kRightStrip + j] = column[k];
                }
            }
        }
        float* const left = rows_left_.data() + first * block_;
        for (std::size_t part = 0; part < kRightStrip / kLeftStrip; ++part) {
            for (std::size_t k = 0; k < depth_; ++k) {
                std::copy_n(right + k * kRightStrip + part * kLeftStrip, kLeftStrip,
                            left + (part * block_ + k) * kLeftStrip);
            }
        }
    }

    /// -D, packed for the left side.
    bool invert_pivot() {
        const Square pivot = {pivot_.data(), depth_, depth_};
        for (std::size_t i = 0; i < depth_; ++i) {
            std::copy_n(a_.row(begin_ + i) + begin_, depth_, pivot.row(i));
        }
        if (depth_ <= kSmallBlock) {
            if (!sweep_small(pivot)) {
                return false;
            }
        } else {
            Sweeper sweeper(pivot, kSmallBlock, run_here);
            for (std::size_t index = 0; index < sweeper.num_blocks(); ++index) {
                if (!sweeper.sweep(index)) {
                    return false;
                }
            }
        }
        for (std::size_t i = 0; i < depth_; ++i) {
            for (std::size_t k = 0; k < depth_; ++k) {
                pivot_left_[i / kLeftStrip * depth_ * kLeftStrip + k * kLeftStrip +
                            i % kLeftStrip] = pivot.row(std::min(i, k))[std::max(i, k)];
            }
        }
        return true;
    }

    /// D U for the columns of one strip outside the block.
    void multiply_by_pivot(std::size_t strip) {
        if (in_block(strip)) {
            return;
        }
        float* const out = swept_.data() + strip * kRightStrip * block_;
        std::fill_n(out, kRightStrip * depth_, 0.0F);
        kernels().subtract_products({.left = pivot_left_.data(),
                                     .left_step = depth_ * kLeftStrip,
                                     .num_left = depth_ / kLeftStrip,
                                     .right = rows_right_.data() + strip * kRightStrip * block_,
                                     .right_step = 0,
                                     .num_right = 1,
                                     .depth = depth_,
                                     .out = out,
                                     .out_stride = kRightStrip});
    }

    void update(const Range& rows, const Range& columns) {
        kernels().subtract_products({.left = rows_left_.data() + rows.first * block_,
                                     .left_step = block_ * kLeftStrip,
                                     .num_left = rows.size / kLeftStrip,
                                     .right = swept_.data() + columns.first * block_,
                                     .right_step = block_ * kRightStrip,
                                     .num_right = columns.size / kRightStrip,
                                     .depth = depth_,
                                     .out = a_.row(rows.first) + columns.first,
                                     .out_stride = a_.stride});
    }

    /// Strip by strip down to the diagonal.
    void update_diagonal(const Range& range) {
        for (std::size_t column = 0; column < range.size; column += kRightStrip) {
            update({range.first, column + kRightStrip}, {range.first + column, kRightStrip});
        }
    }

    /// Puts D U and -D where U and the pivot were.
    void write_rows(std::size_t strip) {
        const std::size_t first = strip * kRightStrip;
        const float* const swept = swept_.data() + first * block_;
        if (in_block(strip)) {
            for (std::size_t i = first - begin_; i < first - begin_ + kRightStrip; ++i) {
                std::copy_n(pivot_.data() + i * depth_, depth_, a_.row(begin_ + i) + begin_);
            }
        } else if (first > begin_) {
            for (std::size_t k = 0; k < depth_; ++k) {
                std::copy_n(swept + k * kRightStrip, kRightStrip, a_.row(begin_ + k) + first);
            }
        } else {
            for (std::size_t j = 0; j < kRightStrip; ++j) {
                float* const column = a_.row(first + j) + begin_;
                for (std::size_t k = 0; k < depth_; ++k) {
                    column[k] = swept[k * kRightStrip + j];
                }
            }
        }
    }

    static const kernels::DenseKernels& kernels() { return *kernels::active_kernels().dense; }

    Square a_;
    std::size_t block_;
    Runner run_;
    std::size_t num_strips_;
    std::size_t begin_ = 0;  // of the block that is swept
    std::size_t depth_ = 0;  // rows of it
    std::vector<Range> ranges_;
    AlignedBuffer<float> rows_left_;   // [size / kLeftStrip][block][kLeftStrip]
    AlignedBuffer<float> rows_right_;  // [size / kRightStrip][block][kRightStrip]
    AlignedBuffer<float> swept_;       // as rows_right_
    AlignedBuffer<float> pivot_;       // [depth x depth]
    AlignedBuffer<float> pivot_left_;  // [depth / kLeftStrip][depth][kLeftStrip]
};

/// Multiplies a block on or above the diagonal by the factors of its columns, and what is mirrored
/// at the diagonal by those of its rows.
void scale_and_mirror(const Square& a, std::size_t first_row, std::size_t first_column,
                      std::span<const float> factors) {
    for (std::size_t i = first_row; i < first_row + kInversePadding; ++i) {
        for (std::size_t j = std::max(i, first_column); j < first_column + kInversePadding; ++j) {
            const float value = a.row(i)[j];
            a.row(i)[j] = value * factors[j];
            a.row(j)[i] = value * factors[i];
        }
    }
}

}  // namespace

Status sweep_positive_definite(Matrix& matrix, std::size_t size, ThreadPool& pool,
                               const ProgressListener& progress) {
    const std::size_t padded = padded_inverse_size(size);
    SEGUE_ASSERT(matrix.num_rows() == padded && matrix.dim() == padded);
    if (size == 0) {
        return Status();
    }
    const Square a = {matrix.data(), matrix.stride(), padded};
    for (std::size_t i = 0; i < padded; ++i) {
        std::fill(a.row(i) + std::max(i, size), a.row(i) + padded, 0.0F);
        a.row(i)[i] = i < size ? a.row(i)[i] : 1;
    }
    const Runner run = [&pool](std::size_t count, const std::function<void(std::size_t)>& work) {
        pool.for_each(count, [&work](std::size_t n, unsigned) { work(n); });
    };
    Sweeper sweeper(a, kBlock, run);
    for (std::size_t index = 0; index < sweeper.num_blocks(); ++index) {
        report(progress, {"invert", index, sweeper.num_blocks(), "blocks", {}});
        if (!sweeper.sweep(index)) {
            return invalid_argument(
                "the matrix is not positive definite to the precision of f32; a larger ridge makes "
                "it so");
        }
    }
    report(progress, {"invert", sweeper.num_blocks(), sweeper.num_blocks(), "blocks", {}});
    return Status();
}

void fill_from_triangle(Matrix& matrix, std::span<const float> factors, ThreadPool& pool) {
    const std::size_t size = matrix.num_rows();
    SEGUE_ASSERT(size % kInversePadding == 0 && matrix.dim() == size && factors.size() == size);
    const Square a = {matrix.data(), matrix.stride(), size};
    pool.for_each(size / kInversePadding, [&](std::size_t chunk, unsigned) {
        for (std::size_t first = chunk * kInversePadding; first < size; first += kInversePadding) {
            scale_and_mirror(a, chunk * kInversePadding, first, factors);
        }
    });
}

Status invert_positive_definite(Matrix& matrix, std::size_t size, ThreadPool& pool,
                                const ProgressListener& progress) {
    Status status = sweep_positive_definite(matrix, size, pool, progress);
    if (status.ok()) {
        fill_from_triangle(matrix, std::vector<float>(matrix.num_rows(), -1.0F), pool);
    }
    return status;
}

}  // namespace segue
