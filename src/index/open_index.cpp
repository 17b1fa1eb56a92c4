#include <algorithm>
#include <cmath>
#include <limits>

#include "index/prepared_search.h"

namespace segue {

OpenIndex derive_bounds(const IndexTables& tables, const MatrixView& items) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    OpenIndex index;
    index.tables = tables;
    index.items = items;
    index.block_lengths = AlignedBuffer<float>(tables.block_errors.size());
    float longest = 0;
    float shortest = kInfinity;
    const bool unit = tables.measure == Measure::kCosine;
    const bool own = tables.measure == Measure::kSquaredL2 || tables.built_exponent == 0;
    for (std::size_t block = 0; block < index.block_lengths.size(); ++block) {
        const std::size_t begin = block * kBlockPositions;
        const std::size_t end = std::min(begin + kBlockPositions, tables.num_items);
        double length = 0;
        for (std::size_t position = begin; position < end; ++position) {
            const float norm = tables.norms[position];
            if (!std::isfinite(norm) || norm < 0) {
                length = static_cast<double>(kInfinity);
                continue;
            }
            longest = std::max(longest, norm);
            shortest = norm > 0 ? std::min(shortest, norm) : shortest;
            const double exact = static_cast<double>(norm);
            const double of_x = unit        ? 1
                                : own       ? exact
                                : norm == 0 ? 0
                                            : std::pow(exact, 1 - tables.built_exponent);
            length = std::max(length, of_x);
        }
        // Rounding of the norm itself is far below one part in a thousand for up to 4096
        // dimensions.
        index.block_lengths[block] = static_cast<float>(length * 1.001);
    }
    index.longest_norm = static_cast<double>(longest);
    index.shortest_norm = shortest == kInfinity ? 0 : static_cast<double>(shortest);
    return index;
}

}  // namespace segue
