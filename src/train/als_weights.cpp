#include "train/als_weights.h"

#include <cmath>
#include <numeric>
#include <string>
#include <utility>

namespace segue {

namespace {

/// Without entries of negative value, where these are to be dropped.
SparseMatrix kept_entries(const SparseView& interactions, NegativeWeights negative) {
    SparseMatrix kept;
    kept.num_rows = interactions.num_rows;
    kept.num_columns = interactions.num_columns;
    const bool drop = negative == NegativeWeights::kDrop && !interactions.values.empty();
    if (!drop) {
        kept.offsets.assign(interactions.offsets.begin(), interactions.offsets.end());
        kept.columns.assign(interactions.columns.begin(), interactions.columns.end());
        kept.values.assign(interactions.values.begin(), interactions.values.end());
        return kept;
    }
    for (std::size_t row = 0; row < interactions.num_rows; ++row) {
        for (std::uint64_t entry = interactions.offsets[row]; entry < interactions.offsets[row + 1];
             ++entry) {
            if (interactions.values[entry] >= 0) {
                kept.columns.push_back(interactions.columns[entry]);
                kept.values.push_back(interactions.values[entry]);
            }
        }
        kept.offsets.push_back(kept.columns.size());
    }
    return kept;
}

/// lambda of every row: scaled by counts for rendle, plain for hu.
std::vector<float> ridges_of(const SparseView& side, const AlsParams& params) {
    std::vector<float> ridges(side.num_rows, static_cast<float>(params.l2_reg));
    if (params.loss == AlsLoss::kRendle) {
        for (std::size_t row = 0; row < side.num_rows; ++row) {
            const double pairs = static_cast<double>(side.row_size(row)) +
                                 params.unobserved_weight * static_cast<double>(side.num_columns);
            ridges[row] = static_cast<float>(params.l2_reg * std::pow(pairs, params.l2_exponent));
        }
    }
    return ridges;
}

/// The sum of the weights of every row.
std::vector<float> masses_of(const AlsSide& side) {
    std::vector<float> masses(side.matrix.num_rows);
    for (std::size_t row = 0; row < masses.size(); ++row) {
        const std::uint64_t begin = side.matrix.offsets[row];
        const std::uint64_t end = side.matrix.offsets[row + 1];
        double sum = static_cast<double>(end - begin);
        if (!side.weights.empty()) {
            sum = std::accumulate(side.weights.begin() + static_cast<std::ptrdiff_t>(begin),
                                  side.weights.begin() + static_cast<std::ptrdiff_t>(end), 0.0);
        }
        masses[row] = static_cast<float>(sum);
    }
    return masses;
}

Status check_values(const SparseView& interactions, const AlsParams& params) {
    for (std::size_t entry = 0; entry < interactions.values.size(); ++entry) {
        const float value = interactions.values[entry];
        if (!std::isfinite(value)) {
            return invalid_argument("weight " + std::to_string(entry) + " is not finite");
        }
        if (value < 0 && params.loss == AlsLoss::kRendle &&
            params.negative == NegativeWeights::kConfident) {
            return invalid_argument("weight " + std::to_string(entry) + " is " +
                                    std::to_string(value) +
                                    "; the rendle loss takes weights of 0 and more (use the hu "
                                    "loss, or clip or drop negative weights)");
        }
    }
    return Status();
}

}  // namespace

double global_weight(const AlsParams& params) {
    return params.loss == AlsLoss::kRendle ? params.unobserved_weight : 1.0;
}

Result<AlsSide> make_row_side(const SparseView& interactions, const AlsParams& params) {
    if (Status status = check_values(interactions, params); !status.ok()) {
        return status;
    }
    AlsSide side;
    side.matrix = kept_entries(interactions, params.negative);
    const std::vector<float> values = std::move(side.matrix.values);
    side.matrix.values.clear();
    const std::size_t num_entries = side.matrix.num_entries();
    const auto clipped = [&](float value) {
        return value < 0 && params.negative == NegativeWeights::kClip ? 0.0f : value;
    };
    if (params.loss == AlsLoss::kRendle) {
        side.weights.reserve(values.size());
        for (const float value : values) {
            side.weights.push_back(clipped(value));
        }
    } else {
        // c = 1 + alpha |w| against the 1 of every pair; preference 1 for positive weights only.
        const auto alpha = static_cast<float>(params.alpha);
        side.weights.reserve(num_entries);
        side.targets.reserve(num_entries);
        for (std::size_t entry = 0; entry < num_entries; ++entry) {
            const float value = values.empty() ? 1.0f : clipped(values[entry]);
            side.weights.push_back(alpha * std::abs(value));
            side.targets.push_back(value > 0 ? 1 + alpha * value : 0.0f);
        }
    }
    side.ridges = ridges_of(side.matrix.view(), params);
    side.masses = masses_of(side);
    return side;
}

AlsSide transpose_side(const AlsSide& side, const AlsParams& params) {
    // transpose() moves one array of values; the second array follows by a second pass.
    const auto moved = [&](const std::vector<float>& values) {
        SparseView view = side.matrix.view();
        view.values = values;
        return transpose(view);
    };
    AlsSide result;
    SparseMatrix first = moved(side.weights);
    result.weights = std::move(first.values);
    if (!side.targets.empty()) {
        result.targets = moved(side.targets).values;
    }
    first.values.clear();
    result.matrix = std::move(first);
    result.ridges = ridges_of(result.matrix.view(), params);
    result.masses = masses_of(result);
    return result;
}

}  // namespace segue
