// Row problems of alternating least squares: conjugate gradients and normal equations. Compiled
// once for each target.

#include <cmath>

#include "kernels/kernels.h"
#include "kernels/simd_products-inl.h"
#include "kernels/simd_tiles-inl.h"

#if defined(SEGUE_KERNELS_SIMD_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGUE_KERNELS_SIMD_ROWS_INL_H_
#undef SEGUE_KERNELS_SIMD_ROWS_INL_H_
#else
#define SEGUE_KERNELS_SIMD_ROWS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {

/// Entries handled together: their sums over lanes cost little more than one.
inline constexpr std::size_t kEntryTile = 4;
/// Entries ahead whose rows are asked for; memory answers in the time some eight rows take.
inline constexpr std::size_t kPrefetchEntries = 8;

/// Working vectors of a row solve, [dim] each, in the caller's scratch.
struct RowVectors {
    float* residual;
    float* direction;
    float* product;
    float* inverse;  // of the preconditioner
    float* zeros;    // stands in for rows behind the end of a tile

    RowVectors(float* scratch, std::size_t dim)
        : residual(scratch),
          direction(scratch + dim),
          product(scratch + 2 * dim),
          inverse(scratch + 3 * dim),
          zeros(scratch + 4 * dim) {}
};

/// kEntryTile entries of a problem: where their rows are, c_k and b_k; entries behind the end count
/// nothing.
struct EntryTile {
    const float* rows[kEntryTile];
    float weights[kEntryTile];
    float right_sides[kEntryTile];
};

HWY_INLINE void prefetch_row(const float* row, std::size_t dim) {
    for (std::size_t i = 0; i < dim; i += kCacheLineFloats) {
        hwy::Prefetch(row + i);
    }
}

HWY_INLINE EntryTile entries_from(const RowProblem& problem, std::size_t first,
                                  const float* zeros) {
    EntryTile tile;
    for (std::size_t e = 0; e < kEntryTile; ++e) {
        const std::size_t entry = first + e;
        const bool inside = entry < problem.num_entries;
        tile.rows[e] = inside ? problem.table + problem.columns[entry] * problem.stride : zeros;
        tile.weights[e] = !inside ? 0 : problem.weights != nullptr ? problem.weights[entry] : 1;
        tile.right_sides[e] = !inside                          ? 0
                              : problem.right_sides != nullptr ? problem.right_sides[entry]
                                                               : tile.weights[e];
        if (entry + kPrefetchEntries < problem.num_entries) {
            prefetch_row(problem.table + problem.columns[entry + kPrefetchEntries] * problem.stride,
                         problem.dim);
        }
    }
    return tile;
}

/// out += sum_e factors[e] * rows[e]; diagonal += sum_e weights[e] * rows[e]^2 if asked.
template <bool kDiagonal>
HWY_INLINE void add_rows(const EntryTile& tile, const float* factors, std::size_t dim, float* out,
                         float* diagonal) {
    const Vector factor[kEntryTile] = {broadcast(factors[0]), broadcast(factors[1]),
                                       broadcast(factors[2]), broadcast(factors[3])};
    for (std::size_t i = 0; i < dim; i += kLanes) {
        Vector sum = load(out + i);
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            sum = hn::MulAdd(factor[e], load(tile.rows[e] + i), sum);
        }
        store(sum, out + i);
        if constexpr (kDiagonal) {
            Vector squares = load(diagonal + i);
            for (std::size_t e = 0; e < kEntryTile; ++e) {
                const Vector row = load(tile.rows[e] + i);
                squares = hn::MulAdd(hn::Mul(broadcast(tile.weights[e]), row), row, squares);
            }
            store(squares, diagonal + i);
        }
    }
}

/// out += sum_k c_k (h_k . x) h_k
inline void add_normal_product(const RowProblem& problem, const float* x, const float* zeros,
                               float* out) {
    for (std::size_t first = 0; first < problem.num_entries; first += kEntryTile) {
        const EntryTile tile = entries_from(problem, first, zeros);
        float products[1][kEntryTile];
        multiply_tile<1>(&x, tile.rows, problem.dim, products);
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            products[0][e] *= tile.weights[e];
        }
        add_rows<false>(tile, products[0], problem.dim, out, nullptr);
    }
}

/// residual += sum_k (b_k - c_k h_k . x) h_k; diagonal += sum_k c_k h_k^2 if asked.
template <bool kDiagonal>
void add_residual(const RowProblem& problem, const float* x, const float* zeros, float* residual,
                  float* diagonal) {
    for (std::size_t first = 0; first < problem.num_entries; first += kEntryTile) {
        const EntryTile tile = entries_from(problem, first, zeros);
        float products[1][kEntryTile];
        multiply_tile<1>(&x, tile.rows, problem.dim, products);
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            products[0][e] = tile.right_sides[e] - tile.weights[e] * products[0][e];
        }
        add_rows<kDiagonal>(tile, products[0], problem.dim, residual, diagonal);
    }
}

/// R = diagonal.
struct DiagonalRegulariser {
    const float* diagonal;

    HWY_INLINE void multiply(const float* x, std::size_t dim, float* out) const {
        for (std::size_t i = 0; i < dim; i += kLanes) {
            store(hn::Mul(load(diagonal + i), load(x + i)), out + i);
        }
    }
    HWY_INLINE void copy_diagonal(std::size_t dim, bool /*jacobi*/, float* out) const {
        for (std::size_t i = 0; i < dim; i += kLanes) {
            store(load(diagonal + i), out + i);
        }
    }
};

/// R = gram + ridge * I; without jacobi there is no preconditioner.
struct GramRegulariser {
    const float* gram;
    float ridge;

    HWY_INLINE void multiply(const float* x, std::size_t dim, float* out) const {
        dot_many(x, gram, dim, dim, dim, out);
        axpy_padded(ridge, x, out, dim);
    }
    HWY_INLINE void copy_diagonal(std::size_t dim, bool jacobi, float* out) const {
        for (std::size_t i = 0; i < dim; ++i) {
            out[i] = jacobi ? gram[i * dim + i] + ridge : 1;
        }
    }
};

/// direction := inverse * residual + keep * direction; returns sum of inverse * residual^2.
HWY_INLINE float squared_residual(const RowVectors& v, std::size_t dim) {
    Vector sum = zero();
    for (std::size_t i = 0; i < dim; i += kLanes) {
        const Vector residual = load(v.residual + i);
        sum = hn::MulAdd(hn::Mul(load(v.inverse + i), residual), residual, sum);
    }
    return sum_of(sum);
}

HWY_INLINE void turn_direction(const RowVectors& v, float keep, std::size_t dim) {
    const Vector factor = broadcast(keep);
    for (std::size_t i = 0; i < dim; i += kLanes) {
        const Vector steepest = hn::Mul(load(v.inverse + i), load(v.residual + i));
        store(hn::MulAdd(factor, load(v.direction + i), steepest), v.direction + i);
    }
}

/// Residual at `solution`, the preconditioner, and the first direction.
template <typename Regulariser>
HWY_INLINE void start_row(const RowProblem& problem, const Regulariser& regulariser, bool jacobi,
                          const float* solution, const RowVectors& v) {
    const std::size_t dim = problem.dim;
    regulariser.multiply(solution, dim, v.residual);
    for (std::size_t i = 0; i < dim; i += kLanes) {
        store(zero(), v.zeros + i);
        store(zero(), v.direction + i);
        store(hn::Neg(load(v.residual + i)), v.residual + i);
    }
    regulariser.copy_diagonal(dim, jacobi, v.inverse);
    if (jacobi) {
        add_residual<true>(problem, solution, v.zeros, v.residual, v.inverse);
    } else {
        add_residual<false>(problem, solution, v.zeros, v.residual, nullptr);
    }
    for (std::size_t i = 0; i < dim; i += kLanes) {
        store(hn::Div(broadcast(1), load(v.inverse + i)), v.inverse + i);
    }
    turn_direction(v, 0, dim);
}

template <typename Regulariser>
HWY_INLINE void solve_row(const RowProblem& problem, const Regulariser& regulariser,
                          const CgOptions& options, float* solution, float* scratch) {
    const std::size_t dim = problem.dim;
    const RowVectors v(scratch, dim);
    start_row(problem, regulariser, options.jacobi, solution, v);
    float squared = squared_residual(v, dim);
    const float enough = squared * 1e-12F;
    for (unsigned step = 0; step < options.num_steps && squared > enough; ++step) {
        regulariser.multiply(v.direction, dim, v.product);
        add_normal_product(problem, v.direction, v.zeros, v.product);
        const float curvature = dot(v.direction, v.product, dim);
        if (!(curvature > 0)) {
            return;
        }
        const float length = squared / curvature;
        axpy_padded(length, v.direction, solution, dim);
        if (step + 1 == options.num_steps) {
            return;
        }
        axpy_padded(-length, v.product, v.residual, dim);
        const float next_squared = squared_residual(v, dim);
        turn_direction(v, next_squared / squared, dim);
        squared = next_squared;
    }
}

inline void pcg_row(const RowProblem& problem, const float* diagonal, const CgOptions& options,
                    float* solution, float* scratch) {
    solve_row(problem, DiagonalRegulariser{diagonal}, options, solution, scratch);
}

inline void cg_row(const RowProblem& problem, const float* gram, float ridge,
                   const CgOptions& options, float* solution, float* scratch) {
    solve_row(problem, GramRegulariser{gram, ridge}, options, solution, scratch);
}

inline void normal_row(const RowProblem& problem, float* matrix, float* right_side,
                       float* scratch) {
    constexpr std::size_t kBlock = 128;
    const std::size_t dim = problem.dim;
    for (std::size_t block = 0; block < problem.num_entries; block += kBlock) {
        const std::size_t count =
            problem.num_entries - block < kBlock ? problem.num_entries - block : kBlock;
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t entry = block + k;
            if (entry + kPrefetchEntries < problem.num_entries) {
                prefetch_row(
                    problem.table + problem.columns[entry + kPrefetchEntries] * problem.stride,
                    dim);
            }
            const float* row = problem.table + problem.columns[entry] * problem.stride;
            const float weight = problem.weights != nullptr ? problem.weights[entry] : 1;
            const float target =
                problem.right_sides != nullptr ? problem.right_sides[entry] : weight;
            axpy_padded(target, row, right_side, dim);
            const Vector root = broadcast(std::sqrt(weight));
            for (std::size_t i = 0; i < dim; i += kLanes) {
                store(hn::Mul(root, load(row + i)), scratch + k * dim + i);
            }
        }
        rank_update(scratch, dim, count, dim, matrix);
    }
}

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
