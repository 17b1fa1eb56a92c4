#pragma once

// Linear models of items by items in closed form: the weights B, zero on the diagonal, for which
// X B is nearest to X. docs/numerics.md has the objective and the sources.

#include <cstddef>
#include <cstdint>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "data/sparse.h"

namespace segue {

struct EaseParams {
    /// Of every weight, in groups.
    double ridge = 300;
    /// Beside it this share of an item's own groups, as if so many of its entries were left out at
    /// random: 0 for plain EASE.
    double dropout = 0;
    /// A group of n items counts n^-a, in proportion: an entry counts 1 on average, so that the
    /// ridge says the same at every exponent.
    double group_exponent = 0;
    /// The most an item's own weight may be: 0 for none, as in EASE. Own weights are of no use to
    /// answers, and are left out of B, but what they take the others need not explain.
    double diagonal = 0;

    /// Returns an error if: a number is not finite or out of its range.
    Status validate() const;
};

/// Memory of train_ease() at its peak, the table left out.
std::uint64_t ease_bytes(std::size_t num_items);

/// B [padded_inverse_size(items) x the same]; B[i][j] is what an i in a history adds to the score
/// of j. `interactions` [groups x items]; values do not count. The same bytes for any number of
/// threads. Returns an error if: parameters are invalid, or the ridge is too small for f32.
Result<Matrix> train_ease(const SparseView& interactions, const EaseParams& params,
                          ThreadPool& pool, const ProgressListener& progress = {});

}  // namespace segue
