#pragma once

// What single and batched search share: the query as it is multiplied, and the rows that may not be
// offered.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/status.h"
#include "data/measure.h"

namespace segue {

/// Returns an error if: an element is not finite.
Status check_query(std::span<const float> query);

/// Returns an error if: the query has another dimension than the items, min_score is NaN, or the
/// exponent is not finite or given with another measure than kDot.
Status check_search(std::size_t query_dim, std::size_t items_dim, Measure measure,
                    double popularity_exponent, std::optional<float> min_score);

/// Writes the query as dot products want it to `out` [query.size()]: of length 1 (or 0) for
/// Measure::kCosine.
void prepare_query(std::span<const float> query, Measure measure, float* out);

/// Whether the bitmap, if there is one, has the row.
inline bool is_allowed(std::span<const std::uint64_t> allowed, std::uint32_t row) {
    return allowed.empty() || (allowed[row / 64] >> (row % 64) & 1) != 0;
}

/// Walks an ascending list of rows beside ascending questions. Not thread-safe.
class ExcludedRows {
public:
    ExcludedRows() = default;
    /// Only rows from `first_row` on will be asked for.
    ExcludedRows(std::span<const std::uint32_t> rows, std::uint32_t first_row) : rows_(rows) {
        skip_below(first_row);
    }

    /// Requires: `row` is not below that of the call before.
    bool contains(std::uint32_t row) {
        skip_below(row);
        return next_ < rows_.size() && rows_[next_] == row;
    }

private:
    void skip_below(std::uint32_t row) {
        while (next_ < rows_.size() && rows_[next_] < row) {
            ++next_;
        }
    }
    std::span<const std::uint32_t> rows_;
    std::size_t next_ = 0;
};

}  // namespace segue
