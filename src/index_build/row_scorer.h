#pragma once

#include <cstddef>
#include <cstdint>

#include "data/matrix.h"
#include "data/measure.h"

namespace segue {

/// norm^-exponent, 0 for norm 0.
float power_of_norm(float norm, double exponent);

/// The f32 score of one item, the very number ExactIndex::search gives it with the same kernels. It
/// may be infinite or NaN: such items are no results. Views items and query. Immutable,
/// thread-safe.
class RowScorer {
public:
    /// `query` [items.dim] as prepare_query makes it.
    RowScorer(const MatrixView& items, Measure measure, double popularity_exponent,
              const float* query)
        : items_(items),
          measure_(measure),
          exponent_(measure == Measure::kCosine ? 1 : popularity_exponent),
          query_(query) {}

    float operator()(std::uint32_t item_row) const;

    /// Asks for the item's vector, some hundred nanoseconds before it is scored.
    void prefetch(std::uint32_t item_row) const {
        const float* row = items_.data + item_row * items_.stride;
        for (std::size_t i = 0; i < items_.dim; i += kFloatsPerLine) {
            __builtin_prefetch(row + i, 0, 2);
        }
    }

private:
    static constexpr std::size_t kFloatsPerLine = 16;

    MatrixView items_;
    Measure measure_;
    double exponent_;
    const float* query_;
};

}  // namespace segue
