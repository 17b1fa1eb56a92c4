#pragma once

// Histories walked over the graph of groups and items: r P q(P), where P = R'^T R' and
//     q(P) = 1 - T P + T^2 P^2 / 2 - T^3 P^3 / 6 + T^4 P^4 / 24
// is one step of Runge and Kutta along ds/dt = -s P. P is never made: scores go to groups and back.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/sparse.h"
#include "kernels/dense_kernels.h"
#include "linalg/gather_order.h"

namespace segue {

inline constexpr unsigned kStepsOfQ = 4;

/// Immutable, thread-safe.
class GraphWalk {
public:
    /// What scores are worked out in; one a thread.
    class Scratch {
    public:
        explicit Scratch(const GraphWalk& walk)
            : memory_((walk.by_group_.num_rows + 2 * walk.by_item_.num_rows) * kernels::kPanel),
              num_items_(walk.by_item_.num_rows) {}

    private:
        friend class GraphWalk;

        /// [num_items x kPanel]: r P, and scores on their way; [num_groups x kPanel] behind them.
        float* first() { return memory_.data(); }
        float* items() { return first() + num_items_ * kernels::kPanel; }
        float* groups() { return items() + num_items_ * kernels::kPanel; }

        AlignedBuffer<float> memory_;  // one, as large ones are on large pages
        std::size_t num_items_;
    };

    GraphWalk() = default;
    /// R' has group_scales[g] * item_scales[i] where `table` [groups x items], given with its
    /// transpose, has an entry; their values do not count. `sharpening` is T. Requires: scales
    /// [num_groups] and [num_items] are finite and above 0.
    GraphWalk(const SparsePair& table, std::span<const float> group_scales,
              std::span<const float> item_scales, double sharpening);

    /// The score of item i for history begin + h goes to out[i * stride + h]; where there is no
    /// such history, h < kPanel, it is 0. Requires: end - begin <= kPanel; histories
    /// [.. x num_items]; `out` and `stride` are multiples of kPanel floats.
    void scores(const SparseView& histories, std::size_t begin, std::size_t end, Scratch& scratch,
                float* out, std::size_t stride) const;

private:
    void put_into_groups(const SparseView& histories, std::size_t begin, std::size_t end,
                         Scratch& scratch) const;

    // Rows and columns are numbered anew, so that what is gathered comes from cache.
    std::vector<std::uint32_t> item_order_;   // the item at each place
    std::vector<std::uint32_t> item_places_;  // the place of each item
    SparseMatrix by_group_;                   // the table
    SparseMatrix by_item_;                    // its transpose
    // Scores are kept times the scale of their row, so that they are added as they are.
    std::vector<float> group_squares_;  // [num_groups] squares of scales
    std::vector<float> item_squares_;
    std::vector<float> item_scales_;
    std::vector<float> over_item_scales_;  // 1 / scale
    double sharpening_ = 0;
};

}  // namespace segue
