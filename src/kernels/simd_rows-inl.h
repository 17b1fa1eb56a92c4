// Row problems of alternating least squares: conjugate gradients and normal equations. Compiled
// once for each target.

#include <cmath>

#include "kernels/kernels.h"
#include "kernels/simd_entries-inl.h"
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

/// Rows of one problem larger than this are not in the second level of cache when the next pass
/// comes.
inline constexpr std::size_t kCachedBytes = 512 * 1024;

/// Bytes of the table that problems solved together share at a time: a quarter of a second level of
/// cache, the next block being on its way into it meanwhile.
inline constexpr std::size_t kBlockBytes = 256 * 1024;

/// R = scale * values + ridge * I, preconditioned by its like.
struct DiagonalRegulariser {
    const PcgProblem& problem;

    HWY_INLINE Vector at(float scale, std::size_t i) const {
        return hn::MulAdd(broadcast(scale), load(problem.values + i), broadcast(problem.ridge));
    }
    HWY_INLINE void multiply(const float* x, std::size_t dim, float* out) const {
        for (std::size_t i = 0; i < dim; i += kLanes) {
            store(hn::Mul(at(problem.scale, i), load(x + i)), out + i);
        }
    }
    /// Where R is zero there is nothing to divide by; residuals are zero there, and stay so.
    HWY_INLINE void invert(std::size_t dim, float* inverse) const {
        const Vector least = broadcast(1e-20F);
        for (std::size_t i = 0; i < dim; i += kLanes) {
            const Vector diagonal = hn::Max(at(problem.preconditioner_scale, i), least);
            store(hn::Div(broadcast(1), diagonal), inverse + i);
        }
    }
};

/// R = gram + ridge * I, without a preconditioner.
struct GramRegulariser {
    const float* gram;
    float ridge;

    HWY_INLINE void multiply(const float* x, std::size_t dim, float* out) const {
        dot_many(x, gram, dim, dim, dim, out);
        axpy_padded(ridge, x, out, dim);
    }
    HWY_INLINE void invert(std::size_t dim, float* inverse) const {
        for (std::size_t i = 0; i < dim; i += kLanes) {
            store(broadcast(1), inverse + i);
        }
    }
};

/// The working vectors of one problem, [dim] each, in the caller's scratch.
struct RowVectors {
    float* residual;
    float* direction;
    float* product;
    float* inverse;  // of the preconditioner

    RowVectors(float* scratch, std::size_t dim)
        : residual(scratch),
          direction(scratch + dim),
          product(scratch + 2 * dim),
          inverse(scratch + 3 * dim) {}
};

/// Sum of inverse * residual^2.
HWY_INLINE float squared_residual(const RowVectors& v, std::size_t dim) {
    Vector sum = zero();
    for (std::size_t i = 0; i < dim; i += kLanes) {
        const Vector residual = load(v.residual + i);
        sum = hn::MulAdd(hn::Mul(load(v.inverse + i), residual), residual, sum);
    }
    return sum_of(sum);
}

/// direction := inverse * residual + keep * direction
HWY_INLINE void turn_direction(const RowVectors& v, float keep, std::size_t dim) {
    const Vector factor = broadcast(keep);
    for (std::size_t i = 0; i < dim; i += kLanes) {
        const Vector steepest = hn::Mul(load(v.inverse + i), load(v.residual + i));
        store(hn::MulAdd(factor, load(v.direction + i), steepest), v.direction + i);
    }
}

/// One problem on its way: what comes before and after each pass over its entries.
template <typename Regulariser>
struct RowSolver {
    const RowProblem& problem;
    Regulariser regulariser;
    float* solution;
    RowVectors v;
    PcgState& state;

    HWY_INLINE void before_residual() const {
        const std::size_t dim = problem.dim;
        regulariser.multiply(solution, dim, v.residual);
        regulariser.invert(dim, v.inverse);
        for (std::size_t i = 0; i < dim; i += kLanes) {
            store(hn::Neg(load(v.residual + i)), v.residual + i);
            store(zero(), v.direction + i);
        }
    }
    HWY_INLINE void after_residual() const {
        turn_direction(v, 0, problem.dim);
        state.squared_residual = squared_residual(v, problem.dim);
        state.enough = state.squared_residual * 1e-12F;
        state.active = state.squared_residual > state.enough;
    }
    HWY_INLINE void before_product() const {
        regulariser.multiply(v.direction, problem.dim, v.product);
    }
    HWY_INLINE void after_product(bool last) const {
        const std::size_t dim = problem.dim;
        const float curvature = dot(v.direction, v.product, dim);
        if (!(curvature > 0)) {
            state.active = false;
            return;
        }
        const float length = state.squared_residual / curvature;
        axpy_padded(length, v.direction, solution, dim);
        if (last) {
            return;
        }
        axpy_padded(-length, v.product, v.residual, dim);
        const float squared = squared_residual(v, dim);
        turn_direction(v, squared / state.squared_residual, dim);
        state.squared_residual = squared;
        state.active = squared > state.enough;
    }
    template <Pass kPass>
    HWY_INLINE void pass(const EntryRange& range, const float* zeros) const {
        if constexpr (kPass == Pass::kResidual) {
            pass_over<kPass>(problem, range, {.x = solution, .out = v.residual, .zeros = zeros});
        } else {
            pass_over<kPass>(problem, range, {.x = v.direction, .out = v.product, .zeros = zeros});
        }
    }
};

/// All steps of one problem; its rows come from memory entry by entry.
template <typename Regulariser>
HWY_INLINE void solve_alone(const RowSolver<Regulariser>& solver, unsigned num_steps,
                            const float* zeros) {
    const RowProblem& problem = solver.problem;
    const bool stays_in_cache = problem.num_entries * problem.dim * sizeof(float) <= kCachedBytes;
    solver.before_residual();
    solver.template pass<Pass::kResidual>({0, problem.num_entries, true}, zeros);
    solver.after_residual();
    for (unsigned step = 0; step < num_steps && solver.state.active; ++step) {
        solver.before_product();
        solver.template pass<Pass::kProduct>({0, problem.num_entries, !stays_in_cache}, zeros);
        solver.after_product(step + 1 == num_steps);
    }
}

/// Problems that go step by step together. Their scratch begins with the zeros of all.
struct PcgGroup {
    std::span<const PcgProblem> problems;
    PcgScratch scratch;

    HWY_INLINE std::size_t dim() const { return problems[0].row.dim; }
    HWY_INLINE PcgState& state(std::size_t index) const { return scratch.states[index]; }
    HWY_INLINE void fill_zeros() const {
        for (std::size_t i = 0; i < dim(); i += kLanes) {
            store(zero(), scratch.vectors + i);
        }
    }
    HWY_INLINE RowSolver<DiagonalRegulariser> solver(std::size_t index) const {
        const PcgProblem& problem = problems[index];
        return {problem.row,
                {problem},
                problem.solution,
                RowVectors(scratch.vectors + (4 * index + 1) * dim(), dim()),
                state(index)};
    }
    /// Behind the last row of the table that any entry names, where columns ascend.
    HWY_INLINE std::size_t end_of_table() const {
        std::size_t end = 0;
        for (const PcgProblem& problem : problems) {
            const RowProblem& row = problem.row;
            if (row.num_entries != 0 && row.columns[row.num_entries - 1] >= end) {
                end = row.columns[row.num_entries - 1] + std::size_t{1};
            }
        }
        return end;
    }
};

/// The end of the entries from `begin` on whose tile begins before row `limit` of the table.
HWY_INLINE std::size_t end_of_block(const RowProblem& problem, std::size_t begin,
                                    std::size_t limit) {
    std::size_t end = begin;
    while (end < problem.num_entries && problem.columns[end] < limit) {
        end += kEntryTile;
    }
    return end < problem.num_entries ? end : problem.num_entries;
}

/// One pass over the entries of all active problems, block by block of the table. While the
/// problems take their turns each asks for its share of the next block.
template <Pass kPass>
HWY_INLINE void pass_together(const PcgGroup& group, std::size_t end_of_table) {
    const std::size_t size = group.problems.size();
    const std::size_t stride = group.problems[0].row.stride;
    const std::size_t block_rows = kBlockBytes / (stride * sizeof(float)) + 1;
    const std::size_t share_lines = block_rows * stride / size / kCacheLineFloats + 1;
    for (std::size_t index = 0; index < size; ++index) {
        group.state(index).next_entry = 0;
    }
    for (std::size_t first = 0; first < end_of_table; first += block_rows) {
        const std::size_t limit = first + block_rows;
        const bool last = limit >= end_of_table;
        const float* ahead = group.problems[0].row.table + limit * stride;
        for (std::size_t index = 0; index < size; ++index) {
            for (std::size_t line = 0; !last && line < share_lines; ++line) {
                prefetch_far(ahead);
                ahead += kCacheLineFloats;
            }
            PcgState& state = group.state(index);
            const RowProblem& problem = group.problems[index].row;
            const std::size_t end =
                last ? problem.num_entries : end_of_block(problem, state.next_entry, limit);
            if (state.active && end > state.next_entry) {
                group.solver(index).template pass<kPass>({state.next_entry, end, false},
                                                         group.scratch.vectors);
                state.next_entry = end;
            }
        }
    }
}

inline void solve_together(const PcgGroup& group, unsigned num_steps) {
    const std::size_t size = group.problems.size();
    const std::size_t end_of_table = group.end_of_table();
    for (std::size_t index = 0; index < size; ++index) {
        group.state(index).active = true;
        group.solver(index).before_residual();
    }
    pass_together<Pass::kResidual>(group, end_of_table);
    for (std::size_t index = 0; index < size; ++index) {
        group.solver(index).after_residual();
    }
    for (unsigned step = 0; step < num_steps; ++step) {
        for (std::size_t index = 0; index < size; ++index) {
            if (group.state(index).active) {
                group.solver(index).before_product();
            }
        }
        pass_together<Pass::kProduct>(group, end_of_table);
        for (std::size_t index = 0; index < size; ++index) {
            if (group.state(index).active) {
                group.solver(index).after_product(step + 1 == num_steps);
            }
        }
    }
}

inline void pcg_row(const PcgProblem& problem, unsigned num_steps, float* scratch) {
    PcgState state;
    const PcgGroup alone = {{&problem, 1}, {scratch, &state}};
    alone.fill_zeros();
    solve_alone(alone.solver(0), num_steps, scratch);
}

inline void pcg_rows(std::span<const PcgProblem> problems, unsigned num_steps,
                     const PcgScratch& scratch) {
    if (!problems.empty()) {
        const PcgGroup group = {problems, scratch};
        group.fill_zeros();
        solve_together(group, num_steps);
    }
}

inline void cg_row(const RowProblem& problem, const float* gram, float ridge, unsigned num_steps,
                   float* solution, float* scratch) {
    const std::size_t dim = problem.dim;
    for (std::size_t i = 0; i < dim; i += kLanes) {
        store(zero(), scratch + i);
    }
    PcgState state;
    const RowSolver<GramRegulariser> solver = {
        problem, {gram, ridge}, solution, RowVectors(scratch + dim, dim), state};
    solve_alone(solver, num_steps, scratch);
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
