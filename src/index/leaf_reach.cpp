#include "index/leaf_reach.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "index/prepared_search.h"
#include "index/tree_query.h"

namespace segue {
namespace {

/// Where items' scores lie that are compared with the centre of their leaf.
struct Spread {
    double mean = 0;
    double deviation = 0;
};

/// The scores of leaves, and what is expected of their items, for one query.
class LeafExpectation {
public:
    LeafExpectation(const SearchTerms& terms, const TreeQuery& query,
                    const TreeQueryScratch& scratch)
        : tables_(terms.index.tables),
          tree_(terms.index.tree),
          query_(query),
          scores_(query.leaf_ranks(scratch)) {
        if (tables_.measure == Measure::kDot &&
            terms.popularity_exponent != tables_.built_exponent) {
            factors_ = scratch.factors;
            greatest_ = std::max(factors_[tree_.lowest_level], factors_[tree_.highest_level]);
        }
    }

    /// A score of a result in the unit of those of leaves.
    double in_leaf_units(float score) const {
        const auto largest = static_cast<double>(query_.largest());
        if (tables_.measure == Measure::kSquaredL2) {
            const double norm = largest * static_cast<double>(query_.length());
            return (static_cast<double>(score) + norm * norm) / (2 * largest);
        }
        return static_cast<double>(score) / largest / greatest_;
    }

    Spread of(std::size_t leaf) const {
        const auto spread = static_cast<double>(tree_.leaf_spreads[leaf]);
        const auto length = static_cast<double>(query_.length());
        const auto score = static_cast<double>(scores_[leaf]);
        if (tables_.measure == Measure::kSquaredL2) {
            const double scale = 0.5 / static_cast<double>(query_.largest());
            const double squared = length * length - 4 * scale * score;
            return {score - scale * spread * spread * static_cast<double>(tables_.dim),
                    spread * std::sqrt(std::max(0.0, squared))};
        }
        const double factor = greatest_ == 1 ? 1 : factors_[tree_.leaf_levels[leaf]] / greatest_;
        const auto offset = static_cast<double>(tree_.centre_offsets[leaf]);
        return {score - offset * length * factor, spread * length * factor};
    }

private:
    const IndexTables& tables_;
    const TreeTables& tree_;
    const TreeQuery& query_;
    std::span<const float> scores_;
    std::array<double, kernels::kNumLevels> factors_ = {};
    double greatest_ = 1;
};

/// The share of normally spread values that are more than `deviations` above their mean, to about
/// one in ten thousand.
double share_above(double deviations) {
    return 1 / (1 + std::exp(deviations * (1.5976 + 0.070566 * deviations * deviations)));
}

/// The least threshold such that the values not above it sum up to at most `most`; below 0 where
/// there is none. Values are not negative; those within an eighth of each other may count as one.
float threshold_below(std::span<const float> values, double most) {
    // Positive floats sort as their bits do: three of them behind the exponent make a bucket.
    constexpr unsigned kShift = 20;
    std::array<double, std::size_t{1} << (31 - kShift)> sums = {};
    const auto bucket_of = [](float value) {
        return std::bit_cast<std::uint32_t>(value) >> kShift;
    };
    for (const float value : values) {
        sums[bucket_of(value)] += static_cast<double>(value);
    }
    double sum = 0;
    std::uint32_t bucket = 0;
    while (bucket < sums.size() && sum + sums[bucket] <= most) {
        sum += sums[bucket];
        ++bucket;
    }
    return bucket == 0 ? -1 : std::bit_cast<float>((bucket << kShift) - 1);
}

/// Leaves at the front those that are best until their entries which pass are as many as wanted.
/// Returns how many leaves these are.
std::size_t cut_to(std::span<std::uint32_t> leaves, std::span<const float> scores,
                   std::span<const std::uint32_t> passing, double wanted) {
    const auto is_better = [&](std::uint32_t left, std::uint32_t right) {
        return scores[left] > scores[right] || (scores[left] == scores[right] && left < right);
    };
    std::size_t begin = 0;
    std::size_t end = leaves.size();
    double taken = 0;
    while (begin < end) {
        const std::size_t middle = (begin + end) / 2;
        std::nth_element(leaves.begin() + begin, leaves.begin() + middle, leaves.begin() + end,
                         is_better);
        double sum = taken;
        for (std::size_t i = begin; i <= middle; ++i) {
            sum += passing[leaves[i]];
        }
        if (sum >= wanted) {
            end = middle;
        } else {
            begin = middle + 1;
            taken = sum;
        }
    }
    return std::min(leaves.size(), begin + 1);
}

}  // namespace

std::vector<float> leaf_spreads(const IndexTables& tables) {
    std::array<double, 256> factors = {};
    const double exponent = tables.measure == Measure::kSquaredL2 ? 0
                            : tables.measure == Measure::kCosine  ? 1
                                                                  : tables.built_exponent;
    for (std::size_t level = 0; level < factors.size(); ++level) {
        const double middle =
            static_cast<double>(tables.norm_low) *
            std::pow(static_cast<double>(tables.norm_ratio), static_cast<double>(level) + 0.5);
        factors[level] = std::pow(middle, -2 * exponent);
    }
    std::vector<float> spreads(tables.num_leaves());
    for (std::size_t leaf = 0; leaf < spreads.size(); ++leaf) {
        const std::size_t begin = tables.leaf_offsets[leaf];
        const std::size_t end = tables.leaf_offsets[leaf + 1];
        double squared = 0;
        for (std::size_t position = begin; position < end; ++position) {
            const auto norm = static_cast<double>(tables.norms[position]);
            squared += exponent == 1 ? (norm > 0 ? 1 : 0)
                                     : norm * norm * factors[tables.norm_levels[position]];
        }
        squared /= static_cast<double>(std::max<std::size_t>(1, end - begin));
        for (const float value : tables.leaf_centres.row(leaf)) {
            squared -= static_cast<double>(value) * static_cast<double>(value);
        }
        const double spread = std::sqrt(std::max(0.0, squared) / static_cast<double>(tables.dim));
        spreads[leaf] = std::isfinite(spread) ? static_cast<float>(spread) : 0;
    }
    return spreads;
}

void choose_passing(std::span<const float> scores, const TreeTables& tree, const LeafFilter& filter,
                    std::size_t num_leaves, SelectBuffers& select, ReachBuffers& buffers,
                    std::vector<std::uint32_t>& leaves) {
    constexpr float kNothing = -std::numeric_limits<float>::infinity();
    const std::span<const std::uint32_t> passing = filter.leaf_entries();
    choose_best(scores, num_leaves, select, leaves);
    double share = 0;
    for (const std::uint32_t leaf : leaves) {
        share += tree.leaf_entries[leaf];
    }
    share /= static_cast<double>(std::max<std::uint64_t>(1, tree.num_entries));
    double num_passing = 0;
    buffers.scores.assign(scores.begin(), scores.end());
    for (std::size_t leaf = 0; leaf < passing.size(); ++leaf) {
        num_passing += passing[leaf];
        buffers.scores[leaf] = passing[leaf] != 0 ? scores[leaf] : kNothing;
    }
    const bool is_all = num_leaves >= tree.num_filled_leaves;
    const double wanted = share * num_passing;
    std::size_t count = is_all ? scores.size() : num_leaves;
    for (;;) {
        choose_best(buffers.scores, count, select, leaves);
        double sum = 0;
        for (const std::uint32_t leaf : leaves) {
            sum += passing[leaf];
        }
        if (is_all) {
            return;
        }
        if (sum >= wanted || leaves.size() < count) {
            break;
        }
        count += count;
    }
    leaves.resize(cut_to(leaves, scores, passing, wanted));
    std::sort(leaves.begin(), leaves.end());
}

bool add_promising(const SearchTerms& terms, float last_score, double most_missed,
                   const TreeQueryScratch& scratch, ReachBuffers& buffers, TreeQuery& query) {
    // Further from the last result than this, not one in a million is better.
    constexpr double kMostDeviations = 5;
    const std::span<const std::uint32_t> passing =
        terms.filter != nullptr ? terms.filter->leaf_entries() : terms.index.tree.leaf_entries;
    const LeafExpectation expectation(terms, query, scratch);
    const double threshold = expectation.in_leaf_units(last_score);
    std::vector<float>& expected = buffers.expected;
    expected.assign(passing.size(), 0);
    for (std::size_t leaf = 0; leaf < passing.size(); ++leaf) {
        if (passing[leaf] == 0) {
            continue;
        }
        const Spread spread = expectation.of(leaf);
        const double distance = threshold - spread.mean;
        if (distance < kMostDeviations * spread.deviation) {
            const double share =
                spread.deviation > 0 ? share_above(distance / spread.deviation) : 1;
            // What cannot be told, beyond the range of numbers, is read.
            expected[leaf] = static_cast<float>((share >= 0 ? share : 1) * passing[leaf]);
        }
    }
    for (const std::uint32_t leaf : query.leaves()) {
        expected[leaf] = 0;
    }
    const float cut = threshold_below(expected, most_missed);
    buffers.leaves.assign(query.leaves().begin(), query.leaves().end());
    for (std::size_t leaf = 0; leaf < expected.size(); ++leaf) {
        if (expected[leaf] > std::max(cut, 0.0F)) {
            buffers.leaves.push_back(static_cast<std::uint32_t>(leaf));
        }
    }
    if (buffers.leaves.size() == query.leaves().size()) {
        return false;
    }
    std::sort(buffers.leaves.begin(), buffers.leaves.end());
    query.set_leaves(buffers.leaves);
    return true;
}

}  // namespace segue
