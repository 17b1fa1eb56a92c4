#include "cooc/best_partners.h"

#include <algorithm>

namespace segue {

void BestPartners::halve() {
    std::nth_element(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1),
                     kept_.end(), comes_before);
    kept_.resize(k_);
    threshold_ = kept_.back().score;
}

std::span<const ScoredRow> BestPartners::take_sorted() {
    if (kept_.size() > k_) {
        halve();
    }
    std::sort(kept_.begin(), kept_.end(), comes_before);
    return kept_;
}

}  // namespace segue
