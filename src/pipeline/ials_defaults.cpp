#include "pipeline/ials_defaults.h"

#include <algorithm>

namespace segue {

namespace {

/// Found on validation parts of six data sets (docs/numerics.md): the weight of an unobserved pair
/// grows with the density, and a small catalogue wants more of it than its density says.
constexpr double kPerDensity = 10;
constexpr double kPerItem = 200;
constexpr double kLargestUnobservedWeight = 0.3;
constexpr double kL2Reg = 0.01;

}  // namespace

AlsParams default_ials_params(const SparseView& interactions, std::size_t dim) {
    AlsParams params;
    params.dim = dim;
    params.iterations = 12;
    params.l2_reg = kL2Reg;
    const auto groups = static_cast<double>(std::max<std::size_t>(1, interactions.num_rows));
    const auto items = static_cast<double>(std::max<std::size_t>(1, interactions.num_columns));
    const double density = static_cast<double>(interactions.num_entries()) / groups / items;
    params.unobserved_weight =
        std::min(kLargestUnobservedWeight, std::max(kPerDensity * density, kPerItem / items));
    return params;
}

}  // namespace segue
