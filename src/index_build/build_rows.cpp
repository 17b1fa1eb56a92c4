#include "index_build/build_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/partition_kernels.h"

namespace segue {
namespace {

constexpr std::size_t kBlocksPerChunk = 32;
constexpr std::size_t kChunksPerReport = 256;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Not less than the length of what rounding a row to bytes took away, that of x to floats
/// included. `error` is what the kernel says.
float error_bound(float error, float scale, std::size_t dim) {
    const auto root = std::sqrt(static_cast<double>(dim));
    const double largest = 127 * static_cast<double>(scale);
    const double bound = static_cast<double>(error) * (1 + static_cast<double>(dim) * 0x1.0p-23) +
                         largest * root * (0x1.0p-22 + 0x1.0p-23);
    return std::nextafter(static_cast<float>(bound), kInfinity);
}

/// The steps of norm_levels: norm_low * norm_ratio^L.
class NormScale {
public:
    NormScale(std::span<const float> norms, float& norm_low, float& norm_ratio) {
        float low = kInfinity;
        float high = 0;
        for (const float norm : norms) {
            if (norm > 0 && std::isfinite(norm)) {
                low = std::min(low, norm);
                high = std::max(high, norm);
            }
        }
        if (high > 0) {
            constexpr float kMargin = 1e-5F;
            norm_low = std::max(low * (1 - kMargin), std::numeric_limits<float>::denorm_min());
            const double span = static_cast<double>(high) / static_cast<double>(norm_low);
            // One step less than there are levels, for the rounding of the ratio.
            norm_ratio = static_cast<float>(std::pow(span * (1 + 1e-5), 1.0 / 255.0));
        }
        // A ratio that is 1 in floats would make every level the same.
        norm_ratio = std::max(norm_ratio, 1 + 1e-6F);
        low_ = static_cast<double>(norm_low);
        inverse_log_ratio_ = 1 / std::log(static_cast<double>(norm_ratio));
    }

    std::uint8_t level_of(float norm) const {
        if (!(norm > 0) || !std::isfinite(norm)) {
            return 0;
        }
        const double level =
            std::floor(std::log(static_cast<double>(norm) / low_) * inverse_log_ratio_);
        return static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0));
    }

private:
    double low_ = 1;
    double inverse_log_ratio_ = 1;
};

}  // namespace

void fill_rows(const BuildItems& items, IndexParts& parts, ThreadPool& pool,
               const ProgressListener& progress) {
    const std::size_t num_items = items.num_rows();
    const std::size_t row_bytes = int8_row_bytes(items.dim());
    const std::size_t stride = padded_dim(items.dim());
    const Chunks blocks = {num_items, kBlockPositions};
    parts.rows = AlignedBuffer<std::uint8_t>(num_items * row_bytes);
    parts.row_scales.assign(num_items, 0);
    parts.block_errors.assign(blocks.count(), 0);
    parts.norms.assign(num_items, 0);
    parts.norm_levels.assign(num_items, 0);
    const NormScale levels(items.norms(), parts.norm_low, parts.norm_ratio);

    const auto fill_block = [&](std::size_t block, float* x) {
        const std::size_t begin = blocks.begin(block);
        const std::size_t count = blocks.end(block) - begin;
        items.gather({parts.item_rows.data() + begin, count}, x, stride);
        std::array<float, kBlockPositions> errors;
        kernels::active_kernels().partition->quantize(
            {.rows = x,
             .stride = stride,
             .num_rows = count,
             .dim = items.dim(),
             .row_bytes = row_bytes},
            parts.rows.data() + begin * row_bytes, parts.row_scales.data() + begin, errors.data());
        float worst = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t position = begin + i;
            const std::uint32_t row = parts.item_rows[position];
            const float bound = error_bound(errors[i], parts.row_scales[position], items.dim());
            worst = std::max(worst, items.is_finite(row) ? bound : kInfinity);
            parts.norms[position] = items.norms()[row];
            parts.norm_levels[position] = levels.level_of(items.norms()[row]);
        }
        parts.block_errors[block] = worst;
    };
    std::vector<AlignedBuffer<float>> scratch(pool.num_threads());
    for (AlignedBuffer<float>& buffer : scratch) {
        buffer = AlignedBuffer<float>(kBlockPositions * stride);
    }
    const Chunks chunks = {blocks.count(), kBlocksPerChunk};
    const std::size_t wave_size = std::max(kChunksPerReport, chunks.count() / 100);
    for (std::size_t wave = 0; wave < chunks.count(); wave += wave_size) {
        const std::size_t wave_end = std::min(chunks.count(), wave + wave_size);
        pool.for_each(wave_end - wave, [&](std::size_t index, unsigned worker) {
            for (std::size_t block = chunks.begin(wave + index); block < chunks.end(wave + index);
                 ++block) {
                fill_block(block, scratch[worker].data());
            }
        });
        report(progress, {.stage = "rows",
                          .done = std::min(num_items, wave_end * kBlocksPerChunk * kBlockPositions),
                          .total = num_items,
                          .unit = "items",
                          .note = {}});
    }
}

}  // namespace segue
