#pragma once

// Products of large dense matrices, and of sparse with dense ones: what closed-form recipes are
// made of. Two levels may differ by rounding; what is computed for one element never depends on how
// many there are beside it.

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

namespace segue::kernels {

/// Elements that lie side by side in a packed strip: for the rows of a product, and its columns.
inline constexpr std::size_t kLeftStrip = 8;
inline constexpr std::size_t kRightStrip = 32;

/// out[i][j] -= sum over k < depth of left[k][i] * right[k][j]. Element (k, i) of the left side is
/// at left[i / kLeftStrip * left_step + k * kLeftStrip + i % kLeftStrip], the right side likewise.
struct StripProduct {
    const float* left = nullptr;
    std::size_t left_step = 0;  // floats from one strip to the next
    std::size_t num_left = 0;   // strips
    const float* right = nullptr;
    std::size_t right_step = 0;
    std::size_t num_right = 0;
    std::size_t depth = 0;
    float* out = nullptr;  // [num_left * kLeftStrip x num_right * kRightStrip]
    std::size_t out_stride = 0;
};

/// out[d] = sum over k of weights[k] * table[columns[k]][d], in the order of k.
struct RowSum {
    const float* table = nullptr;  // rows `stride` floats apart
    std::size_t stride = 0;
    std::size_t dim = 0;                     // a multiple of kLanePadding
    const std::uint32_t* columns = nullptr;  // [num_entries] row numbers of the table
    const float* weights = nullptr;          // [num_entries]
    std::size_t num_entries = 0;
    float* out = nullptr;  // [dim]
};

/// Columns of a panel: so few that tables of some ten thousand rows stay in the second level of
/// cache while rows are gathered from them.
inline constexpr std::size_t kPanel = 16;

/// A matrix of zeros and ones times a table [.. x kPanel], its rows weighted: out[rows[r]] =
/// out_factors[r] * (base[r] + factor * factors[r] * the sum of table[columns[k]] over the entries
/// k of row r, offsets[r] <= k < offsets[r + 1]).
struct PanelProduct {
    const std::uint64_t* offsets = nullptr;  // [num_rows + 1]
    const std::uint32_t* columns = nullptr;
    std::size_t num_rows = 0;
    const float* table = nullptr;
    float factor = 1;
    const float* factors = nullptr;       // [num_rows]
    const float* base = nullptr;          // [num_rows x kPanel], or null for 0
    const float* out_factors = nullptr;   // [num_rows], or null for 1
    const std::uint32_t* rows = nullptr;  // [num_rows] rows of `out`, or null for 0, 1, 2, ...
    float* out = nullptr;                 // rows out_stride floats apart
    std::size_t out_stride = kPanel;
};

struct DenseKernels {
    void (*subtract_products)(const StripProduct& product);
    void (*sum_rows)(const RowSum& sum);
    /// Requires: table, base, out and its stride are multiples of kPanel floats.
    void (*multiply_panel)(const PanelProduct& product);
    /// The hits of a block of scores [num_rows x kQueryBlock], one column a query, above
    /// thresholds [kQueryBlock], ascending by row; NaN is above nothing. `first_row` is added to
    /// the rows of hits. Returns how many there are; `out` has room for kQueryBlock * num_rows.
    std::size_t (*select_scores)(const float* scores, std::size_t num_rows, std::uint32_t first_row,
                                 const float* thresholds, Hit* out);
};

const DenseKernels& scalar_dense();
/// Null where this build or this machine does not have the instructions.
const DenseKernels* avx2_dense();
const DenseKernels* avx512_dense();

}  // namespace segue::kernels
