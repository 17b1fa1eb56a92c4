#include "linalg/fold_in.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/kernels.h"

namespace segue {
namespace {

/// Rows gathered before their products are added: they stay in the first levels of cache.
constexpr std::size_t kBlockRows = 128;

/// Returns an error if: a value is negative (where it may not be) or not finite.
Status check_values(std::span<const float> values, std::size_t num_entries, bool may_be_negative,
                    const char* name) {
    if (!values.empty() && values.size() != num_entries) {
        return invalid_argument(
            fmt::format("a history of {} items has {} {}", num_entries, values.size(), name));
    }
    for (const float value : values) {
        if (!std::isfinite(value) || (value < 0 && !may_be_negative)) {
            return invalid_argument(
                fmt::format("a history has {} among its {}; they must be finite{}", value, name,
                            may_be_negative ? "" : " and not negative"));
        }
    }
    return {};
}

}  // namespace

FoldInScratch::FoldInScratch(std::size_t dim)
    : matrix_(padded_dim(dim) * padded_dim(dim)),
      right_side_(padded_dim(dim)),
      rows_(kBlockRows * padded_dim(dim)) {}

FoldIn::FoldIn(const MatrixView& item_vectors, Matrix global)
    : item_vectors_(item_vectors), global_(std::move(global)) {
    SEGUE_ASSERT(global_.num_rows() == padded_dim(item_vectors.dim) &&
                 global_.dim() == global_.num_rows());
}

Status FoldIn::check(const FoldInHistory& history, float ridge, std::span<float> solution) const {
    SEGUE_ASSERT(solution.size() == dim());
    for (const std::uint32_t row : history.item_rows) {
        if (row >= item_vectors_.num_rows) {
            return invalid_argument(fmt::format("item row {} is out of range; there are {} items",
                                                row, item_vectors_.num_rows));
        }
    }
    if (!std::isfinite(ridge) || ridge < 0) {
        return invalid_argument(
            fmt::format("the regularisation {} must be finite and not negative", ridge));
    }
    if (Status status = check_values(history.weights, history.item_rows.size(), false, "weights");
        !status.ok()) {
        return status;
    }
    return check_values(history.right_sides, history.item_rows.size(), true, "right sides");
}

Status FoldIn::solve(const FoldInHistory& history, float ridge, FoldInScratch& scratch,
                     std::span<float> solution) const {
    if (Status status = check(history, ridge, solution); !status.ok()) {
        return status;
    }
    const std::size_t padded = global_.dim();
    SEGUE_ASSERT(scratch.right_side_.size() == padded);
    std::fill(solution.begin(), solution.end(), 0.0F);
    if (history.item_rows.empty()) {
        return {};
    }
    const kernels::KernelTable& kernels = kernels::active_kernels();
    float* matrix = scratch.matrix_.data();
    float* right_side = scratch.right_side_.data();
    std::memcpy(matrix, global_.data(), padded * padded * sizeof(float));
    std::fill_n(right_side, padded, 0.0F);
    for (std::size_t i = 0; i < padded; ++i) {
        // Behind dim the system is w = 0, whatever the ridge.
        matrix[i * padded + i] += i < dim() ? ridge : 1;
    }
    const std::size_t num_entries = history.item_rows.size();
    for (std::size_t begin = 0; begin < num_entries; begin += kBlockRows) {
        const std::size_t count = std::min(kBlockRows, num_entries - begin);
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t entry = begin + k;
            const float weight = history.weights.empty() ? 1 : history.weights[entry];
            const float side = history.right_sides.empty() ? weight : history.right_sides[entry];
            const float* from = item_vectors_.row(history.item_rows[entry]).data();
            float* to = scratch.rows_.data() + k * padded;
            std::memcpy(to, from, dim() * sizeof(float));
            kernels.axpy(side, to, right_side, dim());
            kernels.scale(std::sqrt(weight), to, dim());
        }
        kernels.rank_update(scratch.rows_.data(), padded, count, padded, matrix);
    }
    if (!kernels.cholesky_factor(matrix, padded)) {
        return invalid_argument(
            "the history cannot be folded in: its matrix is not positive definite; "
            "use a larger regularisation");
    }
    kernels.cholesky_solve(matrix, padded, right_side);
    std::memcpy(solution.data(), right_side, dim() * sizeof(float));
    for (const float value : solution) {
        if (!std::isfinite(value)) {
            return invalid_argument("the history cannot be folded in: its solution overflows");
        }
    }
    return {};
}

}  // namespace segue
