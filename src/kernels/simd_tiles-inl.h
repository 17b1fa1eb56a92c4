// One register tile, sum over k of a[r][k] * b[k][v], and the dense kernels made of it: selection
// from blocks of queries, rank updates, rotation. Compiled once for each target.

#include "kernels/kernels.h"
#include "kernels/simd_vectors-inl.h"

#if defined(SEGUE_KERNELS_SIMD_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGUE_KERNELS_SIMD_TILES_INL_H_
#undef SEGUE_KERNELS_SIMD_TILES_INL_H_
#else
#define SEGUE_KERNELS_SIMD_TILES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {

/// A tile of kRows x kVectors sums wants kRows * kVectors + kVectors + 1 registers; AVX-512 has 32,
/// AVX2 16.
inline constexpr std::size_t kWideRows = 6;
inline constexpr std::size_t kWideVectors = kLanes == 16 ? 4 : 2;

/// sums[r][v] +-= sum over k < depth of a[r][k * a_step] * b[k * b_stride + v * kLanes ..].
template <bool kSubtract, std::size_t kRows, std::size_t kVectors>
HWY_INLINE void accumulate_tile(const float* const* a, std::size_t a_step, const float* b,
                                std::size_t b_stride, std::size_t depth,
                                Vector (&sums)[kRows][kVectors]) {
    for (std::size_t k = 0; k < depth; ++k) {
        Vector right[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            right[v] = load(b + k * b_stride + v * kLanes);
        }
        for (std::size_t r = 0; r < kRows; ++r) {
            const Vector left = broadcast(a[r][k * a_step]);
            for (std::size_t v = 0; v < kVectors; ++v) {
                sums[r][v] = kSubtract ? hn::NegMulAdd(left, right[v], sums[r][v])
                                       : hn::MulAdd(left, right[v], sums[r][v]);
            }
        }
    }
}

/// Pointers to kRows rows from `first`; the last row stands in for those behind the end.
template <std::size_t kRows>
HWY_INLINE void point_at_rows(const float* rows, std::size_t stride, std::size_t first,
                              std::size_t num_rows, const float** out) {
    for (std::size_t r = 0; r < kRows; ++r) {
        const std::size_t row = first + r < num_rows ? first + r : num_rows - 1;
        out[r] = rows + row * stride;
    }
}

/// Appends the hits of one row among the queries of one tile; returns the new count.
template <std::size_t kVectors>
HWY_INLINE std::size_t append_hits(const Vector (&scores)[kVectors], const float* thresholds,
                                   std::uint32_t first_query, std::uint32_t row, Hit* out,
                                   std::size_t count) {
    auto any = hn::Gt(scores[0], load(thresholds));
    for (std::size_t v = 1; v < kVectors; ++v) {
        any = hn::Or(any, hn::Gt(scores[v], load(thresholds + v * kLanes)));
    }
    if (HWY_LIKELY(hn::AllFalse(Floats(), any))) {
        return count;
    }
    float stored[kVectors * kLanes];
    for (std::size_t v = 0; v < kVectors; ++v) {
        store(scores[v], stored + v * kLanes);
    }
    for (std::uint32_t query = 0; query < kVectors * kLanes; ++query) {
        out[count] = {first_query + query, row, stored[query]};
        count += stored[query] > thresholds[query] ? 1 : 0;
    }
    return count;
}

inline std::size_t select_products(const SelectArguments& a, Hit* out) {
    constexpr std::size_t kTileQueries = kWideVectors * kLanes;
    std::size_t count = 0;
    for (std::size_t first = 0; first < a.num_rows; first += kWideRows) {
        const float* rows[kWideRows];
        point_at_rows<kWideRows>(a.rows, a.stride, first, a.num_rows, rows);
        const std::size_t num_rows =
            a.num_rows - first < kWideRows ? a.num_rows - first : kWideRows;
        for (std::size_t query = 0; query < kQueryBlock; query += kTileQueries) {
            Vector sums[kWideRows][kWideVectors];
            for (std::size_t r = 0; r < kWideRows; ++r) {
                for (std::size_t v = 0; v < kWideVectors; ++v) {
                    sums[r][v] = zero();
                }
            }
            accumulate_tile<false>(rows, 1, a.packed_queries + query, kQueryBlock, a.dim, sums);
            for (std::size_t r = 0; r < kWideRows; ++r) {
                if (r >= num_rows) {
                    break;
                }
                const Vector factor = broadcast(a.scale != nullptr ? a.scale[first + r] : 1);
                const Vector offset = broadcast(a.bias != nullptr ? a.bias[first + r] : 0);
                for (std::size_t v = 0; v < kWideVectors; ++v) {
                    sums[r][v] = hn::MulAdd(factor, sums[r][v], offset);
                }
                count =
                    append_hits(sums[r], a.thresholds + query, static_cast<std::uint32_t>(query),
                                a.first_row + static_cast<std::uint32_t>(first + r), out, count);
            }
        }
    }
    return count;
}

/// out[r][v] +-= rows^T rows for the tile of rows [i, i + kRows) and vectors from column j.
template <bool kSubtract, std::size_t kRows, std::size_t kVectors>
HWY_INLINE void update_tile(const float* rows, std::size_t stride, std::size_t num_rows,
                            std::size_t i, std::size_t j, float* out, std::size_t out_stride) {
    const float* left[kRows];
    Vector sums[kRows][kVectors];
    for (std::size_t r = 0; r < kRows; ++r) {
        left[r] = rows + i + r;
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[r][v] = load(out + (i + r) * out_stride + j + v * kLanes);
        }
    }
    accumulate_tile<kSubtract>(left, stride, rows + j, stride, num_rows, sums);
    for (std::size_t r = 0; r < kRows; ++r) {
        for (std::size_t v = 0; v < kVectors; ++v) {
            store(sums[r][v], out + (i + r) * out_stride + j + v * kLanes);
        }
    }
}

/// out +-= rows^T rows, at least where column >= row.
template <bool kSubtract>
void update_symmetric(const float* rows, std::size_t stride, std::size_t num_rows, std::size_t dim,
                      float* out, std::size_t out_stride) {
    constexpr std::size_t kRows = kLanes == 16 ? 8 : 4;
    for (std::size_t i = 0; i < dim; i += kRows) {
        std::size_t j = i / kLanes * kLanes;
        for (; j + 2 * kLanes <= dim; j += 2 * kLanes) {
            update_tile<kSubtract, kRows, 2>(rows, stride, num_rows, i, j, out, out_stride);
        }
        if (j < dim) {
            update_tile<kSubtract, kRows, 1>(rows, stride, num_rows, i, j, out, out_stride);
        }
    }
}

inline void rank_update(const float* rows, std::size_t stride, std::size_t num_rows,
                        std::size_t dim, float* gram) {
    constexpr std::size_t kRowsInCache = 128;
    for (std::size_t first = 0; first < num_rows; first += kRowsInCache) {
        const std::size_t count = num_rows - first < kRowsInCache ? num_rows - first : kRowsInCache;
        update_symmetric<false>(rows + first * stride, stride, count, dim, gram, dim);
    }
}

/// Columns [column, column + kVectors * kLanes) of up to kWideRows rows times the rotation.
template <std::size_t kVectors>
HWY_INLINE void rotate_tile(const float* const* from, std::size_t dim, const float* rotation,
                            std::size_t column, float* to, std::size_t stride,
                            std::size_t num_rows) {
    Vector sums[kWideRows][kVectors];
    for (std::size_t r = 0; r < kWideRows; ++r) {
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[r][v] = zero();
        }
    }
    accumulate_tile<false>(from, 1, rotation + column, dim, dim, sums);
    for (std::size_t r = 0; r < kWideRows; ++r) {
        if (r >= num_rows) {
            break;
        }
        for (std::size_t v = 0; v < kVectors; ++v) {
            store(sums[r][v], to + r * stride + column + v * kLanes);
        }
    }
}

inline void rotate(float* rows, std::size_t stride, std::size_t num_rows, std::size_t dim,
                   const float* rotation, float* scratch) {
    constexpr std::size_t kBlock = 24;  // rows in scratch; rotate_scratch_floats says so too
    for (std::size_t block = 0; block < num_rows; block += kBlock) {
        const std::size_t block_rows = num_rows - block < kBlock ? num_rows - block : kBlock;
        for (std::size_t r = 0; r < block_rows; ++r) {
            for (std::size_t i = 0; i < dim; i += kLanes) {
                store(load(rows + (block + r) * stride + i), scratch + r * dim + i);
            }
        }
        for (std::size_t column = 0; column < dim;) {
            const std::size_t vectors = (dim - column) / kLanes;
            for (std::size_t first = 0; first < block_rows; first += kWideRows) {
                const float* from[kWideRows];
                point_at_rows<kWideRows>(scratch, dim, first, block_rows, from);
                float* to = rows + (block + first) * stride;
                const std::size_t count = block_rows - first;
                if (vectors >= kWideVectors) {
                    rotate_tile<kWideVectors>(from, dim, rotation, column, to, stride, count);
                } else if (vectors >= 2) {
                    rotate_tile<2>(from, dim, rotation, column, to, stride, count);
                } else {
                    rotate_tile<1>(from, dim, rotation, column, to, stride, count);
                }
            }
            column += (vectors >= kWideVectors ? kWideVectors : vectors >= 2 ? 2 : 1) * kLanes;
        }
    }
}

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
