#include "train/als_half_step.h"

#include <algorithm>
#include <atomic>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/kernels.h"
#include "linalg/gram.h"

namespace segue {

namespace {

using kernels::KernelTable;
using kernels::RowProblem;

/// Rows one worker takes at a time; any number gives the same factors.
constexpr std::size_t kRowsPerChunk = 16;

/// From this size on the diagonal preconditioner is worth its pass (measured: reference figures in
/// docs/numerics.md), and one step fewer suffices.
constexpr std::size_t kJacobiFromDim = 96;

kernels::CgOptions steps_for(const AlsParams& params) {
    const bool large = params.dim >= kJacobiFromDim;
    kernels::CgOptions options;
    options.jacobi = params.solver == AlsSolver::kEigenPcg && large;
    options.num_steps = params.solver_steps != 0 ? params.solver_steps : 3;
    return options;
}

RowProblem problem_of(const AlsSide& side, const Matrix& others, std::size_t row) {
    const std::uint64_t begin = side.matrix.offsets[row];
    RowProblem problem;
    problem.table = others.data();
    problem.stride = others.stride();
    problem.dim = others.stride();
    problem.columns = side.matrix.columns.data() + begin;
    problem.num_entries = static_cast<std::size_t>(side.matrix.offsets[row + 1] - begin);
    problem.weights = side.weights.empty() ? nullptr : side.weights.data() + begin;
    problem.right_sides = side.targets.empty() ? nullptr : side.targets.data() + begin;
    return problem;
}

/// Scratch of one worker.
struct Workspace {
    explicit Workspace(std::size_t padded)
        : kernel(kernels::row_scratch_floats(padded)), diagonal(padded), matrix(padded * padded) {}
    AlignedBuffer<float> kernel;
    AlignedBuffer<float> diagonal;
    AlignedBuffer<float> matrix;
};

/// Calls solve(row, problem, workspace) for each row with entries; rows without become zero, their
/// exact solution.
template <typename Solve>
void for_each_row(const AlsSide& side, Matrix& factors, const Matrix& others, ThreadPool& pool,
                  const Solve& solve) {
    std::vector<Workspace> workspaces;
    workspaces.reserve(pool.num_threads());
    for (unsigned worker = 0; worker < pool.num_threads(); ++worker) {
        workspaces.emplace_back(factors.stride());
    }
    const Chunks chunks{side.matrix.num_rows, kRowsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        for (std::size_t row = chunks.begin(chunk); row < chunks.end(chunk); ++row) {
            const RowProblem problem = problem_of(side, others, row);
            if (problem.num_entries == 0) {
                std::ranges::fill(factors.row(row), 0.0f);
            } else {
                solve(row, problem, workspaces[worker]);
            }
        }
    });
}

Status solve_by_eigenbasis(const AlsSide& side, const AlsParams& params, Matrix& factors,
                           Matrix& others, ThreadPool& pool) {
    const Result<Eigenbasis> basis =
        symmetric_eigenbasis(gram_matrix(others.view(), pool), others.dim());
    if (!basis.ok()) {
        return basis.status();
    }
    rotate_rows(others, *basis, pool);
    rotate_rows(factors, *basis, pool);
    const KernelTable& kernel = kernels::active_kernels();
    const kernels::CgOptions options = steps_for(params);
    const auto weight = static_cast<float>(global_weight(params));
    for_each_row(side, factors, others, pool,
                 [&](std::size_t row, const RowProblem& problem, Workspace& workspace) {
                     const float ridge = side.ridges[row];
                     for (std::size_t i = 0; i < problem.dim; ++i) {
                         workspace.diagonal[i] = weight * basis->values[i] + ridge;
                     }
                     // Behind dim all is zero; 1 keeps the preconditioner finite there.
                     for (std::size_t i = 0; i < problem.dim; ++i) {
                         if (i >= others.dim() || !(workspace.diagonal[i] > 0)) {
                             workspace.diagonal[i] = i >= others.dim() ? 1.0f : 1e-20f;
                         }
                     }
                     kernel.pcg_row(problem, workspace.diagonal.data(), options,
                                    factors.row(row).data(), workspace.kernel.data());
                 });
    return Status();
}

Status solve_by_cholesky(const AlsSide& side, const AlsParams& params, Matrix& factors,
                         Matrix& others, ThreadPool& pool) {
    const KernelTable& kernel = kernels::active_kernels();
    Matrix global = gram_matrix(others.view(), pool);
    kernel.scale(static_cast<float>(global_weight(params)), global.data(),
                 global.num_rows() * global.stride());
    std::atomic<bool> definite = true;
    for_each_row(side, factors, others, pool,
                 [&](std::size_t row, const RowProblem& problem, Workspace& workspace) {
                     const std::size_t dim = problem.dim;
                     std::copy_n(global.data(), dim * dim, workspace.matrix.data());
                     for (std::size_t i = 0; i < dim; ++i) {
                         workspace.matrix[i * dim + i] +=
                             i < others.dim() ? side.ridges[row] : 1.0f;
                     }
                     std::fill_n(workspace.diagonal.data(), dim, 0.0f);
                     kernel.normal_row(problem, workspace.matrix.data(), workspace.diagonal.data(),
                                       workspace.kernel.data());
                     if (!kernel.cholesky_factor(workspace.matrix.data(), dim)) {
                         definite = false;
                         return;
                     }
                     kernel.cholesky_solve(workspace.matrix.data(), dim, workspace.diagonal.data());
                     std::copy_n(workspace.diagonal.data(), others.dim(), factors.row(row).data());
                 });
    if (!definite) {
        return invalid_argument(
            "a row of the factorisation has no unique solution; raise the regularisation");
    }
    return Status();
}

Status solve_by_cg(const AlsSide& side, const AlsParams& params, Matrix& factors, Matrix& others,
                   ThreadPool& pool) {
    const KernelTable& kernel = kernels::active_kernels();
    Matrix global = gram_matrix(others.view(), pool);
    kernel.scale(static_cast<float>(global_weight(params)), global.data(),
                 global.num_rows() * global.stride());
    const kernels::CgOptions options = steps_for(params);
    for_each_row(side, factors, others, pool,
                 [&](std::size_t row, const RowProblem& problem, Workspace& workspace) {
                     kernel.cg_row(problem, global.data(), side.ridges[row], options,
                                   factors.row(row).data(), workspace.kernel.data());
                 });
    return Status();
}

}  // namespace

Status als_half_step(const AlsSide& side, const AlsParams& params, Matrix& factors, Matrix& others,
                     ThreadPool& pool) {
    switch (params.solver) {
        case AlsSolver::kEigenPcg:
            return solve_by_eigenbasis(side, params, factors, others, pool);
        case AlsSolver::kCholesky:
            return solve_by_cholesky(side, params, factors, others, pool);
        case AlsSolver::kCg:
            return solve_by_cg(side, params, factors, others, pool);
    }
    return internal_error("unknown solver");
}

}  // namespace segue
