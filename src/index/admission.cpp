#include "index/admission.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segue {
namespace {

/// Room beside k: cutting back then costs a few nanoseconds a candidate.
constexpr std::size_t kLeastRoom = 64;
/// Candidates whose bounds overlap are kept up to this many and four times k, then scored.
constexpr std::size_t kMostCandidates = 1024;
/// Vectors that are asked for before they are scored.
constexpr std::size_t kPrefetched = 12;

}  // namespace

void Admission::start(std::size_t k, std::optional<float> min_score, const QuantisedQuery& query,
                      const RowScorer& score_of) {
    k_ = k;
    query_ = &query;
    score_of_ = score_of;
    threshold_ = min_score ? query.units_of(*min_score) : -std::numeric_limits<float>::infinity();
    capacity_ = 2 * k + kLeastRoom;
    most_ = 4 * k + kMostCandidates;
    pending_.clear();
    best_.start(k, min_score);
    num_admitted_ = 0;
    num_rescored_ = 0;
}

void Admission::drop_below() {
    if (pending_.size() > k_) {
        const auto kth = pending_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
        std::nth_element(
            pending_.begin(), kth, pending_.end(),
            [](const Candidate& left, const Candidate& right) { return left.lower > right.lower; });
        threshold_ = std::max(threshold_, kth->lower);
    }
    const auto end =
        std::remove_if(pending_.begin(), pending_.end(),
                       [this](const Candidate& candidate) { return candidate.upper < threshold_; });
    num_admitted_ += static_cast<std::uint64_t>(pending_.end() - end);
    pending_.erase(end, pending_.end());
}

void Admission::cut() {
    drop_below();
    if (pending_.size() > most_ / 2) {
        rescore();
    }
    capacity_ = std::min(most_, 2 * std::max(pending_.size(), k_) + kLeastRoom);
}

void Admission::rescore() {
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        if (i + kPrefetched < pending_.size()) {
            score_of_->prefetch(pending_[i + kPrefetched].item_row);
        }
        const std::uint32_t row = pending_[i].item_row;
        const float score = (*score_of_)(row);
        if (std::isfinite(score)) {
            best_.offer({row, score});
        }
    }
    num_rescored_ += pending_.size();
    num_admitted_ += pending_.size();
    pending_.clear();
    if (std::isfinite(best_.threshold())) {
        threshold_ = std::max(threshold_, query_->units_of(best_.threshold()));
    }
}

std::span<const ScoredRow> Admission::finish() {
    drop_below();
    rescore();
    return best_.finish();
}

}  // namespace segue
