#pragma once

// Whether one recipe is better than another, or was luckier with the groups it was judged by. Every
// group is judged under every recipe, so the differences are taken group by group and the groups
// resampled: the paired percentile bootstrap (Efron and Tibshirani, "An Introduction to the
// Bootstrap", 1993, chapter 13; for ranked lists Sakai, "Evaluating Evaluation Metrics based on the
// Bootstrap", 2006).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "eval/judge.h"

namespace segue {

struct BootstrapOptions {
    std::size_t num_resamples = 1000;
    double confidence = 0.95;
    std::uint64_t seed = 1;

    /// Returns an error if: there are fewer than 20 resamples or the confidence is not in (0, 1).
    Status validate() const;
};

/// How far one recipe is from the reference: mean of (its value - the reference's) over the groups.
struct PairedDifference {
    double mean = 0;
    double low = 0;  // of the interval
    double high = 0;

    /// The interval has 0 in it: these groups do not tell the two apart.
    bool is_tie() const { return low <= 0 && high >= 0; }
};

/// The values of one metric, in the order of Judgement::group_rows; empty when the judge did not
/// keep them or does not know the metric.
std::vector<double> group_values_of(const Judgement& judgement, std::string_view metric);

/// One difference for each row of `values`, all [num_groups] in the same order of groups, against
/// row `reference` (whose own is zero). The same for any number of threads.
/// Returns an error if: options are invalid, the rows differ in length, or they are empty.
Result<std::vector<PairedDifference>> paired_bootstrap(std::span<const std::vector<double>> values,
                                                       std::size_t reference,
                                                       const BootstrapOptions& options,
                                                       ThreadPool& pool);

}  // namespace segue
