#pragma once

// The inner loops of training and search, one table of functions for each instruction set, chosen
// once at run time, above the loops. docs/architecture.md says where they are used,
// docs/numerics.md gives the formulas.
//
// Everything is f32. A table gives the same bytes for the same arguments each time; two tables may
// differ by rounding (kernels_test.cpp states the bound of each function). What is computed for one
// row of an argument never depends on how many rows the call has. Infinite and NaN inputs follow
// IEEE arithmetic.
//
// Shapes: "rows" are row-major, `stride` floats apart, stride >= dim. `dim` is any number >= 1
// unless a function says "padded": then dim and strides are multiples of kLanePadding and matrices
// begin at a multiple of 64 bytes. Symmetric matrices [dim x dim] are row-major and only the
// elements [i][j] with j >= i are meaningful (which is the lower triangle, column-major).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"

namespace segue::kernels {

/// Padded dims are multiples of this many floats (64 bytes).
inline constexpr std::size_t kLanePadding = 16;

/// Queries in one block of select_products.
inline constexpr std::size_t kQueryBlock = 64;

/// products[q * product_stride + r] = query q . row r.
struct ProductArguments {
    const float* queries = nullptr;  // [num_queries x dim]
    std::size_t query_stride = 0;
    std::size_t num_queries = 0;
    const float* rows = nullptr;  // [num_rows x dim]
    std::size_t stride = 0;
    std::size_t num_rows = 0;
    std::size_t dim = 0;
    float* products = nullptr;  // [num_queries x num_rows]
    std::size_t product_stride = 0;
};

/// One score that passed the threshold of its query.
struct Hit {
    std::uint32_t query = 0;  // [0, kQueryBlock)
    std::uint32_t row = 0;
    float score = 0;
};

/// A block of kQueryBlock queries against rows; the score of row r is scale[r] * (query . row r) +
/// bias[r].
struct SelectArguments {
    const float* packed_queries = nullptr;  // [dim x kQueryBlock], see pack_queries
    const float* thresholds = nullptr;  // [kQueryBlock] +infinity for a query that wants nothing
    const float* rows = nullptr;        // [num_rows x dim]
    std::size_t stride = 0;
    std::size_t num_rows = 0;
    std::size_t dim = 0;
    std::uint32_t first_row = 0;   // added to the row of every hit
    const float* scale = nullptr;  // [num_rows], or null for 1
    const float* bias = nullptr;   // [num_rows], or null for 0
};

/// One row of a weighted least-squares problem over rows h_k of a table: with c_k = weights[k] and
/// b_k = right_sides[k], the solution w solves (R + sum_k c_k h_k h_k^T) w = sum_k b_k h_k, where
/// the regulariser R is a diagonal or a symmetric matrix given beside it. (b_k = c_k t_k for
/// targets t_k.)
struct RowProblem {
    const float* table = nullptr;            // [.. x dim], padded
    std::size_t stride = 0;                  // multiple of kLanePadding
    std::size_t dim = 0;                     // padded
    const std::uint32_t* columns = nullptr;  // [num_entries] row numbers of the table
    std::size_t num_entries = 0;
    const float* weights = nullptr;      // [num_entries] >= 0, or null: all 1
    const float* right_sides = nullptr;  // [num_entries], or null: the same as the weights
};

/// A row problem with R = scale * values + ridge * I, for values all >= 0, to be solved by
/// conjugate gradients preconditioned by preconditioner_scale * values + ridge * I.
struct PcgProblem {
    RowProblem row;
    const float* values = nullptr;  // [dim]
    float scale = 0;
    float preconditioner_scale = 0;
    float ridge = 0;
    float* solution = nullptr;  // [dim] what to start from, then what was found
};

/// What pcg_rows keeps of a problem from one pass over its entries to the next.
struct PcgState {
    std::size_t next_entry = 0;
    float squared_residual = 0;
    float enough = 0;
    bool active = false;
};

/// Floats of scratch that so many problems need.
constexpr std::size_t pcg_scratch_floats(std::size_t dim, std::size_t num_problems) {
    return (4 * num_problems + 1) * dim;
}

/// Memory that pcg_rows works in; contents do not matter. One a thread.
struct PcgScratch {
    float* vectors = nullptr;    // [pcg_scratch_floats], at a 64-byte aligned address
    PcgState* states = nullptr;  // [num_problems]
};

/// Floats of scratch that cg_row and normal_row need, at a 64-byte aligned address. Contents do not
/// matter; one scratch a thread.
constexpr std::size_t row_scratch_floats(std::size_t dim) {
    return 128 * dim;
}

/// Floats of scratch that rotate needs, at a 64-byte aligned address.
constexpr std::size_t rotate_scratch_floats(std::size_t dim) {
    return 24 * dim;
}

struct CodesKernels;
struct DenseKernels;
struct Int8Kernels;
struct PartitionKernels;

/// Immutable, thread-safe.
struct KernelTable {
    /// "scalar", "avx2", "avx512" or "avx512vnni" (with VBMI and VNNI).
    const char* name;
    /// 4-bit codes and int8 rows of the tree (codes_kernels.h).
    const CodesKernels* codes = nullptr;
    /// Building an index (partition_kernels.h).
    const PartitionKernels* partition = nullptr;
    /// Exact search over int8 rows (int8_kernels.h).
    const Int8Kernels* int8 = nullptr;
    /// Large products of dense matrices, sums of rows (dense_kernels.h).
    const DenseKernels* dense = nullptr;

    float (*dot)(const float* left, const float* right, std::size_t n);
    float (*squared_distance)(const float* left, const float* right, std::size_t n);
    /// Sum of squares in double. The same bytes by every table: squares of floats are exact in
    /// double, and are added up in eight sums side by side, element i in sum i % 8, which come
    /// together as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)).
    double (*sum_of_squares)(const float* x, std::size_t n);
    /// y += alpha * x
    void (*axpy)(float alpha, const float* x, float* y, std::size_t n);
    /// x *= alpha
    void (*scale)(float alpha, float* x, std::size_t n);

    /// out[r] = query . row r; reads memory at its full rate.
    void (*dot_many)(const float* query, const float* rows, std::size_t stride,
                     std::size_t num_rows, std::size_t dim, float* out);
    /// out[r] = row r . row r
    void (*squared_norms)(const float* rows, std::size_t stride, std::size_t num_rows,
                          std::size_t dim, float* out);
    void (*multiply_transposed)(const ProductArguments& arguments);

    /// Writes the indices of scores above `threshold`, ascending, and returns how many there are.
    /// NaN is above nothing. `out` has room for n + kLanePadding.
    std::size_t (*select_above)(const float* scores, std::size_t n, float threshold,
                                std::uint32_t* out);
    /// Writes the hits above their query's threshold, for each query in ascending order of rows,
    /// and returns how many there are. `out` has room for kQueryBlock * num_rows.
    std::size_t (*select_products)(const SelectArguments& arguments, Hit* out);

    /// gram += sum_r row_r^T row_r. Padded; gram [dim x dim] symmetric.
    void (*rank_update)(const float* rows, std::size_t stride, std::size_t num_rows,
                        std::size_t dim, float* gram);
    /// matrix [dim x dim] symmetric becomes its Cholesky factor, fit for cholesky_solve only.
    /// Padded. Returns false, and leaves rubbish, if it is not positive definite.
    bool (*cholesky_factor)(float* matrix, std::size_t dim);
    /// x [dim] := matrix^-1 x. Padded.
    void (*cholesky_solve)(const float* factor, std::size_t dim, float* x);
    /// rows := rows * rotation, in place; rotation [dim x dim] row-major. Padded.
    void (*rotate)(float* rows, std::size_t stride, std::size_t num_rows, std::size_t dim,
                   const float* rotation, float* scratch);

    /// At most num_steps steps of preconditioned conjugate gradients. Stops early when the squared
    /// residual has fallen by 1e-12 or curvature is not positive. Scratch: [pcg_scratch_floats of
    /// 1].
    void (*pcg_row)(const PcgProblem& problem, unsigned num_steps, float* scratch);
    /// The same bytes for each of the problems, which share a table and a dim, going step by step
    /// together over one block of the table after the other: what they share of it is read from
    /// memory once. Quick only where columns ascend.
    void (*pcg_rows)(std::span<const PcgProblem> problems, unsigned num_steps,
                     const PcgScratch& scratch);
    /// pcg_row without a preconditioner, for R = gram + ridge * I, with the full gram [dim x dim]
    /// (both triangles). Scratch: [row_scratch_floats].
    void (*cg_row)(const RowProblem& problem, const float* gram, float ridge, unsigned num_steps,
                   float* solution, float* scratch);
    /// matrix [dim x dim] += sum_k c_k h_k h_k^T (symmetric) and right_side [dim] += sum_k b_k h_k.
    void (*normal_row)(const RowProblem& problem, float* matrix, float* right_side, float* scratch);
};

/// The table that SEGUE_KERNELS names, or the fastest this machine has where it is unset, unknown
/// or not supported here. The choice is made once.
const KernelTable& active_kernels();

/// Returns an error if: the name is unknown, or this machine cannot run that table.
Result<const KernelTable*> kernels_by_name(std::string_view name);

/// The tables this machine can run, slowest first; "scalar" is always the first.
std::span<const KernelTable* const> supported_kernels();

/// Transposes `num_queries` <= kQueryBlock rows into packed [dim x kQueryBlock], zeros behind the
/// last query.
void pack_queries(const float* queries, std::size_t query_stride, std::size_t num_queries,
                  std::size_t dim, float* packed);

}  // namespace segue::kernels
