// Plain loops, written to be read: the oracle of the tests and the table of machines without AVX2.

#include <cmath>
#include <cstring>

#include "kernels/table_of_targets.h"

namespace segue::kernels {
namespace {

float dot(const float* left, const float* right, std::size_t n) {
    float sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        sum += left[i] * right[i];
    }
    return sum;
}

float squared_distance(const float* left, const float* right, std::size_t n) {
    float sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const float difference = left[i] - right[i];
        sum += difference * difference;
    }
    return sum;
}

double sum_of_squares(const float* x, std::size_t n) {
    double sums[8] = {};
    for (std::size_t i = 0; i < n; ++i) {
        const auto value = static_cast<double>(x[i]);
        sums[i % 8] += value * value;
    }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

void axpy(float alpha, const float* x, float* y, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        y[i] += alpha * x[i];
    }
}

void scale(float alpha, float* x, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        x[i] *= alpha;
    }
}

void dot_many(const float* query, const float* rows, std::size_t stride, std::size_t num_rows,
              std::size_t dim, float* out) {
    for (std::size_t row = 0; row < num_rows; ++row) {
        out[row] = dot(query, rows + row * stride, dim);
    }
}

void squared_norms(const float* rows, std::size_t stride, std::size_t num_rows, std::size_t dim,
                   float* out) {
    for (std::size_t row = 0; row < num_rows; ++row) {
        out[row] = dot(rows + row * stride, rows + row * stride, dim);
    }
}

void multiply_transposed(const ProductArguments& a) {
    for (std::size_t query = 0; query < a.num_queries; ++query) {
        dot_many(a.queries + query * a.query_stride, a.rows, a.stride, a.num_rows, a.dim,
                 a.products + query * a.product_stride);
    }
}

std::size_t select_above(const float* scores, std::size_t n, float threshold, std::uint32_t* out) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (scores[i] > threshold) {
            out[count++] = static_cast<std::uint32_t>(i);
        }
    }
    return count;
}

std::size_t select_products(const SelectArguments& a, Hit* out) {
    std::size_t count = 0;
    for (std::size_t row = 0; row < a.num_rows; ++row) {
        float products[kQueryBlock] = {};
        for (std::size_t i = 0; i < a.dim; ++i) {
            axpy(a.rows[row * a.stride + i], a.packed_queries + i * kQueryBlock, products,
                 kQueryBlock);
        }
        const float factor = a.scale != nullptr ? a.scale[row] : 1;
        const float offset = a.bias != nullptr ? a.bias[row] : 0;
        for (std::size_t query = 0; query < kQueryBlock; ++query) {
            const float score = factor * products[query] + offset;
            if (score > a.thresholds[query]) {
                out[count++] = {static_cast<std::uint32_t>(query),
                                a.first_row + static_cast<std::uint32_t>(row), score};
            }
        }
    }
    return count;
}

void rank_update(const float* rows, std::size_t stride, std::size_t num_rows, std::size_t dim,
                 float* gram) {
    for (std::size_t row = 0; row < num_rows; ++row) {
        const float* x = rows + row * stride;
        for (std::size_t i = 0; i < dim; ++i) {
            axpy(x[i], x + i, gram + i * dim + i, dim - i);
        }
    }
}

bool cholesky_factor(float* matrix, std::size_t dim) {
    for (std::size_t i = 0; i < dim; ++i) {
        float* row = matrix + i * dim;
        if (!(row[i] > 0) || std::isinf(row[i])) {
            return false;
        }
        scale(1 / std::sqrt(row[i]), row + i, dim - i);
        for (std::size_t below = i + 1; below < dim; ++below) {
            axpy(-row[below], row + below, matrix + below * dim + below, dim - below);
        }
    }
    return true;
}

void cholesky_solve(const float* factor, std::size_t dim, float* x) {
    for (std::size_t i = 0; i < dim; ++i) {
        const float* row = factor + i * dim;
        x[i] /= row[i];
        axpy(-x[i], row + i + 1, x + i + 1, dim - i - 1);
    }
    for (std::size_t i = dim; i-- > 0;) {
        const float* row = factor + i * dim;
        x[i] = (x[i] - dot(row + i + 1, x + i + 1, dim - i - 1)) / row[i];
    }
}

void rotate(float* rows, std::size_t stride, std::size_t num_rows, std::size_t dim,
            const float* rotation, float* scratch) {
    for (std::size_t row = 0; row < num_rows; ++row) {
        float* x = rows + row * stride;
        std::memcpy(scratch, x, dim * sizeof(float));
        std::memset(x, 0, dim * sizeof(float));
        for (std::size_t i = 0; i < dim; ++i) {
            axpy(scratch[i], rotation + i * dim, x, dim);
        }
    }
}

float weight_of(const RowProblem& problem, std::size_t entry) {
    return problem.weights != nullptr ? problem.weights[entry] : 1;
}

float right_side_of(const RowProblem& problem, std::size_t entry) {
    return problem.right_sides != nullptr ? problem.right_sides[entry] : weight_of(problem, entry);
}

const float* table_row(const RowProblem& problem, std::size_t entry) {
    return problem.table + problem.columns[entry] * problem.stride;
}

/// The regulariser R of a row problem: scale * values + ridge, or gram + ridge * I.
struct Regulariser {
    const float* values = nullptr;
    float scale = 0;
    const float* gram = nullptr;
    float ridge = 0;

    void multiply(const float* x, std::size_t dim, float* out) const {
        for (std::size_t i = 0; i < dim; ++i) {
            const float own =
                gram != nullptr ? dot(gram + i * dim, x, dim) : scale * values[i] * x[i];
            out[i] = own + ridge * x[i];
        }
    }
};

/// out := (R + sum_k c_k h_k h_k^T) x
void multiply_normal(const RowProblem& problem, const Regulariser& regulariser, const float* x,
                     float* out) {
    regulariser.multiply(x, problem.dim, out);
    for (std::size_t entry = 0; entry < problem.num_entries; ++entry) {
        const float* row = table_row(problem, entry);
        axpy(weight_of(problem, entry) * dot(row, x, problem.dim), row, out, problem.dim);
    }
}

/// Conjugate gradients with a given inverse of the diagonal preconditioner, in scratch [3 x dim].
void solve_row(const RowProblem& problem, const Regulariser& regulariser, unsigned num_steps,
               float* solution, const float* inverse, float* scratch) {
    const std::size_t dim = problem.dim;
    float* residual = scratch;
    float* direction = scratch + dim;
    float* product = scratch + 2 * dim;
    multiply_normal(problem, regulariser, solution, residual);
    scale(-1, residual, dim);
    for (std::size_t entry = 0; entry < problem.num_entries; ++entry) {
        axpy(right_side_of(problem, entry), table_row(problem, entry), residual, dim);
    }
    float squared = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        direction[i] = inverse[i] * residual[i];
        squared += direction[i] * residual[i];
    }
    const float enough = squared * 1e-12F;
    for (unsigned step = 0; step < num_steps && squared > enough; ++step) {
        multiply_normal(problem, regulariser, direction, product);
        const float curvature = dot(direction, product, dim);
        if (!(curvature > 0)) {
            break;
        }
        axpy(squared / curvature, direction, solution, dim);
        axpy(-squared / curvature, product, residual, dim);
        float next_squared = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            next_squared += residual[i] * inverse[i] * residual[i];
        }
        const float keep = next_squared / squared;
        for (std::size_t i = 0; i < dim; ++i) {
            direction[i] = inverse[i] * residual[i] + keep * direction[i];
        }
        squared = next_squared;
    }
}

void pcg_row(const PcgProblem& problem, unsigned num_steps, float* scratch) {
    const std::size_t dim = problem.row.dim;
    for (std::size_t i = 0; i < dim; ++i) {
        const float diagonal = problem.preconditioner_scale * problem.values[i] + problem.ridge;
        scratch[i] = 1 / std::fmax(diagonal, 1e-20F);
    }
    solve_row(problem.row,
              {.values = problem.values, .scale = problem.scale, .ridge = problem.ridge}, num_steps,
              problem.solution, scratch, scratch + dim);
}

void pcg_rows(std::span<const PcgProblem> problems, unsigned num_steps, const PcgScratch& scratch) {
    for (const PcgProblem& problem : problems) {
        pcg_row(problem, num_steps, scratch.vectors);
    }
}

void cg_row(const RowProblem& problem, const float* gram, float ridge, unsigned num_steps,
            float* solution, float* scratch) {
    for (std::size_t i = 0; i < problem.dim; ++i) {
        scratch[i] = 1;
    }
    solve_row(problem, {.gram = gram, .ridge = ridge}, num_steps, solution, scratch,
              scratch + problem.dim);
}

void normal_row(const RowProblem& problem, float* matrix, float* right_side, float* /*scratch*/) {
    const std::size_t dim = problem.dim;
    for (std::size_t entry = 0; entry < problem.num_entries; ++entry) {
        const float* row = table_row(problem, entry);
        for (std::size_t i = 0; i < dim; ++i) {
            axpy(weight_of(problem, entry) * row[i], row + i, matrix + i * dim + i, dim - i);
        }
        axpy(right_side_of(problem, entry), row, right_side, dim);
    }
}

}  // namespace

const KernelTable& scalar_table() {
    static constexpr KernelTable kTable = {
        .name = "scalar",
        .dot = dot,
        .squared_distance = squared_distance,
        .sum_of_squares = sum_of_squares,
        .axpy = axpy,
        .scale = scale,
        .dot_many = dot_many,
        .squared_norms = squared_norms,
        .multiply_transposed = multiply_transposed,
        .select_above = select_above,
        .select_products = select_products,
        .rank_update = rank_update,
        .cholesky_factor = cholesky_factor,
        .cholesky_solve = cholesky_solve,
        .rotate = rotate,
        .pcg_row = pcg_row,
        .pcg_rows = pcg_rows,
        .cg_row = cg_row,
        .normal_row = normal_row,
    };
    return kTable;
}

}  // namespace segue::kernels
