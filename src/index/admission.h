#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "data/neighbours.h"
#include "index/score_bounds.h"
#include "index_build/row_scorer.h"
#include "index_build/top_k.h"

namespace segue {

/// Finds the best k of items whose scores are known to within bounds: keeps every item whose upper
/// bound reaches the k-th best lower one, and scores what is left by f32 in the end (or before,
/// where bounds tell too few apart, so that memory stays at some k). Not thread-safe.
class Admission {
public:
    /// Begins anew. Views its arguments until finish.
    void start(std::size_t k, std::optional<float> min_score, const QuantisedQuery& query,
               const RowScorer& score_of);

    /// Items whose upper bound is less are not wanted: in units of the query. Never falls.
    float threshold() const { return threshold_; }

    /// Requires: k items that may be results reach `lower`.
    void raise_threshold(float lower) { threshold_ = std::max(threshold_, lower); }

    /// Requires: an item not offered before.
    void offer(std::uint32_t item_row, const ScoreRange& range) {
        if (range.upper < threshold_) {
            return;
        }
        constexpr float kLowest = -std::numeric_limits<float>::infinity();
        pending_.push_back({range.lower > kLowest ? range.lower : kLowest, range.upper, item_row});
        if (pending_.size() >= capacity_) {
            cut();
        }
    }

    /// The best k by f32 scores, in order. Valid until the next start.
    std::span<const ScoredRow> finish();

    /// Items offered that were above the threshold, and those scored by f32.
    std::uint64_t num_admitted() const { return num_admitted_ + pending_.size(); }
    std::uint64_t num_rescored() const { return num_rescored_; }

private:
    struct Candidate {
        float lower;
        float upper;
        std::uint32_t item_row;
    };

    void cut();
    /// Raises the threshold to the k-th lower bound and drops what is below it.
    void drop_below();
    /// Scores all that is pending by f32.
    void rescore();

    std::size_t k_ = 0;
    const QuantisedQuery* query_ = nullptr;
    std::optional<RowScorer> score_of_;
    float threshold_ = 0;
    std::size_t capacity_ = 0;
    std::size_t most_ = 0;
    std::vector<Candidate> pending_;
    TopK best_;
    std::uint64_t num_admitted_ = 0;
    std::uint64_t num_rescored_ = 0;
};

}  // namespace segue
