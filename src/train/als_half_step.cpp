#include "train/als_half_step.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/kernels.h"
#include "linalg/gram.h"

namespace segue {

namespace {

using kernels::KernelTable;
using kernels::PcgProblem;
using kernels::RowProblem;

/// Rows one worker takes at a time; any number gives the same factors.
constexpr std::size_t kRowsPerChunk = 16;

/// Steps of conjugate gradients where the caller asks for no number in particular.
constexpr unsigned kDefaultSteps = 3;

/// Rows solved together: their working vectors still fit a second level of cache beside a block of
/// the table.
constexpr std::size_t kRowsPerGroup = 256;

/// Each row of the table must be of use to so many rows of a group, or sharing it does not pay
/// (measured at dims 64, 128 and 256).
constexpr std::size_t kUsesPerGroup = 4;

/// The entries of rows up to this size stay in cache between the passes of a solver.
constexpr std::size_t kCachedBytes = std::size_t{512} * 1024;

unsigned steps_of(const AlsParams& params) {
    return params.solver_steps != 0 ? params.solver_steps : kDefaultSteps;
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

/// Whether a row of so many entries is solved together with others of its like.
bool is_long(std::size_t num_entries, const Matrix& others) {
    return num_entries * others.stride() * sizeof(float) > kCachedBytes &&
           num_entries * kRowsPerGroup >= kUsesPerGroup * others.num_rows();
}

/// The long rows, in groups of about equal work: in order of length they are dealt out in turn. How
/// they are grouped changes no byte of a solution.
std::vector<std::vector<std::uint32_t>> groups_of_long_rows(const AlsSide& side,
                                                            const Matrix& others,
                                                            std::size_t num_threads) {
    const SparseView view = side.matrix.view();
    std::vector<std::uint32_t> rows;
    for (std::size_t row = 0; row < view.num_rows; ++row) {
        if (is_long(view.row_size(row), others)) {
            rows.push_back(static_cast<std::uint32_t>(row));
        }
    }
    std::ranges::stable_sort(rows, std::ranges::greater(),
                             [&](std::uint32_t row) { return view.row_size(row); });
    const std::size_t per_round = num_threads * kRowsPerGroup;
    const std::size_t num_rounds = (rows.size() + per_round - 1) / per_round;
    std::vector<std::vector<std::uint32_t>> groups(std::min(rows.size(), num_rounds * num_threads));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        groups[i % groups.size()].push_back(rows[i]);
    }
    return groups;
}

void solve_group(std::span<const PcgProblem> problems, unsigned num_steps) {
    AlignedBuffer<float> vectors(
        kernels::pcg_scratch_floats(problems.front().row.dim, problems.size()));
    std::vector<kernels::PcgState> states(problems.size());
    kernels::active_kernels().pcg_rows(problems, num_steps, {vectors.data(), states.data()});
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
    const auto weight = static_cast<float>(global_weight(params));
    const float share = 1 / static_cast<float>(others.num_rows());
    const unsigned num_steps = steps_of(params);
    const auto pcg_problem = [&](std::size_t row, const RowProblem& problem) {
        return PcgProblem{.row = problem,
                          .values = basis->values.data(),
                          .scale = weight,
                          .preconditioner_scale = weight + side.masses[row] * share,
                          .ridge = side.ridges[row],
                          .solution = factors.row(row).data()};
    };
    const auto groups = groups_of_long_rows(side, others, pool.num_threads());
    pool.for_each(groups.size(), [&](std::size_t group, unsigned /*worker*/) {
        std::vector<PcgProblem> problems;
        for (const std::uint32_t row : groups[group]) {
            problems.push_back(pcg_problem(row, problem_of(side, others, row)));
        }
        solve_group(problems, num_steps);
    });
    const KernelTable& kernel = kernels::active_kernels();
    for_each_row(side, factors, others, pool,
                 [&](std::size_t row, const RowProblem& problem, Workspace& workspace) {
                     if (!is_long(problem.num_entries, others)) {
                         kernel.pcg_row(pcg_problem(row, problem), num_steps,
                                        workspace.kernel.data());
                     }
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
    for_each_row(side, factors, others, pool,
                 [&](std::size_t row, const RowProblem& problem, Workspace& workspace) {
                     kernel.cg_row(problem, global.data(), side.ridges[row], steps_of(params),
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
