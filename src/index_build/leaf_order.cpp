#include "index_build/leaf_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace segue {
namespace {

constexpr int kPowerIterations = 4;

/// Cuts sets of centres in two. Not thread-safe.
class Cutter {
public:
    explicit Cutter(const MatrixView& centres)
        : centres_(centres),
          mean_(centres.dim),
          direction_(centres.dim),
          sums_(centres.dim),
          places_(centres.num_rows) {}

    /// Orders `chosen` such that the first `count` lie before the others along the direction in
    /// which they differ most.
    void cut(std::span<std::uint32_t> chosen, std::size_t count) {
        find_mean(chosen);
        start_direction(chosen);
        for (int i = 0; i < kPowerIterations; ++i) {
            turn_direction(chosen);
        }
        for (const std::uint32_t centre : chosen) {
            places_[centre] = place_of(centre);
        }
        std::nth_element(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(count),
                         chosen.end(), [&](std::uint32_t left, std::uint32_t right) {
                             return std::pair(places_[left], left) <
                                    std::pair(places_[right], right);
                         });
    }

private:
    double off(std::uint32_t centre, std::size_t i) const {
        return static_cast<double>(centres_.row(centre)[i]) - mean_[i];
    }
    double place_of(std::uint32_t centre) const {
        double place = 0;
        for (std::size_t i = 0; i < mean_.size(); ++i) {
            place += off(centre, i) * direction_[i];
        }
        return place;
    }

    void find_mean(std::span<const std::uint32_t> chosen) {
        std::fill(mean_.begin(), mean_.end(), 0.0);
        for (const std::uint32_t centre : chosen) {
            for (std::size_t i = 0; i < mean_.size(); ++i) {
                mean_[i] += static_cast<double>(centres_.row(centre)[i]);
            }
        }
        for (double& value : mean_) {
            value /= static_cast<double>(chosen.size());
        }
    }

    /// Towards the centre that is furthest from the mean.
    void start_direction(std::span<const std::uint32_t> chosen) {
        double furthest = -1;
        for (const std::uint32_t centre : chosen) {
            double squared = 0;
            for (std::size_t i = 0; i < mean_.size(); ++i) {
                squared += off(centre, i) * off(centre, i);
            }
            if (squared > furthest) {
                furthest = squared;
                for (std::size_t i = 0; i < mean_.size(); ++i) {
                    direction_[i] = off(centre, i);
                }
            }
        }
        make_unit_length(direction_);
    }

    /// A step of the power method.
    void turn_direction(std::span<const std::uint32_t> chosen) {
        std::fill(sums_.begin(), sums_.end(), 0.0);
        for (const std::uint32_t centre : chosen) {
            const double place = place_of(centre);
            for (std::size_t i = 0; i < mean_.size(); ++i) {
                sums_[i] += place * off(centre, i);
            }
        }
        make_unit_length(sums_);
        direction_.swap(sums_);
    }

    static void make_unit_length(std::vector<double>& vector) {
        double squared = 0;
        for (const double value : vector) {
            squared += value * value;
        }
        const double factor = squared > 0 ? 1 / std::sqrt(squared) : 0;
        for (double& value : vector) {
            value *= factor;
        }
    }

    MatrixView centres_;
    std::vector<double> mean_;
    std::vector<double> direction_;
    std::vector<double> sums_;
    std::vector<double> places_;
};

void order(std::span<std::uint32_t> chosen, Cutter& cutter) {
    if (chosen.size() < 2) {
        return;
    }
    std::size_t half = chosen.size() / 2;
    if (chosen.size() > kLeavesPerRun) {
        half = (half + kLeavesPerRun - 1) / kLeavesPerRun * kLeavesPerRun;
    }
    cutter.cut(chosen, half);
    order(chosen.first(half), cutter);
    order(chosen.subspan(half), cutter);
}

}  // namespace

Matrix in_order_of_nearness(const MatrixView& centres) {
    std::vector<std::uint32_t> chosen(centres.num_rows);
    std::iota(chosen.begin(), chosen.end(), 0U);
    Cutter cutter(centres);
    order(chosen, cutter);
    Matrix ordered(centres.num_rows, centres.dim);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        std::ranges::copy(centres.row(chosen[i]), ordered.row(i).begin());
    }
    return ordered;
}

}  // namespace segue
