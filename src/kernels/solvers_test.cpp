// The dense and the row solvers of every table against double precision.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/test_support.h"

namespace segue::kernels {
namespace {

const std::vector<std::size_t> kDims = {16, 32, 48, 64, 80, 112, 128, 192, 256};

using Doubles = std::vector<double>;

double& at(Doubles& matrix, std::size_t dim, std::size_t i, std::size_t j) {
    return matrix[i * dim + j];
}

/// x with matrix x = right_side, by Cholesky in double precision.
Doubles solve_dense(Doubles matrix, Doubles x) {
    const std::size_t dim = x.size();
    for (std::size_t j = 0; j < dim; ++j) {
        for (std::size_t i = j; i < dim; ++i) {
            for (std::size_t k = 0; k < j; ++k) {
                at(matrix, dim, i, j) -= at(matrix, dim, i, k) * at(matrix, dim, j, k);
            }
            at(matrix, dim, i, j) = i == j ? std::sqrt(at(matrix, dim, j, j))
                                           : at(matrix, dim, i, j) / at(matrix, dim, j, j);
        }
        for (std::size_t k = 0; k < j; ++k) {
            x[j] -= at(matrix, dim, j, k) * x[k];
        }
        x[j] /= at(matrix, dim, j, j);
    }
    for (std::size_t j = dim; j-- > 0;) {
        for (std::size_t i = j + 1; i < dim; ++i) {
            x[j] -= at(matrix, dim, i, j) * x[i];
        }
        x[j] /= at(matrix, dim, j, j);
    }
    return x;
}

/// A random row problem over a table of 300 rows.
struct ProblemFixture {
    AlignedBuffer<float> table;
    std::vector<std::uint32_t> columns;
    std::vector<float> weights;
    std::vector<float> right_sides;
    AlignedBuffer<float> values;
    AlignedBuffer<float> scratch;
    RowProblem problem;

    ProblemFixture(std::size_t dim, std::size_t num_entries, bool weighted)
        : table(random_floats(300 * dim, dim)),
          values(random_floats(dim, dim + 1)),
          scratch(row_scratch_floats(dim)) {
        Random random(num_entries);
        for (std::size_t k = 0; k < num_entries; ++k) {
            columns.push_back(static_cast<std::uint32_t>(random.below(300)));
            weights.push_back(static_cast<float>(random.uniform() * 3));
            right_sides.push_back(k % 3 == 0 ? 0 : weights.back() + 1);
        }
        for (float& value : values.span()) {
            value *= value;
        }
        problem = {.table = table.data(),
                   .stride = dim,
                   .dim = dim,
                   .columns = columns.data(),
                   .num_entries = num_entries,
                   .weights = weighted ? weights.data() : nullptr,
                   .right_sides = weighted ? right_sides.data() : nullptr};
    }

    /// R: 2 * values + 5.
    PcgProblem pcg_problem(AlignedBuffer<float>& solution) const {
        return {.row = problem,
                .values = values.data(),
                .scale = 2,
                .preconditioner_scale = 2,
                .ridge = 5,
                .solution = solution.data()};
    }
    float diagonal(std::size_t i) const { return 2 * values[i] + 5; }

    float weight(std::size_t k) const { return problem.weights != nullptr ? weights[k] : 1; }
    float right_side(std::size_t k) const {
        return problem.weights != nullptr ? right_sides[k] : 1;
    }

    /// sum_k c_k h_k h_k^T and sum_k b_k h_k.
    Doubles normal_matrix() const {
        const std::size_t dim = problem.dim;
        Doubles matrix(dim * dim);
        for (std::size_t k = 0; k < problem.num_entries; ++k) {
            const float* row = table.data() + columns[k] * dim;
            for (std::size_t i = 0; i < dim; ++i) {
                for (std::size_t j = 0; j < dim; ++j) {
                    at(matrix, dim, i, j) += static_cast<double>(weight(k)) * row[i] * row[j];
                }
            }
        }
        return matrix;
    }
    Doubles normal_right_side() const {
        Doubles sum(problem.dim);
        for (std::size_t k = 0; k < problem.num_entries; ++k) {
            for (std::size_t i = 0; i < problem.dim; ++i) {
                sum[i] += static_cast<double>(right_side(k)) * table[columns[k] * problem.dim + i];
            }
        }
        return sum;
    }
    Doubles exact_solution() const {
        Doubles matrix = normal_matrix();
        for (std::size_t i = 0; i < problem.dim; ++i) {
            at(matrix, problem.dim, i, i) += diagonal(i);
        }
        return solve_dense(matrix, normal_right_side());
    }
};

double distance(const float* found, const Doubles& exact) {
    double sum = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        sum += (found[i] - exact[i]) * (found[i] - exact[i]);
    }
    return std::sqrt(sum);
}

class Solvers : public EveryTable {};

INSTANTIATE_TEST_SUITE_P(Tables, Solvers, every_supported_table(), name_of_table);

TEST_P(Solvers, rank_update_adds_the_products_of_all_rows) {
    for (const std::size_t dim : kDims) {
        for (const std::size_t num_rows : {0U, 1U, 7U, 130U}) {
            const std::size_t stride = dim + 16;
            const AlignedBuffer<float> rows = random_floats(num_rows * stride + 16, 1);
            AlignedBuffer<float> gram(dim * dim);
            for (float& value : gram.span()) {
                value = 2;
            }
            kernels().rank_update(rows.data(), stride, num_rows, dim, gram.data());
            for (std::size_t i = 0; i < dim; i += 3) {
                for (std::size_t j = i; j < dim; ++j) {
                    double exact = 2;
                    for (std::size_t r = 0; r < num_rows; ++r) {
                        exact += static_cast<double>(rows[r * stride + i]) * rows[r * stride + j];
                    }
                    ASSERT_NEAR(gram[i * dim + j], exact, 1e-4) << dim << ": " << i << ", " << j;
                }
            }
        }
    }
}

TEST_P(Solvers, cholesky_solves_what_a_double_precision_one_solves) {
    for (const std::size_t dim : kDims) {
        const ProblemFixture fixture(dim, 2 * dim, false);
        Doubles matrix = fixture.normal_matrix();
        AlignedBuffer<float> factor(dim * dim);
        AlignedBuffer<float> x = random_floats(dim, 2);
        for (std::size_t i = 0; i < dim; ++i) {
            at(matrix, dim, i, i) += 10;
            for (std::size_t j = i; j < dim; ++j) {
                factor[i * dim + j] = static_cast<float>(at(matrix, dim, i, j));
            }
        }
        const Doubles exact = solve_dense(matrix, Doubles(x.data(), x.data() + dim));
        ASSERT_TRUE(kernels().cholesky_factor(factor.data(), dim));
        kernels().cholesky_solve(factor.data(), dim, x.data());
        EXPECT_LT(distance(x.data(), exact), 1e-4) << dim;
    }
}

TEST_P(Solvers, cholesky_refuses_what_is_not_positive_definite) {
    for (const std::size_t dim : kDims) {
        for (const float pivot : {0.0F, -1.0F, std::nanf(""), INFINITY}) {
            AlignedBuffer<float> matrix(dim * dim);
            for (std::size_t i = 0; i < dim; ++i) {
                matrix[i * dim + i] = i == dim - 2 ? pivot : 1;
            }
            EXPECT_FALSE(kernels().cholesky_factor(matrix.data(), dim)) << dim << " " << pivot;
        }
    }
}

TEST_P(Solvers, rotate_multiplies_every_row_in_place) {
    for (const std::size_t dim : kDims) {
        for (const std::size_t num_rows : {0U, 1U, 6U, 23U, 24U, 55U}) {
            AlignedBuffer<float> rows = random_floats(num_rows * dim + 16, 3);
            const AlignedBuffer<float> before = random_floats(num_rows * dim + 16, 3);
            const AlignedBuffer<float> rotation = random_floats(dim * dim, 4);
            AlignedBuffer<float> scratch(rotate_scratch_floats(dim));
            kernels().rotate(rows.data(), dim, num_rows, dim, rotation.data(), scratch.data());
            for (std::size_t r = 0; r < num_rows; ++r) {
                for (std::size_t j = 0; j < dim; j += 5) {
                    double exact = 0;
                    for (std::size_t i = 0; i < dim; ++i) {
                        exact += static_cast<double>(before[r * dim + i]) * rotation[i * dim + j];
                    }
                    ASSERT_NEAR(rows[r * dim + j], exact, 1e-3) << dim << ": " << r << ", " << j;
                }
            }
            for (std::size_t i = num_rows * dim; i < rows.size(); ++i) {
                ASSERT_EQ(rows[i], before[i]);
            }
        }
    }
}

TEST_P(Solvers, normal_row_accumulates_the_normal_equations) {
    for (const std::size_t dim : {16U, 64U, 80U}) {
        for (const std::size_t num_entries : {0U, 1U, 5U, 128U, 261U}) {
            for (const bool weighted : {false, true}) {
                ProblemFixture fixture(dim, num_entries, weighted);
                AlignedBuffer<float> matrix(dim * dim);
                AlignedBuffer<float> right_side(dim);
                kernels().normal_row(fixture.problem, matrix.data(), right_side.data(),
                                     fixture.scratch.data());
                Doubles exact = fixture.normal_matrix();
                EXPECT_LT(distance(right_side.data(), fixture.normal_right_side()), 2e-3);
                for (std::size_t i = 0; i < dim; ++i) {
                    for (std::size_t j = i; j < dim; ++j) {
                        ASSERT_NEAR(matrix[i * dim + j], at(exact, dim, i, j), 1e-3);
                    }
                }
            }
        }
    }
}

TEST_P(Solvers, conjugate_gradients_reach_the_exact_solution_given_steps_enough) {
    for (const std::size_t dim : {16U, 64U, 80U, 128U}) {
        for (const std::size_t num_entries : {0U, 1U, 3U, 40U, 261U}) {
            for (const bool weighted : {false, true}) {
                ProblemFixture fixture(dim, num_entries, weighted);
                const Doubles exact = fixture.exact_solution();
                for (const float preconditioner_scale : {2.0F, 5.0F}) {
                    AlignedBuffer<float> solution = random_floats(dim, 5);
                    PcgProblem problem = fixture.pcg_problem(solution);
                    problem.preconditioner_scale = preconditioner_scale;
                    kernels().pcg_row(problem, 200, fixture.scratch.data());
                    EXPECT_LT(distance(solution.data(), exact), 5e-4) << dim << " " << num_entries;
                }
                AlignedBuffer<float> gram(dim * dim);
                for (std::size_t i = 0; i < dim; ++i) {
                    gram[i * dim + i] = fixture.diagonal(i) - 1;
                }
                AlignedBuffer<float> plain = random_floats(dim, 6);
                kernels().cg_row(fixture.problem, gram.data(), 1, 200, plain.data(),
                                 fixture.scratch.data());
                EXPECT_LT(distance(plain.data(), exact), 5e-4) << dim << " " << num_entries;
            }
        }
    }
}

TEST_P(Solvers, few_steps_agree_with_the_scalar_table) {
    for (const std::size_t dim : {16U, 64U, 128U}) {
        for (const unsigned steps : {0U, 1U, 2U, 3U}) {
            ProblemFixture fixture(dim, 50, true);
            AlignedBuffer<float> solution = random_floats(dim, 7);
            AlignedBuffer<float> reference = random_floats(dim, 7);
            kernels().pcg_row(fixture.pcg_problem(solution), steps, fixture.scratch.data());
            supported_kernels().front()->pcg_row(fixture.pcg_problem(reference), steps,
                                                 fixture.scratch.data());
            EXPECT_LT(distance(solution.data(), Doubles(reference.data(), reference.data() + dim)),
                      1e-3);
        }
    }
}

/// `num_problems` problems of growing size over one table of 3,000 rows, some without entries.
struct SharedTable {
    AlignedBuffer<float> table;
    AlignedBuffer<float> values;
    std::vector<std::vector<std::uint32_t>> columns;
    std::vector<float> weights;

    SharedTable(std::size_t dim, std::size_t num_problems)
        : table(random_floats(3000 * dim, 8)), values(random_floats(dim, 9)), weights(3000) {
        Random random(10);
        for (float& value : values.span()) {
            value *= value;
        }
        for (float& weight : weights) {
            weight = static_cast<float>(random.uniform());
        }
        for (std::size_t index = 0; index < num_problems; ++index) {
            std::vector<std::uint32_t> drawn;
            for (std::uint32_t row = 0; row < 3000; ++row) {
                if (random.below(num_problems) < index) {
                    drawn.push_back(row);
                }
            }
            columns.push_back(std::move(drawn));
        }
    }

    PcgProblem problem(std::size_t index, std::size_t dim, float* solution) const {
        const RowProblem row = {.table = table.data(),
                                .stride = dim,
                                .dim = dim,
                                .columns = columns[index].data(),
                                .num_entries = columns[index].size(),
                                .weights = index % 2 == 0 ? weights.data() : nullptr};
        return {.row = row,
                .values = values.data(),
                .scale = 3,
                .preconditioner_scale = 4,
                .ridge = 1 + static_cast<float>(index),
                .solution = solution};
    }
};

TEST_P(Solvers, problems_solved_together_get_the_bytes_they_get_alone) {
    constexpr std::size_t kProblems = 7;
    for (const std::size_t dim : {64U, 80U, 128U}) {
        SharedTable shared(dim, kProblems);
        // Columns that do not ascend are slower, and no less right.
        std::ranges::reverse(shared.columns[3]);
        for (const unsigned steps : {0U, 1U, 3U, 60U}) {
            AlignedBuffer<float> together = random_floats(kProblems * dim, 11);
            AlignedBuffer<float> alone = random_floats(kProblems * dim, 11);
            AlignedBuffer<float> scratch(pcg_scratch_floats(dim, kProblems));
            std::vector<PcgState> states(kProblems);
            std::vector<PcgProblem> problems;
            for (std::size_t index = 0; index < kProblems; ++index) {
                problems.push_back(shared.problem(index, dim, together.data() + index * dim));
                kernels().pcg_row(shared.problem(index, dim, alone.data() + index * dim), steps,
                                  scratch.data());
            }
            kernels().pcg_rows(problems, steps, {scratch.data(), states.data()});
            for (std::size_t i = 0; i < alone.size(); ++i) {
                ASSERT_EQ(together[i], alone[i]) << dim << " " << steps << " " << i / dim;
            }
        }
    }
}

TEST_P(Solvers, conjugate_gradients_stop_at_a_zero_residual) {
    ProblemFixture fixture(64, 0, false);
    AlignedBuffer<float> solution(64);
    kernels().pcg_row(fixture.pcg_problem(solution), 5, fixture.scratch.data());
    for (const float value : solution.span()) {
        EXPECT_EQ(value, 0);
    }
}

TEST_P(Solvers, conjugate_gradients_keep_zeros_where_nothing_regularises) {
    ProblemFixture fixture(32, 40, false);
    for (std::size_t i = 20; i < 32; ++i) {
        fixture.values[i] = 0;
        for (std::size_t row = 0; row < 300; ++row) {
            fixture.table[row * 32 + i] = 0;
        }
    }
    AlignedBuffer<float> solution(32);
    PcgProblem problem = fixture.pcg_problem(solution);
    problem.ridge = 0;
    kernels().pcg_row(problem, 5, fixture.scratch.data());
    for (std::size_t i = 0; i < 32; ++i) {
        EXPECT_TRUE(std::isfinite(solution[i])) << i;
        EXPECT_TRUE(i < 20 || solution[i] == 0) << i;
    }
}

}  // namespace
}  // namespace segue::kernels
