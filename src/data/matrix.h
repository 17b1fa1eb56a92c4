#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/aligned_buffer.h"

namespace segue {

/// Floats in a row of a Matrix are a multiple of this: one AVX-512 register.
inline constexpr std::size_t kRowPadding = 16;

constexpr std::size_t padded_dim(std::size_t dim) {
    return (dim + kRowPadding - 1) / kRowPadding * kRowPadding;
}

/// Views rows of floats: [num_rows x dim], row-major, rows `stride` floats apart, stride >= dim.
struct MatrixView {
    const float* data = nullptr;
    std::size_t num_rows = 0;
    std::size_t dim = 0;
    std::size_t stride = 0;

    std::span<const float> row(std::size_t index) const { return {data + index * stride, dim}; }
};

/// Owns [num_rows x dim] floats, row-major, zero at first. The stride is padded_dim(dim), rows
/// begin at multiples of 64 bytes, and the floats behind `dim` stay zero. Move-only.
/// Thread-compatible.
class Matrix {
public:
    Matrix() = default;
    Matrix(std::size_t num_rows, std::size_t dim)
        : num_rows_(num_rows),
          dim_(dim),
          stride_(padded_dim(dim)),
          values_(num_rows * padded_dim(dim)) {}

    std::size_t num_rows() const { return num_rows_; }
    std::size_t dim() const { return dim_; }
    std::size_t stride() const { return stride_; }
    float* data() { return values_.data(); }
    const float* data() const { return values_.data(); }
    std::span<float> row(std::size_t index) { return {data() + index * stride_, dim_}; }
    std::span<const float> row(std::size_t index) const { return {data() + index * stride_, dim_}; }
    MatrixView view() const { return {data(), num_rows_, dim_, stride_}; }

private:
    std::size_t num_rows_ = 0;
    std::size_t dim_ = 0;
    std::size_t stride_ = 0;
    AlignedBuffer<float> values_;
};

}  // namespace segue
