#include "index_truth.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/sparse.h"
#include "index/exact_index.h"

namespace segue::bench {
namespace {

constexpr std::uint32_t kNoRow = 0xFFFFFFFF;
constexpr double kTolerance = 1e-3;

double dot(std::span<const float> left, std::span<const float> right) {
    double sum = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        sum += static_cast<double>(left[i]) * static_cast<double>(right[i]);
    }
    return sum;
}

/// Of one query; negative where the distances say nothing (duplicates).
double dimension_at(const float* scores) {
    // Vectors of length 1: the squared distance is 2 - 2 * score.
    const auto distance = [&](std::size_t i) {
        return std::sqrt(std::max(0.0, 2 - 2 * static_cast<double>(scores[i])));
    };
    const double last = distance(kTruthSize - 1);
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i + 1 < kTruthSize; ++i) {
        if (distance(i) > 0 && distance(i) < last) {
            sum += std::log(distance(i) / last);
            ++count;
        }
    }
    return sum < 0 ? -static_cast<double>(count) / sum : -1;
}

}  // namespace

Result<SetTruth> compute_truth(const VectorSet& set, ThreadPool& pool) {
    const ExactIndex index(set.items.view(), Measure::kDot);
    const std::size_t num_queries = set.queries.num_rows();
    BatchSearchOptions options{.k = kTruthSize};
    std::vector<std::uint64_t> offsets(num_queries + 1);
    if (!set.self.empty()) {
        for (std::size_t query = 0; query <= num_queries; ++query) {
            offsets[query] = query;
        }
        options.excluded = {.num_rows = num_queries,
                            .num_columns = set.items.num_rows(),
                            .offsets = offsets,
                            .columns = set.self,
                            .values = {}};
    }
    const auto lists = index.search_batch(set.queries.view(), options, pool);
    if (!lists.ok()) {
        return lists.status();
    }
    SetTruth truth;
    truth.rows.assign(num_queries * kTruthSize, kNoRow);
    truth.scores.assign(num_queries * kTruthSize, -std::numeric_limits<float>::infinity());
    for (std::size_t query = 0; query < num_queries; ++query) {
        const std::uint64_t begin = lists->offsets[query];
        for (std::uint64_t i = begin; i < lists->offsets[query + 1]; ++i) {
            truth.rows[query * kTruthSize + (i - begin)] = lists->item_rows[i];
            truth.scores[query * kTruthSize + (i - begin)] = lists->scores[i];
        }
    }
    return truth;
}

IntrinsicDimension intrinsic_dimension(const VectorSet& set, const SetTruth& truth) {
    if (!set.unit || set.items.num_rows() < kTruthSize) {
        return {};
    }
    std::vector<double> found;
    for (std::size_t query = 0; query < set.queries.num_rows(); ++query) {
        if (const double at = dimension_at(truth.scores.data() + query * kTruthSize); at > 0) {
            found.push_back(at);
        }
    }
    if (found.empty()) {
        return {};
    }
    std::sort(found.begin(), found.end());
    double sum = 0;
    for (const double value : found) {
        sum += value;
    }
    return {.mean = sum / static_cast<double>(found.size()),
            .low = found[found.size() / 10],
            .high = found[found.size() * 9 / 10]};
}

double recall_by_score(const VectorSet& set, const SetTruth& truth,
                       std::span<const std::uint32_t> answers, std::size_t k) {
    std::size_t reached = 0;
    const std::size_t num_queries = answers.size() / k;
    for (std::size_t query = 0; query < num_queries; ++query) {
        const double last = static_cast<double>(truth.scores[query * kTruthSize + k - 1]);
        const double enough = last - kTolerance * std::abs(last);
        std::vector<std::uint32_t> rows(
            answers.begin() + static_cast<std::ptrdiff_t>(query * k),
            answers.begin() + static_cast<std::ptrdiff_t>((query + 1) * k));
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
        for (const std::uint32_t row : rows) {
            if (row < set.items.num_rows() && (set.self.empty() || row != set.self[query]) &&
                dot(set.queries.row(query), set.items.row(row)) >= enough) {
                ++reached;
            }
        }
    }
    return static_cast<double>(reached) / static_cast<double>(num_queries * k);
}

double recall_by_row(const SetTruth& truth, std::span<const std::uint32_t> answers, std::size_t k) {
    std::size_t reached = 0;
    const std::size_t num_queries = answers.size() / k;
    for (std::size_t query = 0; query < num_queries; ++query) {
        const auto begin = truth.rows.begin() + static_cast<std::ptrdiff_t>(query * kTruthSize);
        const auto end = begin + static_cast<std::ptrdiff_t>(k);
        const auto given = answers.subspan(query * k, k);
        reached += static_cast<std::size_t>(std::count_if(begin, end, [&](std::uint32_t row) {
            return std::find(given.begin(), given.end(), row) != given.end();
        }));
    }
    return static_cast<double>(reached) / static_cast<double>(num_queries * k);
}

}  // namespace segue::bench
