#pragma once

#include <cstddef>
#include <utility>

#include "data/matrix.h"
#include "train/linear_model.h"

namespace segue {

/// A linear model whose weights are all there, item by item.
class DenseWeights : public LinearModel {
public:
    /// `weights` [at least num_items x at least num_items], finite.
    DenseWeights(Matrix weights, std::size_t num_items)
        : weights_(std::move(weights)), num_items_(num_items) {}

    std::size_t num_items() const override { return num_items_; }
    const Matrix& weights() const { return weights_; }
    Neighbours lists(const SparseView& histories, const LinearListOptions& options,
                     ThreadPool& pool, const ProgressListener& progress) const override;

private:
    Matrix weights_;
    std::size_t num_items_;
};

}  // namespace segue
