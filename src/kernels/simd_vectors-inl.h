// Vectors of floats, tails and sums; the ground of the other -inl.h files. Compiled once for each
// target.

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

#if defined(SEGUE_KERNELS_SIMD_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGUE_KERNELS_SIMD_VECTORS_INL_H_
#undef SEGUE_KERNELS_SIMD_VECTORS_INL_H_
#else
#define SEGUE_KERNELS_SIMD_VECTORS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
using Quad = hn::CappedTag<float, 4>;
using QuadVector = hn::Vec<Quad>;

inline constexpr std::size_t kLanes = HWY_LANES(float);
inline constexpr std::size_t kCacheLineFloats = 16;

HWY_INLINE Vector load(const float* from) {
    return hn::LoadU(Floats(), from);
}
HWY_INLINE void store(Vector vector, float* to) {
    hn::StoreU(vector, Floats(), to);
}
HWY_INLINE Vector broadcast(float value) {
    return hn::Set(Floats(), value);
}
HWY_INLINE Vector zero() {
    return hn::Zero(Floats());
}

/// Asks for a cache line into the second level of cache: it has more misses in flight than the
/// first.
HWY_INLINE void prefetch_far(const float* line) {
    __builtin_prefetch(line, 0, 2);
}

/// The first `count` < kLanes floats; zeros behind them, whose memory is not touched.
HWY_INLINE Vector load_first(const float* from, std::size_t count) {
    return hn::MaskedLoad(hn::FirstN(Floats(), count), Floats(), from);
}
HWY_INLINE void store_first(Vector vector, std::size_t count, float* to) {
    hn::BlendedStore(vector, hn::FirstN(Floats(), count), Floats(), to);
}

HWY_INLINE QuadVector sum_of_blocks(QuadVector vector) {
    return vector;
}
template <typename Wide>
HWY_INLINE QuadVector sum_of_blocks(Wide vector) {
    const hn::Half<hn::DFromV<Wide>> half;
    return sum_of_blocks(hn::Add(hn::LowerHalf(half, vector), hn::UpperHalf(half, vector)));
}

/// Lane i is the sum of the lanes of the i-th argument, added in an order that is the same for
/// each.
HWY_INLINE QuadVector sums_of(Vector a, Vector b, Vector c, Vector d) {
    const Floats floats;
    const hn::RepartitionToWide<Floats> doubles;
    const Vector ab = hn::Add(hn::InterleaveLower(floats, a, b), hn::InterleaveUpper(floats, a, b));
    const Vector cd = hn::Add(hn::InterleaveLower(floats, c, d), hn::InterleaveUpper(floats, c, d));
    const auto ab_pairs = hn::BitCast(doubles, ab);
    const auto cd_pairs = hn::BitCast(doubles, cd);
    const Vector even = hn::BitCast(floats, hn::InterleaveLower(doubles, ab_pairs, cd_pairs));
    const Vector odd = hn::BitCast(floats, hn::InterleaveUpper(doubles, ab_pairs, cd_pairs));
    return sum_of_blocks(hn::Add(even, odd));
}

HWY_INLINE float sum_of(Vector vector) {
    return hn::GetLane(hn::SumOfLanes(Floats(), vector));
}

/// out[i] += alpha * x[i] for padded sizes.
HWY_INLINE void axpy_padded(float alpha, const float* x, float* out, std::size_t size) {
    const Vector factor = broadcast(alpha);
    for (std::size_t i = 0; i < size; i += kLanes) {
        store(hn::MulAdd(factor, load(x + i), load(out + i)), out + i);
    }
}

template <bool kSquareOfDifference>
HWY_INLINE Vector accumulate_pair(Vector left, Vector right, Vector sum) {
    if constexpr (kSquareOfDifference) {
        const Vector difference = hn::Sub(left, right);
        return hn::MulAdd(difference, difference, sum);
    } else {
        return hn::MulAdd(left, right, sum);
    }
}

template <bool kSquareOfDifference>
HWY_INLINE float reduce_pair(const float* left, const float* right, std::size_t n) {
    Vector sums[4] = {zero(), zero(), zero(), zero()};
    std::size_t i = 0;
    for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
        for (std::size_t part = 0; part < 4; ++part) {
            const std::size_t at = i + part * kLanes;
            sums[part] =
                accumulate_pair<kSquareOfDifference>(load(left + at), load(right + at), sums[part]);
        }
    }
    for (; i + kLanes <= n; i += kLanes) {
        sums[0] = accumulate_pair<kSquareOfDifference>(load(left + i), load(right + i), sums[0]);
    }
    if (i < n) {
        sums[1] = accumulate_pair<kSquareOfDifference>(load_first(left + i, n - i),
                                                       load_first(right + i, n - i), sums[1]);
    }
    return sum_of(hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3])));
}

inline float dot(const float* left, const float* right, std::size_t n) {
    return reduce_pair<false>(left, right, n);
}

inline float squared_distance(const float* left, const float* right, std::size_t n) {
    return reduce_pair<true>(left, right, n);
}

inline double sum_of_squares(const float* x, std::size_t n) {
    constexpr std::size_t kSums = 8;
    using Doubles = hn::CappedTag<double, kSums>;
    constexpr Doubles kDoubles;
    constexpr hn::Rebind<float, Doubles> kFloats;
    constexpr std::size_t kWidth = hn::MaxLanes(kDoubles);
    hn::Vec<Doubles> sums[kSums / kWidth];
    for (auto& sum : sums) {
        sum = hn::Zero(kDoubles);
    }
    std::size_t i = 0;
    for (; i + kSums <= n; i += kSums) {
        for (std::size_t part = 0; part < kSums / kWidth; ++part) {
            const auto values = hn::PromoteTo(kDoubles, hn::LoadU(kFloats, x + i + part * kWidth));
            sums[part] = hn::MulAdd(values, values, sums[part]);
        }
    }
    for (std::size_t part = 0; i < n; i += kWidth, ++part) {
        const auto rest = hn::MaskedLoad(hn::FirstN(kFloats, n - i), kFloats, x + i);
        const auto values = hn::PromoteTo(kDoubles, rest);
        sums[part] = hn::MulAdd(values, values, sums[part]);
    }
    double each[kSums];
    for (std::size_t part = 0; part < kSums / kWidth; ++part) {
        hn::StoreU(sums[part], kDoubles, each + part * kWidth);
    }
    return ((each[0] + each[1]) + (each[2] + each[3])) +
           ((each[4] + each[5]) + (each[6] + each[7]));
}

inline void axpy(float alpha, const float* x, float* y, std::size_t n) {
    const std::size_t whole = n / kLanes * kLanes;
    axpy_padded(alpha, x, y, whole);
    if (whole < n) {
        const std::size_t rest = n - whole;
        store_first(
            hn::MulAdd(broadcast(alpha), load_first(x + whole, rest), load_first(y + whole, rest)),
            rest, y + whole);
    }
}

inline void scale(float alpha, float* x, std::size_t n) {
    const Vector factor = broadcast(alpha);
    const std::size_t whole = n / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
        store(hn::Mul(factor, load(x + i)), x + i);
    }
    if (whole < n) {
        const std::size_t rest = n - whole;
        store_first(hn::Mul(factor, load_first(x + whole, rest)), rest, x + whole);
    }
}

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
