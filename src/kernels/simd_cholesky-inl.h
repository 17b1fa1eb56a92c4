// Cholesky factors of small padded matrices: U with A = U^T U, row-major, in blocks of 16 rows. The
// diagonal holds the inverses of the pivots, since the solve divides by nothing else. Compiled once
// for each target.

#include <cmath>

#include "kernels/kernels.h"
#include "kernels/simd_products-inl.h"
#include "kernels/simd_tiles-inl.h"

#if defined(SEGUE_KERNELS_SIMD_CHOLESKY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGUE_KERNELS_SIMD_CHOLESKY_INL_H_
#undef SEGUE_KERNELS_SIMD_CHOLESKY_INL_H_
#else
#define SEGUE_KERNELS_SIMD_CHOLESKY_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {

inline constexpr std::size_t kFactorBlock = 16;

/// Rows [first, first + kFactorBlock) of the factor, every row before them already subtracted.
inline bool factor_panel(float* matrix, std::size_t dim, std::size_t first) {
    for (std::size_t j = first; j < first + kFactorBlock; ++j) {
        float* row = matrix + j * dim;
        for (std::size_t column = first; column < dim; column += kLanes) {
            Vector even = load(row + column);
            Vector odd = zero();
            std::size_t k = first;
            for (; k + 2 <= j; k += 2) {
                even = hn::NegMulAdd(broadcast(matrix[k * dim + j]),
                                     load(matrix + k * dim + column), even);
                odd = hn::NegMulAdd(broadcast(matrix[(k + 1) * dim + j]),
                                    load(matrix + (k + 1) * dim + column), odd);
            }
            if (k < j) {
                even = hn::NegMulAdd(broadcast(matrix[k * dim + j]),
                                     load(matrix + k * dim + column), even);
            }
            store(hn::Add(even, odd), row + column);
        }
        const float pivot = row[j];
        if (!(pivot > 0) || std::isinf(pivot)) {
            return false;
        }
        const float inverse = 1 / std::sqrt(pivot);
        const Vector factor = broadcast(inverse);
        for (std::size_t column = first; column < dim; column += kLanes) {
            store(hn::Mul(factor, load(row + column)), row + column);
        }
        row[j] = inverse;
    }
    return true;
}

inline bool cholesky_factor(float* matrix, std::size_t dim) {
    for (std::size_t first = 0; first < dim; first += kFactorBlock) {
        if (!factor_panel(matrix, dim, first)) {
            return false;
        }
        const std::size_t rest = first + kFactorBlock;
        if (rest < dim) {
            update_symmetric<true>(matrix + first * dim + rest, dim, kFactorBlock, dim - rest,
                                   matrix + rest * dim + rest, dim);
        }
    }
    return true;
}

/// U^T x = x for the rows of one block, then their effect on all later elements.
inline void solve_forward(const float* factor, std::size_t dim, std::size_t first, float* x) {
    for (std::size_t j = first; j < first + kFactorBlock; ++j) {
        const float* row = factor + j * dim;
        x[j] *= row[j];
        for (std::size_t i = j + 1; i < first + kFactorBlock; ++i) {
            x[i] -= x[j] * row[i];
        }
    }
    for (std::size_t column = first + kFactorBlock; column < dim; column += kLanes) {
        Vector sum = load(x + column);
        for (std::size_t j = first; j < first + kFactorBlock; ++j) {
            sum = hn::NegMulAdd(broadcast(x[j]), load(factor + j * dim + column), sum);
        }
        store(sum, x + column);
    }
}

/// U x = x for the rows of one block; all later elements are solved.
inline void solve_backward(const float* factor, std::size_t dim, std::size_t first, float* x) {
    const std::size_t rest = first + kFactorBlock;
    if (rest < dim) {
        float products[kFactorBlock];
        const float* later = x + rest;
        multiply_queries<1>({.queries = later,
                             .num_queries = 1,
                             .rows = factor + first * dim + rest,
                             .stride = dim,
                             .num_rows = kFactorBlock,
                             .dim = dim - rest,
                             .products = products},
                            0);
        for (std::size_t j = 0; j < kFactorBlock; ++j) {
            x[first + j] -= products[j];
        }
    }
    for (std::size_t j = rest; j-- > first;) {
        x[j] *= factor[j * dim + j];
        for (std::size_t i = first; i < j; ++i) {
            x[i] -= x[j] * factor[i * dim + j];
        }
    }
}

inline void cholesky_solve(const float* factor, std::size_t dim, float* x) {
    for (std::size_t first = 0; first < dim; first += kFactorBlock) {
        solve_forward(factor, dim, first, x);
    }
    for (std::size_t block = dim / kFactorBlock; block-- > 0;) {
        solve_backward(factor, dim, block * kFactorBlock, x);
    }
}

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
