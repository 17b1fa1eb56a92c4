#include "pipeline/ials_defaults.h"

#include <algorithm>
#include <cmath>

namespace segue {

namespace {

/// Found on validation parts of six data sets (docs/numerics.md): the weight of an unobserved pair
/// grows with the density, and a small catalogue wants more of it than its density says. The
/// regularisation of a mean row times that of a mean column is held constant.
constexpr double kPerDensity = 10;
constexpr double kPerItem = 300;
constexpr double kLargestUnobservedWeight = 0.3;
constexpr double kRidgeProduct = 8;

}  // namespace

AlsParams default_ials_params(const SparseView& interactions, std::size_t dim) {
    AlsParams params;
    params.dim = dim;
    params.iterations = 12;
    const auto groups = static_cast<double>(std::max<std::size_t>(1, interactions.num_rows));
    const auto items = static_cast<double>(std::max<std::size_t>(1, interactions.num_columns));
    const auto entries = static_cast<double>(interactions.num_entries());
    const double weight =
        std::min(kLargestUnobservedWeight,
                 std::max(kPerDensity * entries / groups / items, kPerItem / items));
    params.unobserved_weight = weight;
    params.l2_reg = std::sqrt(kRidgeProduct / ((entries / groups + weight * items) *
                                               (entries / items + weight * groups)));
    return params;
}

}  // namespace segue
