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

/// Entries ahead whose rows are asked for. They are asked into the second level of cache: it has
/// more misses in flight than the first, and a gather of 256-byte rows from memory takes 17 ns a
/// row instead of 27 (Zen 4).
inline constexpr std::size_t kPrefetchEntries = 32;

/// Rows of a problem larger than this are not in the second level of cache when the next pass
/// comes.
inline constexpr std::size_t kCachedBytes = 512 * 1024;

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

HWY_INLINE const float* table_row(const RowProblem& problem, std::size_t entry) {
    return problem.table + problem.columns[entry] * problem.stride;
}

HWY_INLINE void prefetch_row(const RowProblem& problem, std::size_t entry) {
    if (entry < problem.num_entries) {
        const float* row = table_row(problem, entry);
        for (std::size_t i = 0; i < problem.dim; i += kCacheLineFloats) {
            prefetch_far(row + i);
        }
    }
}

/// What one pass over the entries of a problem adds up.
struct PassSums {
    const float* x = nullptr;
    float* out = nullptr;       // += sum_k f_k h_k
    float* diagonal = nullptr;  // += sum_k c_k h_k^2
};

enum class Pass {
    kProduct,             // f_k = c_k (h_k . x)
    kResidual,            // f_k = b_k - c_k (h_k . x)
    kResidualAndDiagonal  // the same, and the diagonal
};

/// Adds up kEntryTile entries: rows, c_k and b_k. Compiled for a number of vectors in a row (x and
/// out stay in registers then) or, with 0, for any.
template <Pass kPass, std::size_t kVectors>
HWY_INLINE void add_tile(const float* const* rows, QuadVector weights, QuadVector right_sides,
                         std::size_t dim, const Vector* x, Vector* out, const PassSums& sums) {
    const std::size_t size = kVectors != 0 ? kVectors : dim / kLanes;
    Vector dots[kEntryTile] = {zero(), zero(), zero(), zero()};
    for (std::size_t v = 0; v < size; ++v) {
        const Vector at = kVectors != 0 ? x[v] : load(sums.x + v * kLanes);
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            dots[e] = hn::MulAdd(load(rows[e] + v * kLanes), at, dots[e]);
        }
    }
    const QuadVector products = hn::Mul(weights, sums_of(dots[0], dots[1], dots[2], dots[3]));
    float factors[kEntryTile];
    hn::StoreU(kPass == Pass::kProduct ? products : hn::Sub(right_sides, products), Quad(),
               factors);
    const Vector factor[kEntryTile] = {broadcast(factors[0]), broadcast(factors[1]),
                                       broadcast(factors[2]), broadcast(factors[3])};
    for (std::size_t v = 0; v < size; ++v) {
        Vector sum = kVectors != 0 ? out[v] : load(sums.out + v * kLanes);
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            sum = hn::MulAdd(factor[e], load(rows[e] + v * kLanes), sum);
        }
        if constexpr (kVectors != 0) {
            out[v] = sum;
        } else {
            store(sum, sums.out + v * kLanes);
        }
    }
    if constexpr (kPass == Pass::kResidualAndDiagonal) {
        float weight[kEntryTile];
        hn::StoreU(weights, Quad(), weight);
        for (std::size_t v = 0; v < size; ++v) {
            Vector squares = load(sums.diagonal + v * kLanes);
            for (std::size_t e = 0; e < kEntryTile; ++e) {
                const Vector row = load(rows[e] + v * kLanes);
                squares = hn::MulAdd(hn::Mul(broadcast(weight[e]), row), row, squares);
            }
            store(squares, sums.diagonal + v * kLanes);
        }
    }
}

template <Pass kPass, std::size_t kVectors>
void pass_over_entries(const RowProblem& problem, const PassSums& sums, const float* zeros,
                       bool prefetch) {
    const Quad quad;
    Vector x[kVectors + 1];
    Vector out[kVectors + 1];
    for (std::size_t v = 0; v < kVectors; ++v) {
        x[v] = load(sums.x + v * kLanes);
        out[v] = load(sums.out + v * kLanes);
    }
    for (std::size_t e = 0; prefetch && e < kPrefetchEntries; ++e) {
        prefetch_row(problem, e);
    }
    const std::size_t whole = problem.num_entries / kEntryTile * kEntryTile;
    for (std::size_t first = 0; first < whole; first += kEntryTile) {
        const float* rows[kEntryTile];
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            rows[e] = table_row(problem, first + e);
            if (prefetch) {
                prefetch_row(problem, first + e + kPrefetchEntries);
            }
        }
        const QuadVector weights = problem.weights != nullptr
                                       ? hn::LoadU(quad, problem.weights + first)
                                       : hn::Set(quad, 1);
        const QuadVector right_sides =
            problem.right_sides != nullptr ? hn::LoadU(quad, problem.right_sides + first) : weights;
        add_tile<kPass, kVectors>(rows, weights, right_sides, problem.dim, x, out, sums);
    }
    if (whole < problem.num_entries) {
        const float* rows[kEntryTile] = {zeros, zeros, zeros, zeros};
        float weights[kEntryTile] = {};
        float right_sides[kEntryTile] = {};
        for (std::size_t e = 0; whole + e < problem.num_entries; ++e) {
            rows[e] = table_row(problem, whole + e);
            weights[e] = problem.weights != nullptr ? problem.weights[whole + e] : 1;
            right_sides[e] =
                problem.right_sides != nullptr ? problem.right_sides[whole + e] : weights[e];
        }
        add_tile<kPass, kVectors>(rows, hn::LoadU(quad, weights), hn::LoadU(quad, right_sides),
                                  problem.dim, x, out, sums);
    }
    for (std::size_t v = 0; v < kVectors; ++v) {
        store(out[v], sums.out + v * kLanes);
    }
}

/// The pass compiled for the dim where registers hold x and out, else the one for any dim.
template <Pass kPass>
HWY_INLINE void pass_over(const RowProblem& problem, const PassSums& sums, const float* zeros,
                          bool prefetch) {
    if (kLanes == 16 && problem.dim == 64) {
        pass_over_entries<kPass, 4>(problem, sums, zeros, prefetch);
    } else if (kLanes == 16 && problem.dim == 128) {
        pass_over_entries<kPass, 8>(problem, sums, zeros, prefetch);
    } else {
        pass_over_entries<kPass, 0>(problem, sums, zeros, prefetch);
    }
}

HWY_INLINE bool stays_in_cache(const RowProblem& problem) {
    return problem.num_entries * problem.dim * sizeof(float) <= kCachedBytes;
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
        pass_over<Pass::kResidualAndDiagonal>(
            problem, {.x = solution, .out = v.residual, .diagonal = v.inverse}, v.zeros, true);
    } else {
        pass_over<Pass::kResidual>(problem, {.x = solution, .out = v.residual}, v.zeros, true);
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
        pass_over<Pass::kProduct>(problem, {.x = v.direction, .out = v.product}, v.zeros,
                                  !stays_in_cache(problem));
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
            prefetch_row(problem, entry + kPrefetchEntries);
            const float* row = table_row(problem, entry);
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
