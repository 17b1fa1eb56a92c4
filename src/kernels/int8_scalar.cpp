#include <cmath>

#include "kernels/int8_kernels.h"

namespace segue::kernels {
namespace {

std::size_t select_rows(const RowScan& scan, RowHit* out) {
    std::size_t count = 0;
    for (std::size_t row = 0; row < scan.num_rows; ++row) {
        const std::uint8_t* bytes = scan.rows + row * scan.row_bytes;
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < scan.row_bytes; ++i) {
            sum += scan.query[i] * (bytes[i] - 128);
        }
        const float value = std::fma(scan.scales[row], static_cast<float>(sum), scan.biases[row]);
        if (!(value < scan.threshold)) {
            out[count++] = {static_cast<std::uint32_t>(row), sum};
        }
    }
    return count;
}

/// packed [dim x kQueryBlock] bytes.
void pack_queries(const std::int8_t* queries, std::size_t num_queries, std::size_t dim,
                  std::uint8_t* packed) {
    for (std::size_t i = 0; i < dim; ++i) {
        for (std::size_t query = 0; query < kQueryBlock; ++query) {
            packed[i * kQueryBlock + query] =
                query < num_queries ? static_cast<std::uint8_t>(queries[query * dim + i]) : 0;
        }
    }
}

/// The right side of the comparison in BlockScan.
float least_product(const BlockScan& scan, std::size_t query, std::size_t row) {
    const BlockLimits& limits = scan.limits[row / kLimitRows];
    const float error = std::fma(scan.length_factors[query], limits.length,
                                 scan.error_factors[query] * limits.error);
    const float offset = scan.offsets != nullptr ? scan.offsets[row] : 0;
    const float factor = scan.factors != nullptr ? scan.factors[row] : 1;
    return std::fma(scan.thresholds[query], factor,
                    std::fma(scan.offset_factors[query], offset, -error));
}

std::size_t select_block(const BlockScan& scan, BlockHit* out) {
    std::size_t count = 0;
    for (std::size_t row = 0; row < scan.num_rows; ++row) {
        const std::uint8_t* bytes = scan.rows + row * scan.row_bytes;
        std::int32_t sums[kQueryBlock] = {};
        for (std::size_t i = 0; i < scan.dim; ++i) {
            for (std::size_t query = 0; query < kQueryBlock; ++query) {
                const auto element =
                    static_cast<std::int8_t>(scan.packed_queries[i * kQueryBlock + query]);
                sums[query] += element * (bytes[i] - 128);
            }
        }
        for (std::size_t query = 0; query < kQueryBlock; ++query) {
            const float product = scan.scales[row] * static_cast<float>(sums[query]);
            if (!(product < least_product(scan, query, row))) {
                out[count++] = {static_cast<std::uint32_t>(query), static_cast<std::uint32_t>(row),
                                sums[query]};
            }
        }
    }
    return count;
}

}  // namespace

const Int8Kernels& scalar_int8() {
    static constexpr Int8Kernels kKernels = {
        .select_rows = select_rows,
        .pack_queries = pack_queries,
        .select_block = select_block,
    };
    return kKernels;
}

}  // namespace segue::kernels
