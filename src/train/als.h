#pragma once

// Weighted alternating least squares for implicit feedback: factors of groups and items whose
// products are near 1 where a group has an item and near 0 elsewhere. Objectives
// (docs/numerics.md):
//   rendle  sum over observed w (1 - x.y)^2 + alpha0 * sum over all pairs (x.y)^2 +
//   frequency-scaled L2
//           (Rendle, Krichene, Zhang, Koren: Revisiting the Performance of iALS, 2021)
//   hu      sum over all pairs c (p - x.y)^2 + L2, c = 1 + alpha * |w|, p = (w > 0), unscaled L2
//           (Hu, Koren, Volinsky 2008; BigQuery ML; w < 0 as in Spark)

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/sparse.h"

namespace segue {

enum class AlsLoss { kRendle, kHu };

enum class AlsSolver {
    kEigenPcg,  // conjugate gradients in the eigenbasis of the Gram matrix; warm start
    kCholesky,  // exact row solves, the reference
    kCg,        // plain conjugate gradients with the Gram matrix in every step
};

/// What happens to observed pairs with a negative weight (c * PMI below chance).
enum class NegativeWeights {
    kConfident,  // preference 0 with confidence 1 + alpha * |w|
    kClip,       // weight 0: like an unobserved pair
    kDrop,       // removed before training
};

/// "rendle", "hu"; "eigen-pcg", "cholesky", "cg"; "confident", "clip", "drop": as the flags have
/// them.
std::string_view name_of(AlsLoss loss);
std::string_view name_of(AlsSolver solver);
std::string_view name_of(NegativeWeights negative);

struct AlsParams {
    std::size_t dim = 64;
    std::uint32_t iterations = 12;  // full passes: rows, then columns
    AlsLoss loss = AlsLoss::kRendle;
    AlsSolver solver = AlsSolver::kEigenPcg;
    std::uint32_t solver_steps = 0;   // of kEigenPcg and kCg; 0 chooses by dim
    double unobserved_weight = 0.01;  // rendle: alpha0
    double l2_reg = 0.01;             // lambda
    double l2_exponent = 1;           // rendle: nu, lambda * (n + alpha0 * num_columns)^nu
    double alpha = 1;                 // hu: confidence per unit of weight
    NegativeWeights negative = NegativeWeights::kConfident;
    double min_relative_progress = 0;  // stop when the loss falls by less; 0 never stops
    double init_scale = 0.1;           // factors start at N(0, init_scale / sqrt(dim))
    std::uint64_t seed = 1;
    bool record_loss = true;  // compute the loss after every iteration (costs one pass)

    /// Returns an error if: a number is not finite or out of its range.
    Status validate() const;
};

/// What one full pass cost and reached.
struct AlsEpoch {
    double seconds = 0;      // training alone
    double cpu_seconds = 0;  // all threads
    double loss = 0;         // 0 when not recorded
    double validation = 0;   // what the judge said, 0 without one
};

struct AlsModel {
    Matrix row_factors;     // [num_rows x dim]
    Matrix column_factors;  // [num_columns x dim]
    std::vector<AlsEpoch> epochs;
};

/// Judges the factors after an epoch, larger is better; training keeps the best and stops after two
/// worse.
using AlsJudge =
    std::function<double(const MatrixView& row_factors, const MatrixView& column_factors)>;

/// Fits `interactions` [num_rows x num_columns] (no values: all 1). `warm` gives factors to start
/// from (of the same shape), else they are drawn from the seed. The same bytes for any number of
/// threads. Returns an error if: parameters are invalid, a value is not finite, or factors became
/// so.
Result<AlsModel> train_als(const SparseView& interactions, const AlsParams& params,
                           ThreadPool& pool, const ProgressListener& progress = {},
                           const AlsJudge& judge = {}, const AlsModel* warm = nullptr);

/// The value of the objective, summed in double precision.
double als_loss(const SparseView& interactions, const AlsParams& params,
                const MatrixView& row_factors, const MatrixView& column_factors, ThreadPool& pool);

}  // namespace segue
