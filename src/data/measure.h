#pragma once

namespace segue {

/// Larger scores are better in every measure.
enum class Measure {
    kDot,        // q . j
    kCosine,     // q . j / (||q|| ||j||), 0 where one of them is zero
    kSquaredL2,  // -||q - j||^2
};

}  // namespace segue
