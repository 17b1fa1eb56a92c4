// Products of bytes by pairs of 16-bit multiplications, written once with Highway, compiled for
// AVX2 and for AVX-512.

#include "kernels/int8_kernels.h"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS ~(HWY_AVX2 | HWY_AVX3 | HWY_EMU128 | HWY_SCALAR)
// NOLINTNEXTLINE(readability-identifier-naming): Highway's name
#define HWY_TARGET_INCLUDE "kernels/int8_simd.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using Floats = hn::ScalableTag<float>;
using Ints = hn::ScalableTag<std::int32_t>;
using IntVector = hn::Vec<Ints>;
using FloatVector = hn::Vec<Floats>;

constexpr std::size_t kLanes = HWY_LANES(float);

/// sums += pairs of products, in an order that does not matter.
template <typename Shorts>
HWY_INLINE hn::Vec<hn::RepartitionToWide<Shorts>> add_pairs(
    Shorts /*shorts*/, hn::Vec<Shorts> left, hn::Vec<Shorts> right,
    hn::Vec<hn::RepartitionToWide<Shorts>> sums) {
    const hn::RepartitionToWide<Shorts> ints;
    auto unused = hn::Zero(ints);
    return hn::ReorderWidenMulAccumulate(ints, left, right, sums, unused);
}

/// Bytes as signed 16-bit numbers, 128 less.
template <typename Shorts>
HWY_INLINE hn::Vec<Shorts> load_row(Shorts shorts, const std::uint8_t* from) {
    const hn::Rebind<std::uint8_t, Shorts> bytes;
    return hn::Sub(hn::PromoteTo(shorts, hn::LoadU(bytes, from)), hn::Set(shorts, 128));
}

/// kCap: 16-bit lanes to use at most; a row of 16 bytes is no longer.
template <std::size_t kCap>
HWY_INLINE std::int32_t sum_of_row(const std::int16_t* query, const std::uint8_t* row,
                                   std::size_t row_bytes) {
    const hn::CappedTag<std::int16_t, kCap> shorts;
    const hn::RepartitionToWide<decltype(shorts)> ints;
    auto even = hn::Zero(ints);
    auto odd = hn::Zero(ints);
    const std::size_t step = hn::Lanes(shorts);
    std::size_t i = 0;
    for (; i + 2 * step <= row_bytes; i += 2 * step) {
        even = add_pairs(shorts, load_row(shorts, row + i), hn::LoadU(shorts, query + i), even);
        odd = add_pairs(shorts, load_row(shorts, row + i + step),
                        hn::LoadU(shorts, query + i + step), odd);
    }
    if (i < row_bytes) {
        even = add_pairs(shorts, load_row(shorts, row + i), hn::LoadU(shorts, query + i), even);
    }
    return hn::GetLane(hn::SumOfLanes(ints, hn::Add(even, odd)));
}

template <std::size_t kCap>
std::size_t select_rows_of(const RowScan& scan, RowHit* out) {
    const Floats floats;
    std::size_t count = 0;
    for (std::size_t first = 0; first < scan.num_rows; first += kLanes) {
        const std::size_t size = scan.num_rows - first < kLanes ? scan.num_rows - first : kLanes;
        HWY_ALIGN std::int32_t sums[kLanes] = {};
        for (std::size_t r = 0; r < size; ++r) {
            sums[r] = sum_of_row<kCap>(scan.query, scan.rows + (first + r) * scan.row_bytes,
                                       scan.row_bytes);
        }
        const auto in_scan = hn::FirstN(floats, size);
        const FloatVector values = hn::MulAdd(hn::MaskedLoad(in_scan, floats, scan.scales + first),
                                              hn::ConvertTo(floats, hn::Load(Ints(), sums)),
                                              hn::MaskedLoad(in_scan, floats, scan.biases + first));
        const auto below = hn::Lt(values, hn::Set(floats, scan.threshold));
        if (HWY_UNLIKELY(!hn::AllTrue(floats, hn::Or(below, hn::Not(in_scan))))) {
            std::uint8_t bits[8] = {};
            hn::StoreMaskBits(floats, below, bits);
            for (std::size_t r = 0; r < size; ++r) {
                out[count] = {static_cast<std::uint32_t>(first + r), sums[r]};
                count += (bits[r / 8] >> (r % 8) & 1) == 0 ? 1 : 0;
            }
        }
    }
    return count;
}

std::size_t select_rows(const RowScan& scan, RowHit* out) {
    return scan.row_bytes == 16 ? select_rows_of<16>(scan, out) : select_rows_of<32>(scan, out);
}

/// packed [dim / 2, rounded up][kQueryBlock][2] of 16 bits
void pack_queries(const std::int8_t* queries, std::size_t num_queries, std::size_t dim,
                  std::uint8_t* packed) {
    auto* shorts = reinterpret_cast<std::int16_t*>(packed);
    for (std::size_t i = 0; i < (dim + 1) / 2 * 2; ++i) {
        for (std::size_t query = 0; query < kQueryBlock; ++query) {
            shorts[(i / 2 * kQueryBlock + query) * 2 + i % 2] =
                i < dim && query < num_queries ? queries[query * dim + i] : std::int16_t{0};
        }
    }
}

constexpr std::size_t kTileRows = 4;
constexpr std::size_t kTileVectors = kLanes == 16 ? 4 : 2;
constexpr std::size_t kTileQueries = kTileVectors * kLanes;
/// Elements of a row that are brought into pairs at a time.
constexpr std::size_t kChunk = 512;

/// Two neighbouring elements of 16 bits in one lane each.
HWY_INLINE std::int32_t pair_at(const std::uint8_t* row, std::size_t i, std::size_t dim) {
    const std::uint32_t even = static_cast<std::uint16_t>(row[i] - 128);
    const std::uint32_t odd = i + 1 < dim ? static_cast<std::uint16_t>(row[i + 1] - 128) : 0;
    return static_cast<std::int32_t>(even | odd << 16);
}

/// pairs [size / 2, rounded up][kTileRows] of the elements [begin, begin + size) of each row.
HWY_INLINE void fill_pairs(const std::uint8_t* const* rows, std::size_t begin, std::size_t size,
                           std::size_t dim, std::int32_t* pairs) {
    for (std::size_t i = 0; i < size; i += 2) {
        for (std::size_t r = 0; r < kTileRows; ++r) {
            pairs[i / 2 * kTileRows + r] = pair_at(rows[r], begin + i, dim);
        }
    }
}

/// sums [kTileRows x kQueryBlock] of the products of rows and packed queries.
void multiply_rows(const BlockScan& scan, const std::uint8_t* const* rows, std::int32_t* sums) {
    const Ints ints;
    const hn::Repartition<std::int16_t, Ints> shorts;
    const auto* packed = reinterpret_cast<const std::int32_t*>(scan.packed_queries);
    HWY_ALIGN std::int32_t pairs[kChunk / 2 * kTileRows];
    for (std::size_t begin = 0; begin < scan.dim; begin += kChunk) {
        const std::size_t size = scan.dim - begin < kChunk ? scan.dim - begin : kChunk;
        fill_pairs(rows, begin, size, scan.dim, pairs);
        for (std::size_t query = 0; query < kQueryBlock; query += kTileQueries) {
            IntVector tile[kTileRows][kTileVectors];
            for (std::size_t r = 0; r < kTileRows; ++r) {
                for (std::size_t v = 0; v < kTileVectors; ++v) {
                    tile[r][v] = begin == 0
                                     ? hn::Zero(ints)
                                     : hn::LoadU(ints, sums + r * kQueryBlock + query + v * kLanes);
                }
            }
            for (std::size_t pair = 0; pair < (size + 1) / 2; ++pair) {
                const std::int32_t* from = packed + (begin / 2 + pair) * kQueryBlock + query;
                for (std::size_t r = 0; r < kTileRows; ++r) {
                    const auto row =
                        hn::BitCast(shorts, hn::Set(ints, pairs[pair * kTileRows + r]));
                    for (std::size_t v = 0; v < kTileVectors; ++v) {
                        const auto queries =
                            hn::BitCast(shorts, hn::LoadU(ints, from + v * kLanes));
                        tile[r][v] = add_pairs(shorts, row, queries, tile[r][v]);
                    }
                }
            }
            for (std::size_t r = 0; r < kTileRows; ++r) {
                for (std::size_t v = 0; v < kTileVectors; ++v) {
                    hn::StoreU(tile[r][v], ints, sums + r * kQueryBlock + query + v * kLanes);
                }
            }
        }
    }
}

/// Appends the hits of one row; returns the new count.
std::size_t append_hits(const BlockScan& scan, const float* errors, const std::int32_t* sums,
                        std::size_t row, BlockHit* out, std::size_t count) {
    const Floats floats;
    const FloatVector scale = hn::Set(floats, scan.scales[row]);
    const FloatVector factor = hn::Set(floats, scan.factors != nullptr ? scan.factors[row] : 1);
    const FloatVector offset = hn::Set(floats, scan.offsets != nullptr ? scan.offsets[row] : 0);
    for (std::size_t q = 0; q < kQueryBlock; q += kLanes) {
        const FloatVector products =
            hn::Mul(scale, hn::ConvertTo(floats, hn::LoadU(Ints(), sums + q)));
        const FloatVector rest = hn::MulSub(hn::LoadU(floats, scan.offset_factors + q), offset,
                                            hn::LoadU(floats, errors + q));
        const FloatVector least = hn::MulAdd(hn::LoadU(floats, scan.thresholds + q), factor, rest);
        const auto below = hn::Lt(products, least);
        if (HWY_LIKELY(hn::AllTrue(floats, below))) {
            continue;
        }
        std::uint8_t bits[8] = {};
        hn::StoreMaskBits(floats, below, bits);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            out[count] = {static_cast<std::uint32_t>(q + lane), static_cast<std::uint32_t>(row),
                          sums[q + lane]};
            count += (bits[lane / 8] >> (lane % 8) & 1) == 0 ? 1 : 0;
        }
    }
    return count;
}

void fill_errors(const BlockScan& scan, const BlockLimits& limits, float* errors) {
    const Floats floats;
    for (std::size_t q = 0; q < kQueryBlock; q += kLanes) {
        const FloatVector error =
            hn::Mul(hn::LoadU(floats, scan.error_factors + q), hn::Set(floats, limits.error));
        hn::StoreU(hn::MulAdd(hn::LoadU(floats, scan.length_factors + q),
                              hn::Set(floats, limits.length), error),
                   floats, errors + q);
    }
}

std::size_t select_block(const BlockScan& scan, BlockHit* out) {
    HWY_ALIGN float errors[kQueryBlock];
    HWY_ALIGN std::int32_t sums[kTileRows * kQueryBlock];
    std::size_t count = 0;
    for (std::size_t first = 0; first < scan.num_rows; first += kTileRows) {
        if (first % kLimitRows == 0) {
            fill_errors(scan, scan.limits[first / kLimitRows], errors);
        }
        const std::uint8_t* rows[kTileRows];
        for (std::size_t r = 0; r < kTileRows; ++r) {
            const std::size_t row = first + r < scan.num_rows ? first + r : scan.num_rows - 1;
            rows[r] = scan.rows + row * scan.row_bytes;
        }
        multiply_rows(scan, rows, sums);
        for (std::size_t r = 0; r < kTileRows && first + r < scan.num_rows; ++r) {
            count = append_hits(scan, errors, sums + r * kQueryBlock, first + r, out, count);
        }
    }
    return count;
}

}  // namespace

constexpr Int8Kernels kInt8 = {
    .select_rows = select_rows,
    .pack_queries = pack_queries,
    .select_block = select_block,
};

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace segue::kernels {

const Int8Kernels* avx2_int8() {
#if HWY_TARGETS & HWY_AVX2
    return (hwy::SupportedTargets() & HWY_AVX2) != 0 ? &N_AVX2::kInt8 : nullptr;
#else
    return nullptr;
#endif
}

const Int8Kernels* avx512_int8() {
#if HWY_TARGETS & HWY_AVX3
    return (hwy::SupportedTargets() & HWY_AVX3) != 0 ? &N_AVX3::kInt8 : nullptr;
#else
    return nullptr;
#endif
}

}  // namespace segue::kernels
#endif
