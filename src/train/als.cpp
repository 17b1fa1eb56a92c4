#include "train/als.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/random.h"
#include "base/stopwatch.h"
#include "train/als_half_step.h"
#include "train/als_loss.h"
#include "train/als_weights.h"

namespace segue {

namespace {

/// The eigenbasis of a larger Gram matrix takes longer than all the rows it would save.
constexpr std::size_t kLargestDim = 1024;
constexpr std::uint32_t kMostIterations = 10'000;

/// N(0, init_scale / sqrt(dim)), row r from a sequence of its own.
Matrix random_factors(std::size_t num_rows, const AlsParams& params, std::uint64_t side) {
    Matrix factors(num_rows, params.dim);
    const double scale = params.init_scale / std::sqrt(static_cast<double>(params.dim));
    for (std::size_t row = 0; row < num_rows; ++row) {
        Random random(params.seed, (side << 40) + row);
        for (float& value : factors.row(row)) {
            value = static_cast<float>(scale * random.normal());
        }
    }
    return factors;
}

Matrix copy_of(const MatrixView& view) {
    Matrix copy(view.num_rows, view.dim);
    for (std::size_t row = 0; row < view.num_rows; ++row) {
        std::ranges::copy(view.row(row), copy.row(row).begin());
    }
    return copy;
}

bool all_finite(const MatrixView& view) {
    for (std::size_t row = 0; row < view.num_rows; ++row) {
        if (!std::ranges::all_of(view.row(row), [](float value) { return std::isfinite(value); })) {
            return false;
        }
    }
    return true;
}

/// Remembers the factors the judge liked best.
class BestFactors {
public:
    void offer(double validation, const AlsModel& model) {
        ++epochs_since_best_;
        if (!best_ || validation > best_) {
            best_ = validation;
            epochs_since_best_ = 0;
            rows_ = copy_of(model.row_factors.view());
            columns_ = copy_of(model.column_factors.view());
        }
    }
    bool should_stop() const { return best_ && epochs_since_best_ >= 2; }
    void restore(AlsModel& model) {
        if (best_ && epochs_since_best_ > 0) {
            model.row_factors = std::move(rows_);
            model.column_factors = std::move(columns_);
        }
    }

private:
    std::optional<double> best_;
    int epochs_since_best_ = 0;
    Matrix rows_;
    Matrix columns_;
};

Status check_warm_start(const AlsModel& warm, const SparseView& interactions,
                        const AlsParams& params) {
    const bool fits = warm.row_factors.num_rows() == interactions.num_rows &&
                      warm.column_factors.num_rows() == interactions.num_columns &&
                      warm.row_factors.dim() == params.dim &&
                      warm.column_factors.dim() == params.dim;
    if (!fits) {
        return invalid_argument(fmt::format(
            "the factors to start from are {} x {} and {} x {}; expected {} x {} and {} x {}",
            warm.row_factors.num_rows(), warm.row_factors.dim(), warm.column_factors.num_rows(),
            warm.column_factors.dim(), interactions.num_rows, params.dim, interactions.num_columns,
            params.dim));
    }
    return Status();
}

}  // namespace

std::string_view name_of(AlsLoss loss) {
    return loss == AlsLoss::kHu ? "hu" : "rendle";
}

std::string_view name_of(AlsSolver solver) {
    switch (solver) {
        case AlsSolver::kEigenPcg:
            return "eigen-pcg";
        case AlsSolver::kCholesky:
            return "cholesky";
        case AlsSolver::kCg:
            return "cg";
    }
    return "unknown";
}

std::string_view name_of(NegativeWeights negative) {
    switch (negative) {
        case NegativeWeights::kConfident:
            return "confident";
        case NegativeWeights::kClip:
            return "clip";
        case NegativeWeights::kDrop:
            return "drop";
    }
    return "unknown";
}

Status AlsParams::validate() const {
    const auto in_range = [](double value, double low, double high) {
        return std::isfinite(value) && value >= low && value <= high;
    };
    if (dim < 1 || dim > kLargestDim) {
        return invalid_argument(fmt::format("dim is {}; expected 1 to {}", dim, kLargestDim));
    }
    if (iterations < 1 || iterations > kMostIterations) {
        return invalid_argument(
            fmt::format("iterations is {}; expected 1 to {}", iterations, kMostIterations));
    }
    if (solver_steps > 1000) {
        return invalid_argument(
            fmt::format("solver steps are {}; expected at most 1000", solver_steps));
    }
    if (!in_range(unobserved_weight, 0, 1e6)) {
        return invalid_argument(
            fmt::format("unobserved weight is {}; expected 0 to 1e6", unobserved_weight));
    }
    if (!in_range(l2_reg, 0, 1e9)) {
        return invalid_argument(fmt::format("l2_reg is {}; expected 0 to 1e9", l2_reg));
    }
    if (!in_range(l2_exponent, 0, 4)) {
        return invalid_argument(fmt::format("l2 exponent is {}; expected 0 to 4", l2_exponent));
    }
    if (!in_range(alpha, 0, 1e9)) {
        return invalid_argument(fmt::format("alpha is {}; expected 0 to 1e9", alpha));
    }
    if (!in_range(min_relative_progress, 0, 1)) {
        return invalid_argument(
            fmt::format("min relative progress is {}; expected 0 to 1", min_relative_progress));
    }
    if (!in_range(init_scale, 1e-12, 1e6)) {
        return invalid_argument(
            fmt::format("init scale is {}; expected above 0, at most 1e6", init_scale));
    }
    return Status();
}

Result<AlsModel> train_als(const SparseView& interactions, const AlsParams& params,
                           ThreadPool& pool, const ProgressListener& progress,
                           const AlsJudge& judge, const AlsModel* warm) {
    if (Status status = params.validate(); !status.ok()) {
        return status;
    }
    if (warm != nullptr) {
        if (Status status = check_warm_start(*warm, interactions, params); !status.ok()) {
            return status;
        }
    }
    Result<AlsSide> rows = make_row_side(interactions, params);
    if (!rows.ok()) {
        return rows.status();
    }
    const AlsSide columns = transpose_side(*rows, params);
    AlsModel model;
    model.row_factors = warm != nullptr ? copy_of(warm->row_factors.view())
                                        : random_factors(interactions.num_rows, params, 0);
    model.column_factors = warm != nullptr ? copy_of(warm->column_factors.view())
                                           : random_factors(interactions.num_columns, params, 1);
    const bool needs_loss = params.record_loss || params.min_relative_progress > 0;
    BestFactors best;
    for (std::uint32_t iteration = 0; iteration < params.iterations; ++iteration) {
        const Stopwatch stopwatch;
        const double cpu_before = process_cpu_seconds();
        Status status = als_half_step(*rows, params, model.row_factors, model.column_factors, pool);
        if (status.ok()) {
            status = als_half_step(columns, params, model.column_factors, model.row_factors, pool);
        }
        if (!status.ok()) {
            return status;
        }
        AlsEpoch epoch;
        epoch.seconds = stopwatch.seconds();
        epoch.cpu_seconds = process_cpu_seconds() - cpu_before;
        if (needs_loss) {
            epoch.loss = als_loss_of_sides(*rows, columns, params, model.row_factors.view(),
                                           model.column_factors.view(), pool);
            if (!std::isfinite(epoch.loss)) {
                return invalid_argument(
                    "the factors overflowed; lower the weights or raise the regularisation");
            }
        }
        if (judge) {
            epoch.validation = judge(model.row_factors.view(), model.column_factors.view());
            best.offer(epoch.validation, model);
        }
        const double previous_loss = model.epochs.empty() ? 0 : model.epochs.back().loss;
        model.epochs.push_back(epoch);
        report(progress, {"train", iteration + 1, params.iterations, "iterations",
                          needs_loss ? fmt::format("loss {:.6g}", epoch.loss) : std::string()});
        const bool stalled =
            params.min_relative_progress > 0 && iteration > 0 &&
            previous_loss - epoch.loss < params.min_relative_progress * std::abs(previous_loss);
        if (stalled || best.should_stop()) {
            break;
        }
    }
    best.restore(model);
    if (!all_finite(model.row_factors.view()) || !all_finite(model.column_factors.view())) {
        return invalid_argument(
            "the factors overflowed; lower the weights or raise the regularisation");
    }
    return model;
}

}  // namespace segue
