#pragma once

// Keeps the best k of many scored partners: everything not worse than the k-th best seen so far
// goes to a buffer of 2k, which is halved when full; most partners cost one comparison.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "data/neighbours.h"

namespace segue {

/// Use: clear(), any number of offer(), take_sorted(). Not thread-safe.
class BestPartners {
public:
    /// Requires: k > 0.
    explicit BestPartners(std::size_t k) : k_(k) {}

    /// Empty, for another k, with the memory kept. Requires: k > 0.
    void reset(std::size_t k) {
        k_ = k;
        clear();
    }
    void clear() {
        kept_.clear();
        threshold_ = -std::numeric_limits<float>::infinity();
    }
    void offer(ScoredRow partner) {
        if (partner.score < threshold_) {
            return;
        }
        kept_.push_back(partner);
        if (kept_.size() >= 2 * k_) {
            halve();
        }
    }
    /// Partners that score below this are not kept. Never falls.
    float threshold() const { return threshold_; }
    /// The best k offered, best first by comes_before. Valid until the next call.
    std::span<const ScoredRow> take_sorted();

private:
    void halve();

    std::size_t k_;
    float threshold_ = -std::numeric_limits<float>::infinity();
    std::vector<ScoredRow> kept_;
};

}  // namespace segue
