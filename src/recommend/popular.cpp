#include "recommend/popular.h"

#include <algorithm>

namespace segue {

std::span<const ScoredRow> PopularItems::all() const {
    std::call_once(sorted_made_, [this] {
        const std::span<const std::uint32_t> frequencies = model_.item_frequencies();
        sorted_.reserve(frequencies.size());
        for (std::uint32_t row = 0; row < frequencies.size(); ++row) {
            sorted_.push_back({row, static_cast<float>(frequencies[row])});
        }
        std::sort(sorted_.begin(), sorted_.end(), comes_before);
    });
    return sorted_;
}

}  // namespace segue
