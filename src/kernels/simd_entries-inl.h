// Passes over the entries of a row problem: products with the rows of the table, added up. Compiled
// once for each target.

#include "kernels/kernels.h"
#include "kernels/simd_vectors-inl.h"

#if defined(SEGUE_KERNELS_SIMD_ENTRIES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGUE_KERNELS_SIMD_ENTRIES_INL_H_
#undef SEGUE_KERNELS_SIMD_ENTRIES_INL_H_
#else
#define SEGUE_KERNELS_SIMD_ENTRIES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {

/// Entries handled together: their sums over lanes cost little more than one.
inline constexpr std::size_t kEntryTile = 4;

/// Entries ahead whose rows are asked for. They are asked into the second level of cache: it has
/// more misses in flight than the first, and a gather of 256-byte rows from memory takes 17 ns a
/// row instead of 27 (Zen 4). Many short problems are asked for whole before their first pass.
inline constexpr std::size_t kPrefetchEntries = 64;

HWY_INLINE const float* table_row(const RowProblem& problem, std::size_t entry) {
    return problem.table + problem.columns[entry] * problem.stride;
}

HWY_INLINE void prefetch_row(const RowProblem& problem, std::size_t entry) {
    if (entry < problem.num_entries) {
        const float* row = table_row(problem, entry);
        for (std::size_t i = 0; i < problem.dim; i += kCacheLineFloats) {
            prefetch_far(row + i);
        }
    }
}

enum class Pass {
    kProduct,  // f_k = c_k (h_k . x)
    kResidual  // f_k = b_k - c_k (h_k . x)
};

/// Entries [begin, end) of a problem; begin is a multiple of kEntryTile, and so is end unless it is
/// the last.
struct EntryRange {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool prefetch = false;
};

/// What a pass reads and adds up, [dim] each.
struct PassVectors {
    const float* x = nullptr;
    float* out = nullptr;          // += sum_k f_k h_k
    const float* zeros = nullptr;  // stands in for rows behind the end of a tile
};

/// Adds up kEntryTile entries: rows, c_k and b_k. Compiled for a number of vectors in a row (x and
/// out stay in registers then) or, with 0, for any.
template <Pass kPass, std::size_t kVectors>
HWY_INLINE void add_tile(const float* const* rows, QuadVector weights, QuadVector right_sides,
                         std::size_t dim, const Vector* x, Vector* out, const PassVectors& pass) {
    const std::size_t size = kVectors != 0 ? kVectors : dim / kLanes;
    Vector dots[kEntryTile] = {zero(), zero(), zero(), zero()};
    for (std::size_t v = 0; v < size; ++v) {
        const Vector at = kVectors != 0 ? x[v] : load(pass.x + v * kLanes);
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            dots[e] = hn::MulAdd(load(rows[e] + v * kLanes), at, dots[e]);
        }
    }
    const QuadVector products = hn::Mul(weights, sums_of(dots[0], dots[1], dots[2], dots[3]));
    float factors[kEntryTile];
    hn::StoreU(kPass == Pass::kProduct ? products : hn::Sub(right_sides, products), Quad(),
               factors);
    const Vector factor[kEntryTile] = {broadcast(factors[0]), broadcast(factors[1]),
                                       broadcast(factors[2]), broadcast(factors[3])};
    for (std::size_t v = 0; v < size; ++v) {
        Vector sum = kVectors != 0 ? out[v] : load(pass.out + v * kLanes);
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            sum = hn::MulAdd(factor[e], load(rows[e] + v * kLanes), sum);
        }
        if constexpr (kVectors != 0) {
            out[v] = sum;
        } else {
            store(sum, pass.out + v * kLanes);
        }
    }
}

/// The entries behind the last whole tile.
template <Pass kPass, std::size_t kVectors>
HWY_INLINE void add_last_tile(const RowProblem& problem, std::size_t first, const Vector* x,
                              Vector* out, const PassVectors& pass) {
    const float* rows[kEntryTile] = {pass.zeros, pass.zeros, pass.zeros, pass.zeros};
    float weights[kEntryTile] = {};
    float right_sides[kEntryTile] = {};
    for (std::size_t e = 0; first + e < problem.num_entries; ++e) {
        rows[e] = table_row(problem, first + e);
        weights[e] = problem.weights != nullptr ? problem.weights[first + e] : 1;
        right_sides[e] =
            problem.right_sides != nullptr ? problem.right_sides[first + e] : weights[e];
    }
    add_tile<kPass, kVectors>(rows, hn::LoadU(Quad(), weights), hn::LoadU(Quad(), right_sides),
                              problem.dim, x, out, pass);
}

template <Pass kPass, std::size_t kVectors>
void pass_over_entries(const RowProblem& problem, const EntryRange& range,
                       const PassVectors& pass) {
    const Quad quad;
    Vector x[kVectors + 1];
    Vector out[kVectors + 1];
    for (std::size_t v = 0; v < kVectors; ++v) {
        x[v] = load(pass.x + v * kLanes);
        out[v] = load(pass.out + v * kLanes);
    }
    for (std::size_t e = 0; range.prefetch && e < kPrefetchEntries; ++e) {
        prefetch_row(problem, range.begin + e);
    }
    std::size_t first = range.begin;
    for (; first + kEntryTile <= range.end; first += kEntryTile) {
        const float* rows[kEntryTile];
        for (std::size_t e = 0; e < kEntryTile; ++e) {
            rows[e] = table_row(problem, first + e);
            if (range.prefetch) {
                prefetch_row(problem, first + e + kPrefetchEntries);
            }
        }
        const QuadVector weights = problem.weights != nullptr
                                       ? hn::LoadU(quad, problem.weights + first)
                                       : hn::Set(quad, 1);
        const QuadVector right_sides =
            problem.right_sides != nullptr ? hn::LoadU(quad, problem.right_sides + first) : weights;
        add_tile<kPass, kVectors>(rows, weights, right_sides, problem.dim, x, out, pass);
    }
    if (first < range.end) {
        add_last_tile<kPass, kVectors>(problem, first, x, out, pass);
    }
    for (std::size_t v = 0; v < kVectors; ++v) {
        store(out[v], pass.out + v * kLanes);
    }
}

/// The pass compiled for the dim where registers hold x and out, else the one for any dim.
template <Pass kPass>
HWY_INLINE void pass_over(const RowProblem& problem, const EntryRange& range,
                          const PassVectors& pass) {
    if (kLanes == 16 && problem.dim == 64) {
        pass_over_entries<kPass, 4>(problem, range, pass);
    } else if (kLanes == 16 && problem.dim == 128) {
        pass_over_entries<kPass, 8>(problem, range, pass);
    } else {
        pass_over_entries<kPass, 0>(problem, range, pass);
    }
}

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
