#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "data/neighbours.h"

namespace segue {

/// Keeps the best k (comes_before) of many candidates: a buffer somewhat larger than k that is cut
/// back to k whenever it is full, which costs a few nanoseconds a candidate and no heap. Not
/// thread-safe.
class TopK {
public:
    /// Begins anew. With `min_score`, candidates below it are not kept.
    void start(std::size_t k, std::optional<float> min_score = {}) {
        k_ = k;
        capacity_ = k + std::max<std::size_t>(k / 2, 16);
        constexpr float kLowest = -std::numeric_limits<float>::infinity();
        worst_.item_row = 0;
        worst_.score = k == 0      ? -kLowest
                       : min_score ? std::nextafter(*min_score, kLowest)
                                   : kLowest;
        candidates_.clear();
    }

    /// Candidates that score less are not kept, nor those that score the same and have a row behind
    /// those of all candidates before them. Never falls.
    float threshold() const { return worst_.score; }
    /// What candidates have to come before (comes_before) to be kept.
    const ScoredRow& worst() const { return worst_; }

    /// Requires: a score that is not NaN, a row not offered before.
    void offer(const ScoredRow& candidate) {
        if (comes_before(candidate, worst_)) {
            candidates_.push_back(candidate);
            if (candidates_.size() >= capacity_) {
                cut();
            }
        }
    }

    /// The best k in order, fewer if there were fewer. Valid until the next call.
    std::span<const ScoredRow> finish() {
        if (candidates_.size() > k_) {
            cut();
        }
        std::sort(candidates_.begin(), candidates_.end(), comes_before);
        return candidates_;
    }

private:
    void cut() {
        const auto last = candidates_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
        std::nth_element(candidates_.begin(), last, candidates_.end(), comes_before);
        worst_ = *last;
        candidates_.resize(k_);
    }

    std::size_t k_ = 0;
    std::size_t capacity_ = 0;
    ScoredRow worst_ = {0, std::numeric_limits<float>::infinity()};
    std::vector<ScoredRow> candidates_;
};

}  // namespace segue
