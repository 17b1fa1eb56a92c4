#include "index_build/row_scorer.h"

#include <cmath>

#include "kernels/kernels.h"

namespace segue {

float power_of_norm(float norm, double exponent) {
    if (norm == 0) {
        return 0;
    }
    if (exponent == 1) {
        return 1 / norm;
    }
    return static_cast<float>(std::pow(static_cast<double>(norm), -exponent));
}

float RowScorer::operator()(std::uint32_t item_row) const {
    const kernels::KernelTable& kernels = kernels::active_kernels();
    const float* row = items_.data + item_row * items_.stride;
    if (measure_ == Measure::kSquaredL2) {
        return -kernels.squared_distance(query_, row, items_.dim);
    }
    float product = 0;
    kernels.dot_many(query_, row, items_.stride, 1, items_.dim, &product);
    if (exponent_ == 0) {
        return product;
    }
    // The norm is computed again: a bundle's may come from another machine's kernels and differ in
    // the last bit.
    float squared = 0;
    kernels.squared_norms(row, items_.stride, 1, items_.dim, &squared);
    return product * power_of_norm(std::sqrt(squared), exponent_);
}

}  // namespace segue
