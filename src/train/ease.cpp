#include "train/ease.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "linalg/inverse.h"

namespace segue {

namespace {

constexpr std::size_t kItemsPerChunk = 64;

/// n^-a for the groups, times what makes the mean over all entries 1.
std::vector<float> group_weights(const SparseView& interactions, double exponent) {
    const auto weight_of = [&](std::size_t group) {
        const std::size_t size = std::max<std::size_t>(1, interactions.row_size(group));
        return std::pow(static_cast<double>(size), -exponent);
    };
    double sum = 0;
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        sum += weight_of(group) * static_cast<double>(interactions.row_size(group));
    }
    const double scale = sum > 0 ? static_cast<double>(interactions.num_entries()) / sum : 1;
    std::vector<float> weights(interactions.num_rows);
    for (std::size_t group = 0; group < weights.size(); ++group) {
        weights[group] = static_cast<float>(scale * weight_of(group));
    }
    return weights;
}

/// X' W X, upper triangle. Sums run over groups in ascending order.
void fill_gram(const SparseView& interactions, std::span<const float> weights, ThreadPool& pool,
               Matrix& gram) {
    const SparseMatrix by_item = transpose(interactions);
    const SparseView groups_of_item = by_item.view();
    const Chunks chunks = {interactions.num_columns, kItemsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        for (std::size_t item = chunks.begin(chunk); item < chunks.end(chunk); ++item) {
            float* const row = gram.row(item).data();
            for (const std::uint32_t group : groups_of_item.row_columns(item)) {
                const std::span<const std::uint32_t> items = interactions.row_columns(group);
                const float weight = weights[group];
                for (auto other = std::lower_bound(items.begin(), items.end(), item);
                     other != items.end(); ++other) {
                    row[*other] += weight;
                }
            }
        }
    });
}

}  // namespace

Status EaseParams::validate() const {
    if (!(ridge > 0 && ridge <= 1e9)) {
        return invalid_argument(fmt::format("ridge is {}; expected above 0, to 1e9", ridge));
    }
    if (!(dropout >= 0 && dropout <= 100)) {
        return invalid_argument(fmt::format("dropout is {}; expected 0 to 100", dropout));
    }
    if (!(std::abs(group_exponent) <= 4)) {
        return invalid_argument(
            fmt::format("group exponent is {}; expected -4 to 4", group_exponent));
    }
    if (!(diagonal >= 0 && diagonal < 1)) {
        return invalid_argument(fmt::format("diagonal is {}; expected 0 to below 1", diagonal));
    }
    return Status();
}

std::uint64_t ease_bytes(std::size_t num_items) {
    constexpr std::uint64_t kFloatsBeside = 1600;
    const std::uint64_t size = padded_inverse_size(num_items);
    return size * (size + kFloatsBeside) * sizeof(float);
}

Result<Matrix> train_ease(const SparseView& interactions, const EaseParams& params,
                          ThreadPool& pool, const ProgressListener& progress) {
    if (Status status = params.validate(); !status.ok()) {
        return status;
    }
    const std::size_t num_items = interactions.num_columns;
    const std::size_t padded = padded_inverse_size(num_items);
    Matrix matrix(padded, padded);
    fill_gram(interactions, group_weights(interactions, params.group_exponent), pool, matrix);
    std::vector<float> penalties(num_items);
    for (std::size_t item = 0; item < num_items; ++item) {
        float& own = matrix.row(item)[item];
        penalties[item] =
            static_cast<float>(params.ridge + params.dropout * static_cast<double>(own));
        own += penalties[item];
    }
    if (Status status = sweep_positive_definite(matrix, num_items, pool, progress); !status.ok()) {
        return status;
    }
    const auto share = static_cast<float>(1 - params.diagonal);
    std::vector<float> factors(padded, 0);
    for (std::size_t item = 0; item < num_items; ++item) {
        float& own = matrix.row(item)[item];
        // The multiplier of an own weight that reaches its bound; without one, the penalty is left.
        factors[item] = std::max(-share / own, penalties[item]);
        own = 0;
    }
    for (std::size_t behind = num_items; behind < padded; ++behind) {
        matrix.row(behind)[behind] = 0;
    }
    fill_from_triangle(matrix, factors, pool);
    return matrix;
}

}  // namespace segue
