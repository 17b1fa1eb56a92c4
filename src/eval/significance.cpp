#include "eval/significance.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/quantile.h"
#include "base/random.h"

namespace segue {

namespace {

constexpr std::size_t kFewestResamples = 20;
/// Resamples drawn by one call of a worker.
constexpr std::size_t kResamplesInChunk = 8;

/// [num_rows x num_groups] differences from the reference.
std::vector<std::vector<double>> differences_from(std::span<const std::vector<double>> values,
                                                  std::size_t reference) {
    std::vector<std::vector<double>> differences(values.size());
    for (std::size_t row = 0; row < values.size(); ++row) {
        differences[row].resize(values[row].size());
        std::ranges::transform(values[row], values[reference], differences[row].begin(),
                               std::minus<>());
    }
    return differences;
}

double mean_of(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) {
        sum += value;
    }
    return sum / static_cast<double>(values.size());
}

}  // namespace

Status BootstrapOptions::validate() const {
    if (num_resamples < kFewestResamples) {
        return invalid_argument(
            fmt::format("{} resamples; expected {} at least", num_resamples, kFewestResamples));
    }
    if (!(confidence > 0 && confidence < 1)) {
        return invalid_argument(
            fmt::format("confidence is {}; expected between 0 and 1", confidence));
    }
    return Status();
}

std::vector<double> group_values_of(const Judgement& judgement, std::string_view metric) {
    const std::vector<std::string>& names = judgement.group_metric_names;
    const auto found = std::ranges::find(names, metric);
    std::vector<double> values;
    if (found == names.end() || judgement.group_values.empty()) {
        return values;
    }
    values.reserve(judgement.num_groups);
    for (auto at = static_cast<std::size_t>(found - names.begin());
         at < judgement.group_values.size(); at += names.size()) {
        values.push_back(judgement.group_values[at]);
    }
    return values;
}

Result<std::vector<PairedDifference>> paired_bootstrap(std::span<const std::vector<double>> values,
                                                       std::size_t reference,
                                                       const BootstrapOptions& options,
                                                       ThreadPool& pool) {
    if (Status status = options.validate(); !status.ok()) {
        return status;
    }
    SEGUE_ASSERT(reference < values.size());
    const std::size_t num_groups = values[reference].size();
    if (num_groups == 0) {
        return invalid_argument("no values of groups to compare");
    }
    if (std::ranges::any_of(values, [&](const auto& row) { return row.size() != num_groups; })) {
        return invalid_argument("recipes were judged by different groups, expected the same");
    }
    const std::vector<std::vector<double>> differences = differences_from(values, reference);
    std::vector<std::vector<double>> means(values.size(),
                                           std::vector<double>(options.num_resamples));
    const Chunks chunks{options.num_resamples, kResamplesInChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        std::vector<std::uint32_t> times(num_groups);
        for (std::size_t resample = chunks.begin(chunk); resample < chunks.end(chunk); ++resample) {
            std::ranges::fill(times, 0);
            Random random(options.seed, resample);
            for (std::size_t draw = 0; draw < num_groups; ++draw) {
                ++times[random.below(num_groups)];
            }
            for (std::size_t row = 0; row < values.size(); ++row) {
                double sum = 0;
                for (std::size_t group = 0; group < num_groups; ++group) {
                    sum += differences[row][group] * times[group];
                }
                means[row][resample] = sum / static_cast<double>(num_groups);
            }
        }
    });
    std::vector<PairedDifference> result(values.size());
    const double tail = (1 - options.confidence) / 2;
    for (std::size_t row = 0; row < values.size(); ++row) {
        std::ranges::sort(means[row]);
        result[row] = {mean_of(differences[row]), quantile(means[row], tail),
                       quantile(means[row], 1 - tail)};
    }
    return result;
}

}  // namespace segue
