#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "data/neighbours.h"
#include "model/model.h"

namespace segue {

/// The answer to a question about nobody and nothing known: the items most groups have. The order
/// is worked out at the first call. Views the model, which must outlive it. Immutable from outside,
/// thread-safe.
class PopularItems {
public:
    explicit PopularItems(const Model& model) : model_(model) {}

    /// Every item with its frequency as score, in the order of comes_before; empty where the model
    /// stores no frequencies. Valid while *this lives.
    std::span<const ScoredRow> all() const;

private:
    const Model& model_;
    mutable std::once_flag sorted_made_;
    mutable std::vector<ScoredRow> sorted_;
};

}  // namespace segue
