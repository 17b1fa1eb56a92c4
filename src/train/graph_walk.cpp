#include "train/graph_walk.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

namespace segue {

namespace {

using kernels::kPanel;

kernels::PanelProduct product_of(const SparseMatrix& matrix, const std::vector<float>& factors,
                                 const float* table) {
    return {.offsets = matrix.offsets.data(),
            .columns = matrix.columns.data(),
            .num_rows = matrix.num_rows,
            .table = table,
            .factors = factors.data()};
}

/// What scales are divided by so that their squares are as far from overflow as from 0.
double middle_of(std::span<const float> scales) {
    const auto [least, greatest] = std::ranges::minmax(scales);
    return std::sqrt(static_cast<double>(least)) * std::sqrt(static_cast<double>(greatest));
}

float square_of(double value) {
    return static_cast<float>(value * value);
}

}  // namespace

GraphWalk::GraphWalk(const SparsePair& table, std::span<const float> group_scales,
                     std::span<const float> item_scales, double sharpening)
    : sharpening_(sharpening) {
    SparsePair entries = table;
    entries.by_row.values = {};
    entries.by_column.values = {};
    GatherOrder order = gather_order(entries);
    by_group_ = renumbered(entries.by_row, order);
    by_item_ = renumbered(entries.by_column, {order.columns, order.rows});
    const double middle = middle_of(item_scales);
    for (const std::uint32_t group : order.rows) {
        group_squares_.push_back(square_of(static_cast<double>(group_scales[group]) * middle));
    }
    for (const std::uint32_t item : order.columns) {
        const double scale = static_cast<double>(item_scales[item]) / middle;
        item_scales_.push_back(static_cast<float>(scale));
        item_squares_.push_back(square_of(scale));
        over_item_scales_.push_back(static_cast<float>(1 / scale));
    }
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
            for (const std::uint32_t group : by_item.row_columns(place)) {
                sums[group * kPanel + history - begin] +=
                    group_squares_[group] * item_scales_[place];
            }
        }
    }
}

void GraphWalk::scores(const SparseView& histories, std::size_t begin, std::size_t end,
                       Scratch& scratch, float* out, std::size_t stride) const {
    const kernels::DenseKernels& kernels = *kernels::active_kernels().dense;
    put_into_groups(histories, begin, end, scratch);
    kernels::PanelProduct to_items = product_of(by_item_, item_squares_, scratch.groups());
    const auto ends = [&](kernels::PanelProduct& product) {
        product.out_factors = over_item_scales_.data();
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
        kernels::PanelProduct to_groups = product_of(
            by_group_, group_squares_, step == kStepsOfQ ? scratch.first() : scratch.items());
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
