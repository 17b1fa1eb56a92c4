#include "index/check_tables.h"

#include <fmt/core.h>

#include <cmath>
#include <string_view>
#include <vector>

namespace segue {
namespace {

constexpr std::size_t kMaxDim = 4096;
constexpr std::size_t kMaxItems = 0xFFFFFFFE;
constexpr std::uint32_t kNoPosition = 0xFFFFFFFF;

Status check_size(std::string_view name, std::size_t found, std::size_t expected) {
    if (found == expected) {
        return {};
    }
    return corrupt(fmt::format("index: {} has {} elements; expected {}", name, found, expected));
}

Status check_finite(std::string_view name, std::span<const float> values, float least) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i]) || values[i] < least) {
            return corrupt(fmt::format("index: {} has {} as element {}", name, values[i], i));
        }
    }
    return {};
}

/// [0, ..., total] ascending, one more than there are leaves.
Status check_offsets(std::string_view name, std::span<const std::uint64_t> offsets,
                     std::uint64_t total) {
    if (offsets.front() != 0 || offsets.back() != total) {
        return corrupt(fmt::format("index: {} goes from {} to {}; expected from 0 to {}", name,
                                   offsets.front(), offsets.back(), total));
    }
    for (std::size_t i = 1; i < offsets.size(); ++i) {
        if (offsets[i] < offsets[i - 1]) {
            return corrupt(fmt::format("index: {} falls from {} to {} at element {}", name,
                                       offsets[i - 1], offsets[i], i));
        }
    }
    return {};
}

Status check_numbers(const IndexTables& tables, const MatrixView& items) {
    if (tables.measure != Measure::kDot && tables.measure != Measure::kCosine &&
        tables.measure != Measure::kSquaredL2) {
        return corrupt("index: unknown measure");
    }
    if (tables.dim == 0 || tables.dim > kMaxDim) {
        return corrupt(fmt::format("index: dimension {}; expected 1 to {}", tables.dim, kMaxDim));
    }
    if (tables.num_items > kMaxItems) {
        return corrupt(
            fmt::format("index: {} items; at most {} are possible", tables.num_items, kMaxItems));
    }
    if (items.num_rows != tables.num_items || items.dim != tables.dim || items.stride < items.dim) {
        return corrupt(fmt::format("index: made for {} x {} vectors; there are {} x {}",
                                   tables.num_items, tables.dim, items.num_rows, items.dim));
    }
    if (!std::isfinite(tables.built_exponent)) {
        return corrupt("index: the popularity exponent it was built for is not finite");
    }
    if (!std::isfinite(tables.norm_low) || !(tables.norm_low > 0) ||
        !std::isfinite(tables.norm_ratio) || !(tables.norm_ratio >= 1)) {
        return corrupt(
            fmt::format("index: norm levels from {} by factors of {}; expected a "
                        "positive number and one not below 1",
                        tables.norm_low, tables.norm_ratio));
    }
    return {};
}

Status check_permutation(std::span<const std::uint32_t> item_rows) {
    std::vector<bool> seen(item_rows.size());
    for (std::size_t position = 0; position < item_rows.size(); ++position) {
        const std::uint32_t row = item_rows[position];
        if (row >= item_rows.size() || seen[row]) {
            return corrupt(
                fmt::format("index: position {} has item row {}, {}", position, row,
                            row < item_rows.size() ? "which another has" : "which does not exist"));
        }
        seen[row] = true;
    }
    return {};
}

Status check_leaves(const IndexTables& tables) {
    if (tables.num_leaves() == 0) {
        return corrupt("index: no leaf; expected one at least");
    }
    Status status = check_offsets("leaf_offsets", tables.leaf_offsets, tables.num_items);
    if (!status.ok()) {
        return status;
    }
    const MatrixView& centres = tables.leaf_centres;
    if (centres.num_rows != tables.num_leaves() || centres.dim != tables.dim ||
        centres.stride < centres.dim) {
        return corrupt(fmt::format("index: leaf_centres is {} x {}; expected {} x {}",
                                   centres.num_rows, centres.dim, tables.num_leaves(), tables.dim));
    }
    for (std::size_t leaf = 0; status.ok() && leaf < centres.num_rows; ++leaf) {
        status = check_finite("leaf_centres", centres.row(leaf),
                              -std::numeric_limits<float>::infinity());
    }
    return status;
}

Status check_rows(const IndexTables& tables) {
    const std::size_t num_items = tables.num_items;
    const std::size_t num_blocks = (num_items + kBlockPositions - 1) / kBlockPositions;
    for (const Status& status :
         {check_size("item_rows", tables.item_rows.size(), num_items),
          check_size("rows", tables.rows.size(), num_items * int8_row_bytes(tables.dim)),
          check_size("row_scales", tables.row_scales.size(), num_items),
          check_size("block_errors", tables.block_errors.size(), num_blocks),
          check_size("norms", tables.norms.size(), num_items),
          check_size("norm_levels", tables.norm_levels.size(), num_items),
          check_finite("row_scales", tables.row_scales, 0)}) {
        if (!status.ok()) {
            return status;
        }
    }
    for (std::size_t block = 0; block < num_blocks; ++block) {
        if (!(tables.block_errors[block] >= 0)) {
            return corrupt(fmt::format("index: block_errors has {} as element {}",
                                       tables.block_errors[block], block));
        }
    }
    return check_permutation(tables.item_rows);
}

/// Entries behind the last one of a leaf, and no others, have no position.
Status check_code_positions(const IndexTables& tables) {
    for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
        bool ended = false;
        const std::size_t end = tables.code_offsets[leaf + 1] * kBlockPositions;
        for (std::size_t entry = tables.code_offsets[leaf] * kBlockPositions; entry < end;
             ++entry) {
            const std::uint32_t position = tables.code_positions[entry];
            if (position != kNoPosition && (ended || position >= tables.num_items)) {
                return corrupt(
                    fmt::format("index: code_positions has {} as element {}", position, entry));
            }
            ended = position == kNoPosition;
        }
    }
    return {};
}

Status check_codes(const IndexTables& tables) {
    if (!tables.has_codes()) {
        return tables.codes.empty() && tables.code_positions.empty() && tables.codebook.empty()
                   ? Status()
                   : corrupt("index: codes without code_offsets");
    }
    const std::size_t block_bytes = code_block_bytes(tables.dim);
    const std::size_t num_blocks = tables.codes.size() / block_bytes;
    Status status =
        check_size("code_offsets", tables.code_offsets.size(), tables.leaf_offsets.size());
    if (status.ok()) {
        status = check_size("codes", tables.codes.size(), num_blocks * block_bytes);
    }
    if (status.ok()) {
        status = check_offsets("code_offsets", tables.code_offsets, num_blocks);
    }
    if (status.ok()) {
        status = check_size("codebook", tables.codebook.size(),
                            num_subspaces(tables.dim) * kDimensionsPerBlock * kCodewords);
    }
    if (status.ok()) {
        status = check_finite("codebook", tables.codebook, -std::numeric_limits<float>::infinity());
    }
    if (!status.ok()) {
        return status;
    }
    if (!tables.code_positions.empty()) {
        status = check_size("code_positions", tables.code_positions.size(),
                            num_blocks * kBlockPositions);
        return status.ok() ? check_code_positions(tables) : status;
    }
    for (std::size_t leaf = 0; leaf < tables.num_leaves(); ++leaf) {
        const std::size_t size = tables.leaf_offsets[leaf + 1] - tables.leaf_offsets[leaf];
        const std::size_t blocks = tables.code_offsets[leaf + 1] - tables.code_offsets[leaf];
        if (blocks != (size + kBlockPositions - 1) / kBlockPositions) {
            return corrupt(fmt::format("index: leaf {} has {} items and {} blocks of codes", leaf,
                                       size, blocks));
        }
    }
    return {};
}

}  // namespace

Status check_tables(const IndexTables& tables, const MatrixView& items) {
    Status status = check_numbers(tables, items);
    if (status.ok()) {
        status = check_leaves(tables);
    }
    if (status.ok()) {
        status = check_rows(tables);
    }
    return status.ok() ? check_codes(tables) : status;
}

}  // namespace segue
