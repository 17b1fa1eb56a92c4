#pragma once

// How much the items of a leaf may score at most: their centre's score, and what a vector as far
// from it as the furthest of them may add. Exact searches skip what that shows to be too low. For a
// query q and the x of a leaf with centre c,
//     q.x <= q.c + ||q|| ||x - c||.

#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "index_build/index_tables.h"

namespace segue {

/// What a leaf's x lie in.
struct LeafBall {
    /// Not less than ||x - centre|| of any x of the leaf; infinite where that is not known.
    float radius = 0;
    /// Not less than ||centre||.
    float length = 0;
};

/// [num_leaves]; reads every int8 row.
std::vector<LeafBall> derive_leaf_balls(const IndexTables& tables);

/// The balls of an index, derived when they are first asked for: opening reads no rows.
/// Thread-safe.
class LeafBalls {
public:
    /// [num_leaves] Requires: the same tables each time.
    std::span<const LeafBall> of(const IndexTables& tables) const {
        std::call_once(derived_, [&] { balls_ = derive_leaf_balls(tables); });
        return balls_;
    }

private:
    mutable std::once_flag derived_;
    mutable std::vector<LeafBall> balls_;
};

}  // namespace segue
