#include "cooc/pair_scores.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace segue {

namespace {

struct NamedScore {
    PairScore score;
    std::string_view name;
};

constexpr std::array<NamedScore, 8> kNames = {{
    {PairScore::kConditional, "conditional"},
    {PairScore::kCount, "count"},
    {PairScore::kCosine, "cosine"},
    {PairScore::kJaccard, "jaccard"},
    {PairScore::kLogLikelihoodRatio, "llr"},
    {PairScore::kNormalisedPmi, "npmi"},
    {PairScore::kPmi, "pmi"},
    {PairScore::kCoocPmi, "cooc-pmi"},
}};

double x_log_x(double x) {
    return x > 0 ? x * std::log(x) : 0;
}

/// A function of whole numbers looked up where they are small, which most counts are. The same bits
/// as the function itself.
class WholeNumberTable {
public:
    using Function = double (*)(double);

    explicit WholeNumberTable(Function function) : function_(function) {
        for (std::size_t x = 0; x < values_.size(); ++x) {
            values_[x] = function(static_cast<double>(x));
        }
    }
    double operator()(double x) const {
        if (x >= 0 && x < static_cast<double>(values_.size())) {
            const auto whole = static_cast<std::size_t>(x);
            if (static_cast<double>(whole) == x) {
                return values_[whole];
            }
        }
        return function_(x);
    }

private:
    Function function_;
    std::array<double, 4096> values_{};
};

double log2_of(double x) {
    return x > 0 ? std::log2(x) : 0;
}

/// Twice the log-likelihood of dependence over independence in the 2 x 2 table of groups. `own` and
/// `other` are the margins of the two items (see margins()). Counts of multiplicities may exceed
/// the frequencies; the cells of the table are then taken as empty.
template <typename XLogX>
double log_likelihood_ratio(const PairCounts& counts, double num_groups, double own_margins,
                            double other_margins, const XLogX& entropy) {
    const double only_own = std::max(0.0, counts.frequency_own - counts.together);
    const double only_other = std::max(0.0, counts.frequency_other - counts.together);
    const double neither =
        std::max(0.0, num_groups - counts.frequency_own - counts.frequency_other + counts.together);
    const double cells =
        entropy(counts.together) + entropy(only_own) + entropy(only_other) + entropy(neither);
    const double ratio =
        std::max(0.0, 2 * (cells - own_margins - other_margins + x_log_x(num_groups)));
    const bool apart = counts.together * num_groups < counts.frequency_own * counts.frequency_other;
    return apart ? -ratio : ratio;
}

double margins(double frequency, double num_groups) {
    return x_log_x(frequency) + x_log_x(std::max(0.0, num_groups - frequency));
}

/// 1, the largest there is, for pairs that are in all groups.
double normalised_pmi(double log2_together, double log2_own, double log2_other,
                      double log2_groups) {
    if (log2_together >= log2_groups) {
        return 1;
    }
    return (log2_together + log2_groups - (log2_own + log2_other)) / (log2_groups - log2_together);
}

double jaccard(const PairCounts& counts) {
    const double either = counts.frequency_own + counts.frequency_other - counts.together;
    return counts.together / std::max(either, counts.together);
}

/// score^q; products and roots where they do.
double sharpened(double score, double sharpness) {
    if (sharpness == 1) {
        return score;
    }
    if (sharpness == 2) {
        return score * score;
    }
    if (sharpness == 2.5) {
        return score * score * std::sqrt(score);
    }
    return sharpness == 3 ? score * score * score : std::pow(score, sharpness);
}

}  // namespace

double pointwise_mutual_information(double together, double frequency_own, double frequency_other,
                                    double total_frequency) {
    return std::log2(together) + std::log2(total_frequency) -
           (std::log2(frequency_own) + std::log2(frequency_other));
}

std::string_view name_of(PairScore score) {
    for (const NamedScore& named : kNames) {
        if (named.score == score) {
            return named.name;
        }
    }
    return "unknown";
}

Result<PairScore> pair_score_by_name(std::string_view name) {
    std::string known;
    for (const NamedScore& named : kNames) {
        if (named.name == name) {
            return named.score;
        }
        known += known.empty() ? "" : ", ";
        known += named.name;
    }
    return invalid_argument(
        fmt::format("pair score '{}' is not known; use one of {}", name, known));
}

Status PairScoreParams::validate() const {
    const std::array<std::pair<const char*, double>, 3> exponents = {{
        {"group exponent", group_exponent},
        {"own exponent", own_exponent},
        {"popularity exponent", other_exponent},
    }};
    for (const auto& [what, value] : exponents) {
        if (!(value >= -4 && value <= 4)) {
            return invalid_argument(fmt::format("{} is {}; expected -4 to 4", what, value));
        }
    }
    if (!(shrinkage >= 0 && std::isfinite(shrinkage))) {
        return invalid_argument(fmt::format("shrinkage is {}; expected 0 or more", shrinkage));
    }
    if (!(sharpness >= 0.25 && sharpness <= 8)) {
        return invalid_argument(fmt::format("sharpness is {}; expected 0.25 to 8", sharpness));
    }
    return Status();
}

double score_pair(const PairScoreParams& params, const PairCounts& counts,
                  const CountTotals& totals) {
    const double pmi = pointwise_mutual_information(counts.together, counts.frequency_own,
                                                    counts.frequency_other, totals.total_frequency);
    switch (params.score) {
        case PairScore::kConditional:
            return sharpened(counts.weighted_together *
                                 std::pow(counts.frequency_own, -params.own_exponent) *
                                 std::pow(counts.frequency_other, -params.other_exponent),
                             params.sharpness);
        case PairScore::kCount:
            return counts.together;
        case PairScore::kCosine:
            return counts.together /
                   (std::sqrt(counts.frequency_own) * std::sqrt(counts.frequency_other) +
                    params.shrinkage);
        case PairScore::kJaccard:
            return jaccard(counts);
        case PairScore::kLogLikelihoodRatio:
            return log_likelihood_ratio(
                counts, totals.num_groups, margins(counts.frequency_own, totals.num_groups),
                margins(counts.frequency_other, totals.num_groups), x_log_x);
        case PairScore::kNormalisedPmi:
            return normalised_pmi(std::log2(counts.together), std::log2(counts.frequency_own),
                                  std::log2(counts.frequency_other), std::log2(totals.num_groups));
        case PairScore::kPmi:
            return pmi;
        case PairScore::kCoocPmi:
            return counts.together * pmi;
    }
    return 0;
}

PairScorer::PairScorer(const PairScoreParams& params, std::span<const std::uint32_t> frequencies,
                       const CountTotals& totals)
    : params_(params), totals_(totals), frequencies_(frequencies.begin(), frequencies.end()) {
    const auto per_item = [&](auto&& factor) {
        std::vector<double> factors(frequencies_.size(), 0);
        for (std::size_t row = 0; row < factors.size(); ++row) {
            if (frequencies_[row] > 0) {
                factors[row] = factor(static_cast<double>(frequencies_[row]));
            }
        }
        return factors;
    };
    switch (params.score) {
        case PairScore::kConditional:
            own_factors_ = per_item([&](double f) { return std::pow(f, -params.own_exponent); });
            other_factors_ =
                per_item([&](double f) { return std::pow(f, -params.other_exponent); });
            break;
        case PairScore::kCosine:
            own_factors_ = per_item([](double f) { return std::sqrt(f); });
            break;
        case PairScore::kLogLikelihoodRatio:
            own_factors_ = per_item([&](double f) { return margins(f, totals.num_groups); });
            break;
        case PairScore::kNormalisedPmi:
        case PairScore::kPmi:
        case PairScore::kCoocPmi:
            own_factors_ = per_item([](double f) { return std::log2(f); });
            break;
        case PairScore::kCount:
        case PairScore::kJaccard:
            break;
    }
}

void PairScorer::score_row(std::uint32_t own_row, std::span<const std::uint32_t> partners,
                           std::span<const double> together, std::span<const double> weighted,
                           std::span<double> scores) const {
    static const WholeNumberTable kXLogX(x_log_x);
    static const WholeNumberTable kLog2(log2_of);
    const auto fill = [&](auto&& score) {
        for (std::size_t index = 0; index < partners.size(); ++index) {
            scores[index] = score(index, partners[index]);
        }
    };
    const double own = own_factors_.empty() ? 0 : own_factors_[own_row];
    const auto counts_of = [&](std::size_t index, std::uint32_t other_row) {
        return PairCounts{.together = together[index],
                          .frequency_own = static_cast<double>(frequencies_[own_row]),
                          .frequency_other = static_cast<double>(frequencies_[other_row])};
    };
    const double log2_total = std::log2(totals_.total_frequency);
    const double log2_groups = std::log2(totals_.num_groups);
    const auto pmi = [&](std::size_t index, std::uint32_t other_row) {
        return kLog2(together[index]) + log2_total - (own + own_factors_[other_row]);
    };
    switch (params_.score) {
        case PairScore::kConditional:
            fill([&](std::size_t index, std::uint32_t other_row) {
                return sharpened(weighted[index] * own * other_factors_[other_row],
                                 params_.sharpness);
            });
            break;
        case PairScore::kCount:
            std::copy(together.begin(), together.end(), scores.begin());
            break;
        case PairScore::kCosine:
            fill([&](std::size_t index, std::uint32_t other_row) {
                return together[index] / (own * own_factors_[other_row] + params_.shrinkage);
            });
            break;
        case PairScore::kJaccard:
            fill([&](std::size_t index, std::uint32_t other_row) {
                return jaccard(counts_of(index, other_row));
            });
            break;
        case PairScore::kLogLikelihoodRatio:
            fill([&](std::size_t index, std::uint32_t other_row) {
                return log_likelihood_ratio(counts_of(index, other_row), totals_.num_groups, own,
                                            own_factors_[other_row], kXLogX);
            });
            break;
        case PairScore::kNormalisedPmi:
            fill([&](std::size_t index, std::uint32_t other_row) {
                return normalised_pmi(kLog2(together[index]), own, own_factors_[other_row],
                                      log2_groups);
            });
            break;
        case PairScore::kPmi:
            fill(pmi);
            break;
        case PairScore::kCoocPmi:
            fill([&](std::size_t index, std::uint32_t other_row) {
                return together[index] * pmi(index, other_row);
            });
            break;
    }
}

}  // namespace segue
