#include "train/graph_walk.h"

#include <algorithm>
#include <span>
#include <utility>

namespace segue {

namespace {

using kernels::kPanel;

kernels::PanelProduct product_of(const SparseMatrix& matrix, const float* table) {
    return {.offsets = matrix.offsets.data(),
            .columns = matrix.columns.data(),
            .values = matrix.values.data(),
            .num_rows = matrix.num_rows,
            .table = table};
}

}  // namespace

GraphWalk::GraphWalk(const SparsePair& table, double sharpening) : sharpening_(sharpening) {
    GatherOrder order = gather_order(table);
    by_group_ = renumbered(table.by_row, order);
    by_item_ = renumbered(table.by_column, {order.columns, order.rows});
    item_places_ = places_in(order.columns);
    item_order_ = std::move(order.columns);
}

/// groups := r R'^T
void GraphWalk::put_into_groups(const SparseView& histories, std::size_t begin, std::size_t end,
                                Scratch& scratch) const {
    float* const sums = scratch.groups();
    std::fill_n(sums, by_group_.num_rows * kPanel, 0.0F);
    const SparseView by_item = by_item_.view();
    for (std::size_t history = begin; history < end; ++history) {
        for (const std::uint32_t item : histories.row_columns(history)) {
            const std::uint32_t place = item_places_[item];
            const std::span<const std::uint32_t> groups = by_item.row_columns(place);
            const std::span<const float> values = by_item.row_values(place);
            for (std::size_t entry = 0; entry < groups.size(); ++entry) {
                sums[groups[entry] * kPanel + history - begin] += values[entry];
            }
        }
    }
}

void GraphWalk::scores(const SparseView& histories, std::size_t begin, std::size_t end,
                       Scratch& scratch, float* out, std::size_t stride) const {
    const kernels::DenseKernels& kernels = *kernels::active_kernels().dense;
    put_into_groups(histories, begin, end, scratch);
    kernels::PanelProduct to_items = product_of(by_item_, scratch.groups());
    const auto ends = [&](kernels::PanelProduct& product) {
        product.rows = item_order_.data();
        product.out = out;
        product.out_stride = stride;
    };
    if (sharpening_ == 0) {
        ends(to_items);
        kernels.multiply_panel(to_items);
        return;
    }
    to_items.out = scratch.first();
    kernels.multiply_panel(to_items);
    // Horner's rule.
    to_items.base = scratch.first();
    to_items.out = scratch.items();
    for (unsigned step = kStepsOfQ; step > 0; --step) {
        kernels::PanelProduct to_groups =
            product_of(by_group_, step == kStepsOfQ ? scratch.first() : scratch.items());
        to_groups.out = scratch.groups();
        kernels.multiply_panel(to_groups);
        to_items.factor = static_cast<float>(-sharpening_ / step);
        if (step == 1) {
            ends(to_items);
        }
        kernels.multiply_panel(to_items);
    }
}

}  // namespace segue
