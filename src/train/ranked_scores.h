#pragma once

// Lists of the scores farthest from 0, of either sign: they are selected as magnitudes and told as
// scores.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "data/neighbours.h"

namespace segue {

/// What scores are selected by: themselves, or their magnitudes, which are put into `magnitudes`
/// [count]. Valid as long as that is.
inline const float* selected_by(const float* scores, std::size_t count, bool by_magnitude,
                                float* magnitudes) {
    if (!by_magnitude) {
        return scores;
    }
    std::transform(scores, scores + count, magnitudes, [](float score) { return std::abs(score); });
    return magnitudes;
}

/// Puts scores where a list has magnitudes, best first. `score_of` takes an item's row.
template <typename ScoreOf>
void tell_scores(const ScoreOf& score_of, std::vector<ScoredRow>& list) {
    for (ScoredRow& scored : list) {
        scored.score = score_of(scored.item_row);
    }
    std::sort(list.begin(), list.end(), comes_before);
}

}  // namespace segue
