#include "kernels/dense_kernels.h"

namespace segue::kernels {
namespace {

void subtract_products(const StripProduct& product) {
    for (std::size_t i = 0; i < product.num_left * kLeftStrip; ++i) {
        const float* const left =
            product.left + i / kLeftStrip * product.left_step + i % kLeftStrip;
        for (std::size_t j = 0; j < product.num_right * kRightStrip; ++j) {
            const float* const right =
                product.right + j / kRightStrip * product.right_step + j % kRightStrip;
            float sum = 0;
            for (std::size_t k = 0; k < product.depth; ++k) {
                sum -= left[k * kLeftStrip] * right[k * kRightStrip];
            }
            product.out[i * product.out_stride + j] += sum;
        }
    }
}

void sum_rows(const RowSum& sum) {
    for (std::size_t d = 0; d < sum.dim; ++d) {
        sum.out[d] = 0;
    }
    for (std::size_t k = 0; k < sum.num_entries; ++k) {
        const float* const row = sum.table + sum.columns[k] * sum.stride;
        for (std::size_t d = 0; d < sum.dim; ++d) {
            sum.out[d] += sum.weights[k] * row[d];
        }
    }
}

void multiply_panel(const PanelProduct& product) {
    for (std::size_t row = 0; row < product.num_rows; ++row) {
        const std::size_t to = product.rows != nullptr ? product.rows[row] : row;
        for (std::size_t d = 0; d < kPanel; ++d) {
            float sum = 0;
            for (std::uint64_t k = product.offsets[row]; k < product.offsets[row + 1]; ++k) {
                sum += product.table[product.columns[k] * kPanel + d];
            }
            const float base = product.base != nullptr ? product.base[row * kPanel + d] : 0;
            const float out_factor = product.out_factors != nullptr ? product.out_factors[row] : 1;
            product.out[to * product.out_stride + d] =
                out_factor * (base + product.factor * product.factors[row] * sum);
        }
    }
}

std::size_t select_scores(const float* scores, std::size_t num_rows, std::uint32_t first_row,
                          const float* thresholds, Hit* out) {
    std::size_t count = 0;
    for (std::size_t row = 0; row < num_rows; ++row) {
        for (std::uint32_t query = 0; query < kQueryBlock; ++query) {
            const float score = scores[row * kQueryBlock + query];
            if (score > thresholds[query]) {
                out[count] = {query, first_row + static_cast<std::uint32_t>(row), score};
                ++count;
            }
        }
    }
    return count;
}

constexpr DenseKernels kScalar = {.subtract_products = subtract_products,
                                  .sum_rows = sum_rows,
                                  .multiply_panel = multiply_panel,
                                  .select_scores = select_scores};

}  // namespace

const DenseKernels& scalar_dense() {
    return kScalar;
}

}  // namespace segue::kernels
