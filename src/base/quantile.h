#pragma once

// Quantiles of measured values, by one definition everywhere.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ranges>

namespace segue {

/// The value that a share of `ascending` is below, between two neighbours where it falls there: 0.5
/// is the median, 0.99 the 99th percentile. 0 of nothing. Requires: 0 <= share <= 1.
template <std::ranges::random_access_range Values>
double quantile(const Values& ascending, double share) {
    const std::size_t size = std::ranges::size(ascending);
    if (size == 0) {
        return 0;
    }
    const double place = share * static_cast<double>(size - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, size - 1);
    return std::lerp(static_cast<double>(ascending[below]), static_cast<double>(ascending[above]),
                     place - static_cast<double>(below));
}

}  // namespace segue
