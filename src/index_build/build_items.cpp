#include "index_build/build_items.h"

#include <algorithm>
#include <cmath>

#include "index_build/row_scorer.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

constexpr std::size_t kRowsPerChunk = 4096;

/// Lengths from here on count as not finite: their squares and sums would overflow.
constexpr float kMaxLength = 1.0e18F;

/// Memory is that many rows ahead of the loops: enough to hide its latency.
constexpr std::size_t kRowsAhead = 8;
constexpr std::size_t kLineFloats = 16;
/// What follows a row's beginning the hardware asks for by itself.
constexpr std::size_t kPrefetchedFloats = 256;

}  // namespace

BuildItems::BuildItems(const MatrixView& items, Measure measure, double popularity_exponent,
                       ThreadPool& pool)
    : items_(items), norms_(items.num_rows), scales_(items.num_rows) {
    const double exponent = measure == Measure::kCosine      ? 1
                            : measure == Measure::kSquaredL2 ? 0
                                                             : popularity_exponent;
    has_unit_length_ = exponent == 1;
    const kernels::KernelTable& kernels = kernels::active_kernels();
    const Chunks chunks = {items.num_rows, kRowsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        const std::size_t begin = chunks.begin(chunk);
        const std::size_t end = chunks.end(chunk);
        kernels.squared_norms(items.data + begin * items.stride, items.stride, end - begin,
                              items.dim, norms_.data() + begin);
        for (std::size_t row = begin; row < end; ++row) {
            const float norm = std::sqrt(norms_[row]);
            const float scale = exponent == 0 ? 1.0F : power_of_norm(norm, exponent);
            norms_[row] = norm;
            scales_[row] = norm < kMaxLength && scale * norm < kMaxLength ? scale : -1.0F;
        }
    });
}

void BuildItems::prefetch(std::uint32_t row) const {
    const float* vector = items_.data + std::size_t{row} * items_.stride;
    for (std::size_t i = 0; i < std::min(items_.dim, kPrefetchedFloats); i += kLineFloats) {
        __builtin_prefetch(vector + i);
    }
}

void BuildItems::gather(std::span<const std::uint32_t> rows, float* out, std::size_t stride) const {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i + kRowsAhead < rows.size()) {
            prefetch(rows[i + kRowsAhead]);
        }
        const std::span<const float> vector = items_.row(rows[i]);
        const float scale = scales_[rows[i]];
        if (scale < 0) {
            std::fill_n(out, stride, 0.0F);
        } else {
            for (std::size_t element = 0; element < vector.size(); ++element) {
                out[element] = scale * vector[element];
            }
            std::fill(out + vector.size(), out + stride, 0.0F);
        }
        out += stride;
    }
}

void MeanOfItems::start() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    count_ = 0;
}

void MeanOfItems::add(std::span<const std::uint32_t> rows) {
    const std::size_t dim = items_.dim();
    for (std::size_t first = 0; first < rows.size(); first += kRowsAtOnce) {
        const auto piece = rows.subspan(first, std::min(kRowsAtOnce, rows.size() - first));
        items_.gather(piece, x_.data(), dim);
        for (std::size_t r = 0; r < piece.size(); ++r) {
            for (std::size_t i = 0; i < dim; ++i) {
                sums_[i] += static_cast<double>(x_[r * dim + i]);
            }
            count_ += items_.is_finite(piece[r]) ? 1 : 0;
        }
    }
}

void MeanOfItems::write(std::span<float> mean) const {
    for (std::size_t i = 0; i < mean.size(); ++i) {
        mean[i] = static_cast<float>(sums_[i] / static_cast<double>(count_));
    }
}

}  // namespace segue
