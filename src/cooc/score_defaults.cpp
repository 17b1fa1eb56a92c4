#include "cooc/score_defaults.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace segue {

namespace {

constexpr std::size_t kSampledItems = 512;

}  // namespace

Result<double> mean_support(const CountInput& input, const CountOptions& options) {
    const Result<PairCounter> counter = PairCounter::create(input, options, Partners::kAll);
    if (!counter.ok()) {
        return counter.status();
    }
    const std::size_t num_items = counter->num_items();
    const std::size_t num_sampled = std::min(num_items, kSampledItems);
    RowAccumulator scratch = counter->make_scratch();
    double together = 0;
    double num_pairs = 0;
    for (std::size_t sample = 0; sample < num_sampled; ++sample) {
        const auto item_row = static_cast<std::uint32_t>(sample * num_items / num_sampled);
        const PairRow row = counter->count(item_row, scratch);
        together = std::accumulate(row.together.begin(), row.together.end(), together);
        num_pairs += static_cast<double>(row.partners.size());
    }
    return num_pairs > 0 ? together / num_pairs : 0;
}

double sharpness_for(double mean_support) {
    return std::round(2 * std::clamp(mean_support / 2, 1.0, 3.0)) / 2;
}

}  // namespace segue
