// The dense kernels for AVX2 and AVX-512, written once with Highway.

#include "kernels/dense_kernels.h"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS ~(HWY_AVX2 | HWY_AVX3 | HWY_EMU128 | HWY_SCALAR)
// NOLINTNEXTLINE(readability-identifier-naming): Highway's name
#define HWY_TARGET_INCLUDE "kernels/dense_simd.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

#include "kernels/simd_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {

// Of AVX2's 16 registers a tile of 4 x 2 leaves room for what it is multiplied by.
inline constexpr std::size_t kProductRows = kLanes == 16 ? kLeftStrip : 4;

/// The tile of kProductRows x 2 vectors at `out`, which is asked for before it is needed.
HWY_INLINE void subtract_tile(const float* left, const float* right, std::size_t depth, float* out,
                              std::size_t out_stride) {
    const float* rows[kProductRows];
    Vector sums[kProductRows][2];
    for (std::size_t r = 0; r < kProductRows; ++r) {
        __builtin_prefetch(out + r * out_stride, 1);
        __builtin_prefetch(out + r * out_stride + 2 * kLanes - 1, 1);
        rows[r] = left + r;
        sums[r][0] = sums[r][1] = zero();
    }
    accumulate_tile<true>(rows, kLeftStrip, right, kRightStrip, depth, sums);
    for (std::size_t r = 0; r < kProductRows; ++r) {
        float* const row = out + r * out_stride;
        store(hn::Add(load(row), sums[r][0]), row);
        store(hn::Add(load(row + kLanes), sums[r][1]), row + kLanes);
    }
}

void subtract_products(const StripProduct& product) {
    for (std::size_t j = 0; j < product.num_right; ++j) {
        const float* const right = product.right + j * product.right_step;
        for (std::size_t i = 0; i < product.num_left; ++i) {
            const float* const left = product.left + i * product.left_step;
            float* const out = product.out + i * kLeftStrip * product.out_stride + j * kRightStrip;
            for (std::size_t r = 0; r < kLeftStrip; r += kProductRows) {
                for (std::size_t column = 0; column < kRightStrip; column += 2 * kLanes) {
                    subtract_tile(left + r, right + column, product.depth,
                                  out + r * product.out_stride + column, product.out_stride);
                }
            }
        }
    }
}

/// kVectors vectors from element `first` of the sum.
template <std::size_t kVectors>
HWY_INLINE void sum_part(const RowSum& sum, std::size_t first) {
    constexpr std::size_t kEntriesAhead = 8;
    Vector sums[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
        sums[v] = zero();
    }
    const float* const table = sum.table + first;
    for (std::size_t k = 0; k < sum.num_entries; ++k) {
        if (k + kEntriesAhead < sum.num_entries) {
            const float* const ahead = table + sum.columns[k + kEntriesAhead] * sum.stride;
            for (std::size_t v = 0; v < kVectors * kLanes; v += kCacheLineFloats) {
                __builtin_prefetch(ahead + v);
            }
        }
        const float* const row = table + sum.columns[k] * sum.stride;
        const Vector weight = broadcast(sum.weights[k]);
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[v] = hn::MulAdd(weight, load(row + v * kLanes), sums[v]);
        }
    }
    for (std::size_t v = 0; v < kVectors; ++v) {
        store(sums[v], sum.out + first + v * kLanes);
    }
}

void sum_rows(const RowSum& sum) {
    constexpr std::size_t kWide = 8;
    std::size_t first = 0;
    for (; first + kWide * kLanes <= sum.dim; first += kWide * kLanes) {
        sum_part<kWide>(sum, first);
    }
    for (; first + 4 * kLanes <= sum.dim; first += 4 * kLanes) {
        sum_part<4>(sum, first);
    }
    for (; first < sum.dim; first += kLanes) {
        sum_part<1>(sum, first);
    }
}

/// Entries take turns at two sums, so that an addition does not wait for the one before.
void multiply_panel(const PanelProduct& product) {
    constexpr std::size_t kVectors = kPanel / kLanes;
    constexpr std::size_t kEntriesAhead = 64;
    constexpr std::size_t kTurns = 2;
    const std::uint64_t num_entries = product.offsets[product.num_rows];
    const std::uint64_t no_more_ahead =
        num_entries > kEntriesAhead + kTurns ? num_entries - kEntriesAhead - kTurns : 0;
    std::uint64_t k = product.offsets[0];
    for (std::size_t row = 0; row < product.num_rows; ++row) {
        Vector sums[kTurns][kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[0][v] = sums[1][v] = zero();
        }
        const std::uint64_t end = product.offsets[row + 1];
        for (; k + kTurns <= end; k += kTurns) {
            if (k < no_more_ahead) {
                for (std::size_t turn = 0; turn < kTurns; ++turn) {
                    __builtin_prefetch(product.table +
                                       product.columns[k + turn + kEntriesAhead] * kPanel);
                }
            }
            for (std::size_t turn = 0; turn < kTurns; ++turn) {
                const float* const from = product.table + product.columns[k + turn] * kPanel;
                for (std::size_t v = 0; v < kVectors; ++v) {
                    sums[turn][v] = hn::Add(load(from + v * kLanes), sums[turn][v]);
                }
            }
        }
        if (k < end) {
            const float* const from = product.table + product.columns[k] * kPanel;
            for (std::size_t v = 0; v < kVectors; ++v) {
                sums[0][v] = hn::Add(load(from + v * kLanes), sums[0][v]);
            }
            ++k;
        }
        const Vector factor = broadcast(product.factor * product.factors[row]);
        const Vector out_factor =
            broadcast(product.out_factors != nullptr ? product.out_factors[row] : 1.0F);
        const std::size_t to = product.rows != nullptr ? product.rows[row] : row;
        for (std::size_t v = 0; v < kVectors; ++v) {
            const Vector base =
                product.base != nullptr ? load(product.base + row * kPanel + v * kLanes) : zero();
            const Vector sum = hn::MulAdd(factor, hn::Add(sums[0][v], sums[1][v]), base);
            store(hn::Mul(out_factor, sum), product.out + to * product.out_stride + v * kLanes);
        }
    }
}

std::size_t select_scores(const float* scores, std::size_t num_rows, std::uint32_t first_row,
                          const float* thresholds, Hit* out) {
    constexpr std::size_t kVectors = kQueryBlock / kLanes;
    std::size_t count = 0;
    for (std::size_t row = 0; row < num_rows; ++row) {
        Vector loaded[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            loaded[v] = load(scores + row * kQueryBlock + v * kLanes);
        }
        count = append_hits(loaded, thresholds, 0, first_row + static_cast<std::uint32_t>(row), out,
                            count);
    }
    return count;
}

constexpr DenseKernels kDense = {.subtract_products = subtract_products,
                                 .sum_rows = sum_rows,
                                 .multiply_panel = multiply_panel,
                                 .select_scores = select_scores};

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace segue::kernels {

const DenseKernels* avx2_dense() {
#if HWY_TARGETS & HWY_AVX2
    return (hwy::SupportedTargets() & HWY_AVX2) != 0 ? &N_AVX2::kDense : nullptr;
#else
    return nullptr;
#endif
}

const DenseKernels* avx512_dense() {
#if HWY_TARGETS & HWY_AVX3
    return (hwy::SupportedTargets() & HWY_AVX3) != 0 ? &N_AVX3::kDense : nullptr;
#else
    return nullptr;
#endif
}

}  // namespace segue::kernels
#endif
