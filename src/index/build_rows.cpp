#include "index/build_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace segue {
namespace {

constexpr std::size_t kBlocksPerChunk = 32;
constexpr std::size_t kChunksPerReport = 256;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::uint8_t kZeroByte = 128;

/// Writes the int8 form of x [dim] to `out` [int8_row_bytes(dim)] and its scale. Returns the length
/// of what rounding took away, that of x itself included, rounded up.
float quantise_row(std::span<const float> x, std::uint8_t* out, float& scale) {
    float largest = 0;
    for (const float value : x) {
        largest = std::max(largest, std::abs(value));
    }
    scale = largest / 127;
    const float inverse = scale > 0 ? 127 / largest : 0;
    if (!std::isfinite(inverse)) {
        scale = 0;  // too small to be told from zero
    }
    std::memset(out, kZeroByte, int8_row_bytes(x.size()));
    double squared = 0;
    double squared_error = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float level =
            scale > 0 ? std::clamp(std::nearbyint(x[i] * inverse), -127.0F, 127.0F) : 0.0F;
        out[i] = static_cast<std::uint8_t>(static_cast<int>(level) + int{kZeroByte});
        const double error =
            static_cast<double>(x[i]) - static_cast<double>(scale) * static_cast<double>(level);
        squared += static_cast<double>(x[i]) * static_cast<double>(x[i]);
        squared_error += error * error;
    }
    // x itself was rounded to floats: by 2^-24 of each element for each of two operations.
    const double length = std::sqrt(squared_error) + 0x1.0p-23 * std::sqrt(squared);
    return std::nextafter(static_cast<float>(length * (1 + 1e-9)), kInfinity);
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
        float worst = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t position = begin + i;
            const std::uint32_t row = parts.item_rows[position];
            const float error =
                quantise_row({x + i * stride, items.dim()},
                             parts.rows.data() + position * row_bytes, parts.row_scales[position]);
            worst = std::max(worst, items.is_finite(row) ? error : kInfinity);
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
