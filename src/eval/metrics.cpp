#include "eval/metrics.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace segue {

namespace {

/// What a hit is worth at `place`, counted from 0.
double discount(std::size_t place) {
    return 1.0 / std::log2(static_cast<double>(place) + 2.0);
}

}  // namespace

void mark_hits(std::span<const std::uint32_t> list, std::span<const std::uint32_t> relevant,
               std::vector<std::uint8_t>& hits) {
    hits.resize(list.size());
    for (std::size_t place = 0; place < list.size(); ++place) {
        hits[place] = std::binary_search(relevant.begin(), relevant.end(), list[place]) ? 1 : 0;
    }
}

ListMetrics list_metrics(std::span<const std::uint8_t> hits, std::size_t num_relevant,
                         std::size_t k) {
    SEGUE_ASSERT(k > 0 && num_relevant > 0);
    ListMetrics metrics;
    std::size_t num_hits = 0;
    double gain = 0;
    double sum_of_precisions = 0;
    for (std::size_t place = 0; place < std::min(k, hits.size()); ++place) {
        if (hits[place] == 0) {
            continue;
        }
        ++num_hits;
        gain += discount(place);
        sum_of_precisions += static_cast<double>(num_hits) / static_cast<double>(place + 1);
        if (num_hits == 1) {
            metrics.reciprocal_rank = 1.0 / static_cast<double>(place + 1);
        }
    }
    SEGUE_ASSERT(num_hits <= num_relevant);
    if (num_hits == 0) {
        return metrics;
    }
    const std::size_t best_hits = std::min(k, num_relevant);
    double best_gain = 0;
    for (std::size_t place = 0; place < best_hits; ++place) {
        best_gain += discount(place);
    }
    metrics.recall = static_cast<double>(num_hits) / static_cast<double>(num_relevant);
    metrics.ndcg = gain / best_gain;
    metrics.hit_rate = 1;
    metrics.precision = static_cast<double>(num_hits) / static_cast<double>(k);
    metrics.average_precision = sum_of_precisions / static_cast<double>(best_hits);
    return metrics;
}

}  // namespace segue
