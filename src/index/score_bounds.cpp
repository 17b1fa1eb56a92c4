#include "index/score_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/give_way.h"

namespace segue {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kGreatest = std::numeric_limits<float>::max();
/// Squares of shorter norms lose digits in f32, and other kernels than those that computed them may
/// round them otherwise.
constexpr float kShortestExactNorm = 1e-16F;
/// Powers of two that queries are multiplied by stay well inside of floats.
constexpr int kMaxExponent = 100;
/// Scores beyond this are taken as not surely finite.
constexpr double kGreatestScore = 1e37;

float rounded_up(double value) {
    return std::nextafter(static_cast<float>(value), kInfinity);
}

/// Relative error of f32 sums of `dim` products, of the norm and its power, and of the products of
/// a scan; generous.
double relative_error(std::size_t dim, double exponent) {
    return (static_cast<double>(dim) * (1 + std::fabs(exponent)) + 16) * 0x1p-23;
}

float inverse_of(float scale) {
    const float inverse = 1 / scale;
    return std::isfinite(inverse) ? inverse : kGreatest;
}

/// Not less than ||x|| at a position; infinite where it is not known, or where norms are not exact
/// enough for their powers.
double length_of_x(const IndexTables& tables, std::size_t position) {
    constexpr auto kUnknown = static_cast<double>(kInfinity);
    const float norm = tables.norms[position];
    const float scale = tables.row_scales[position];
    const bool exact_norm = norm >= kShortestExactNorm && std::isfinite(norm);
    switch (tables.measure) {
        case Measure::kCosine:
            return norm == 0 || norm >= kShortestExactNorm ? 1.001 : kUnknown;
        case Measure::kSquaredL2:
            return exact_norm ? 1.001 * static_cast<double>(norm)
                   : norm < kShortestExactNorm && norm >= 0
                       ? 127.001 * static_cast<double>(scale) *
                             std::sqrt(static_cast<double>(tables.dim))
                       : kUnknown;
        case Measure::kDot:
            break;
    }
    if (norm == 0 && scale == 0) {
        return 0;
    }
    if (!exact_norm) {
        return kUnknown;
    }
    // Most are built for 0 or 1, and a power of a million norms takes a while to open.
    return tables.built_exponent == 0 ? 1.001 * static_cast<double>(norm)
           : tables.built_exponent == 1
               ? 1.001
               : 1.001 * std::pow(static_cast<double>(norm), 1 - tables.built_exponent);
}

}  // namespace

IndexBounds derive_bounds(const IndexTables& tables) {
    IndexBounds bounds;
    bounds.blocks.resize(tables.block_errors.size());
    float longest = 0;
    float shortest = kInfinity;
    for (std::size_t block = 0; block < bounds.blocks.size(); ++block) {
        const std::size_t begin = block * kBlockPositions;
        const std::size_t end = std::min(begin + kBlockPositions, tables.num_items);
        double length = 0;
        float least_scale = kInfinity;
        float greatest_scale = 0;
        for (std::size_t position = begin; position < end; ++position) {
            const float norm = tables.norms[position];
            if (norm > 0 && std::isfinite(norm)) {
                longest = std::max(longest, norm);
                shortest = std::min(shortest, norm);
            }
            length = std::max(length, length_of_x(tables, position));
            least_scale = std::min(least_scale, tables.row_scales[position]);
            greatest_scale = std::max(greatest_scale, tables.row_scales[position]);
        }
        kernels::BlockLimits& limits = bounds.blocks[block];
        limits.error = tables.block_errors[block];
        limits.length = rounded_up(length + static_cast<double>(limits.error));
        limits.inverse_of_greatest_scale = inverse_of(greatest_scale);
        limits.inverse_of_least_scale = inverse_of(least_scale);
        give_way();
    }
    if (longest > 0) {
        bounds.longest_norm = static_cast<double>(longest);
        bounds.shortest_norm = static_cast<double>(shortest);
    }
    if (tables.measure == Measure::kSquaredL2) {
        bounds.offsets = AlignedBuffer<float>(tables.num_items);
        for (std::size_t position = 0; position < tables.num_items; ++position) {
            const double norm = static_cast<double>(tables.norms[position]);
            kernels::BlockLimits& limits = bounds.blocks[position / kBlockPositions];
            const double length = static_cast<double>(limits.length);
            const double least = norm * norm - 2 * relative_error(tables.dim, 0) * length * length;
            bounds.offsets[position] = std::isnan(least)
                                           ? -kInfinity
                                           : std::nextafter(static_cast<float>(least), -kInfinity);
            limits.least_offset = position % kBlockPositions == 0
                                      ? bounds.offsets[position]
                                      : std::min(limits.least_offset, bounds.offsets[position]);
        }
    }
    return bounds;
}

bool LevelFactors::set(const IndexTables& tables, double popularity_exponent) {
    used = tables.measure == Measure::kDot && popularity_exponent != tables.built_exponent;
    widest = 1;
    if (!used) {
        return true;
    }
    const double power = tables.built_exponent - popularity_exponent;
    const double margin =
        relative_error(tables.dim, std::fabs(power) + std::fabs(popularity_exponent)) +
        1e-5 * std::fabs(power);
    double edge = static_cast<double>(tables.norm_low);
    double at_edge = std::pow(edge, power);
    bool in_range = margin < 0.5;
    for (std::size_t level = 0; level < 256; ++level) {
        edge *= static_cast<double>(tables.norm_ratio);
        const double at_next = std::pow(edge, power);
        const double low = std::min(at_edge, at_next) * (1 - margin);
        const double high = std::max(at_edge, at_next) * (1 + margin);
        in_range = in_range && low > 1e-30 && high < 1e30;
        least[level] = static_cast<float>(std::clamp(low, 1e-30, 1e30));
        greatest[level] = static_cast<float>(std::clamp(high, 1e-30, 1e30));
        widest = std::max(widest, rounded_up(static_cast<double>(greatest[level]) /
                                             static_cast<double>(least[level]) * (1 + 1e-6)));
        at_edge = at_next;
    }
    return in_range;
}

void QuantisedQuery::set(const IndexTables& tables, const IndexBounds& bounds,
                         std::span<const float> query, double popularity_exponent,
                         std::int32_t greatest) {
    double largest = 0;
    double sum = 0;
    double squared = 0;
    for (const float value : query) {
        const double magnitude = std::fabs(static_cast<double>(value));
        largest = std::max(largest, magnitude);
        sum += magnitude;
        squared += magnitude * magnitude;
    }
    // The greatest magnitude of an element, less where the sum would be too great: each of `dim`
    // elements may be rounded up by half.
    double levels = greatest;
    if (largest > 0) {
        const double room =
            static_cast<double>(kernels::kMaxQuerySum) - static_cast<double>(query.size());
        levels = std::floor(std::min(levels, room * largest / sum));
    }
    const double step = largest > 0 ? largest / levels : 1;
    elements_.resize(query.size());
    double squared_error = 0;
    double squared_levels = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const double level = std::nearbyint(static_cast<double>(query[i]) / step);
        elements_[i] = static_cast<std::int32_t>(level);
        const double error = static_cast<double>(query[i]) - level * step;
        squared_error += error * error;
        squared_levels += level * level;
    }
    length_ = rounded_up(std::sqrt(squared_levels));
    const double product = tables.measure == Measure::kSquaredL2 ? 2 : 1;
    score_factor_ = 1 / (product * step);
    score_offset_ = tables.measure == Measure::kSquaredL2 ? squared * score_factor_ : 0;  // ||q||^2
    offset_factor_ = tables.measure == Measure::kSquaredL2 ? static_cast<float>(score_factor_) : 0;
    set_errors(tables, bounds, std::sqrt(squared), std::sqrt(squared_error), popularity_exponent);
    if (largest > 0 && std::abs(std::ilogb(largest)) > kMaxExponent) {
        drop_bounds();
    }
}

void QuantisedQuery::drop_bounds() {
    error_ = kInfinity;
    has_low_bounds_ = false;
}

void QuantisedQuery::set_errors(const IndexTables& tables, const IndexBounds& bounds, double length,
                                double rounding, double popularity_exponent) {
    const bool squared_l2 = tables.measure == Measure::kSquaredL2;
    const double exponent = tables.measure == Measure::kCosine ? 1 : popularity_exponent;
    const double relative = relative_error(tables.dim, exponent);
    const double product = squared_l2 ? 2 : 1;
    // Never 0, so that an infinite error of a block stays infinite.
    constexpr double kLeast = 1e-37;
    error_factor_ = rounded_up(std::max(kLeast, product * length * score_factor_ * (1 + relative)));
    length_factor_ = rounded_up(std::max(
        kLeast, product * (rounding * (1 + relative) + 2 * relative * length) * score_factor_));
    // Underflow: of each product in f32, times the power of the norm; and of the units themselves.
    const double shortest_power = std::pow(bounds.shortest_norm, -exponent);
    const double longest_power = std::pow(bounds.longest_norm, -exponent);
    const double power = squared_l2 ? 1 : std::max({1.0, shortest_power, longest_power});
    const double change = tables.measure == Measure::kDot ? tables.built_exponent - exponent : 0;
    const double factor = std::max(
        {1.0, std::pow(bounds.shortest_norm, change), std::pow(bounds.longest_norm, change)});
    double absolute =
        static_cast<double>(tables.dim + 8) * 0x1p-149 * power * score_factor_ + 0x1p-110 * factor;
    if (squared_l2) {
        absolute += 2 * relative * length * length * score_factor_;
    }
    error_ = rounded_up(absolute);
    // Of a leaf: q.c has an error of its own, and so have the sums of greatest_of.
    const double leaf_error = 4 * relative * length * score_factor_;
    leaf_product_factor_ = static_cast<float>(score_factor_);
    leaf_radius_factor_ =
        squared_l2 ? kInfinity : rounded_up(length * score_factor_ * (1 + 1e-6) + leaf_error);
    leaf_length_factor_ = rounded_up(leaf_error + 1e-6 * length * score_factor_);
    const double shortest = bounds.shortest_norm;
    const double longest = bounds.longest_norm;
    has_low_bounds_ =
        relative < 0.5 && longest * length < kGreatestScore && power < kGreatestScore &&
        (squared_l2 ? (longest + length) * (longest + length) < kGreatestScore
                    : length * std::max(longest * longest_power, shortest * shortest_power) <
                          kGreatestScore);
    if (!(relative < 0.5)) {
        drop_bounds();
    }
}

ScoreRange QuantisedQuery::range_of(const IndexTables& tables, const IndexBounds& bounds,
                                    const LevelFactors& factors, std::size_t position,
                                    std::int32_t sum) const {
    const float product = tables.row_scales[position] * static_cast<float>(sum);
    const float error = error_of(bounds.blocks[position / kBlockPositions]);
    ScoreRange range = {product - error, product + error};
    if (factors.used) {
        const float least = factors.least[tables.norm_levels[position]];
        const float greatest = factors.greatest[tables.norm_levels[position]];
        range.lower = std::min(range.lower * least, range.lower * greatest);
        range.upper = std::max(range.upper * least, range.upper * greatest);
    } else if (bounds.offsets.size() != 0) {
        const float offset = bounds.offsets[position];
        const float squared = tables.norms[position] * tables.norms[position];
        range.lower -= offset_factor_ * (2 * squared - offset);
        range.upper -= offset_factor_ * offset;
    }
    range.lower = has_low_bounds_ ? range.lower - error_ : -kInfinity;
    range.upper += error_;
    return range;
}

float QuantisedQuery::units_of(float score) const {
    const double units = static_cast<double>(score) * score_factor_;
    const double slack = 1e-7 * (std::fabs(units) + std::fabs(score_offset_));
    return std::nextafter(static_cast<float>(units + score_offset_ - slack), -kInfinity);
}

}  // namespace segue
