// Products of queries with many rows, and what is selected from them. Compiled once for each
// target.

#include "kernels/kernels.h"
#include "kernels/simd_vectors-inl.h"

#if defined(SEGUE_KERNELS_SIMD_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGUE_KERNELS_SIMD_PRODUCTS_INL_H_
#undef SEGUE_KERNELS_SIMD_PRODUCTS_INL_H_
#else
#define SEGUE_KERNELS_SIMD_PRODUCTS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {

/// Rows that share the loads of a query, and queries that share the loads of rows (as registers
/// allow).
inline constexpr std::size_t kRowTile = 4;
inline constexpr std::size_t kQueryTile = kLanes == 16 ? 4 : 2;

/// out[q][r] = query q . row r, for kQueries queries and kRowTile rows.
template <std::size_t kQueries>
HWY_INLINE void multiply_tile(const float* const* queries, const float* const* rows,
                              std::size_t dim, float (*out)[kRowTile]) {
    Vector sums[kQueries][kRowTile];
    for (std::size_t q = 0; q < kQueries; ++q) {
        for (std::size_t r = 0; r < kRowTile; ++r) {
            sums[q][r] = zero();
        }
    }
    std::size_t i = 0;
    for (; i + kLanes <= dim; i += kLanes) {
        const Vector row[kRowTile] = {load(rows[0] + i), load(rows[1] + i), load(rows[2] + i),
                                      load(rows[3] + i)};
        for (std::size_t q = 0; q < kQueries; ++q) {
            const Vector query = load(queries[q] + i);
            for (std::size_t r = 0; r < kRowTile; ++r) {
                sums[q][r] = hn::MulAdd(query, row[r], sums[q][r]);
            }
        }
    }
    if (i < dim) {
        for (std::size_t r = 0; r < kRowTile; ++r) {
            const Vector row = load_first(rows[r] + i, dim - i);
            for (std::size_t q = 0; q < kQueries; ++q) {
                sums[q][r] = hn::MulAdd(load_first(queries[q] + i, dim - i), row, sums[q][r]);
            }
        }
    }
    for (std::size_t q = 0; q < kQueries; ++q) {
        hn::StoreU(sums_of(sums[q][0], sums[q][1], sums[q][2], sums[q][3]), Quad(), out[q]);
    }
}

/// products[q * product_stride + r] for kQueries queries and all rows.
template <std::size_t kQueries>
void multiply_queries(const ProductArguments& a, std::size_t first_query) {
    const float* queries[kQueries];
    for (std::size_t q = 0; q < kQueries; ++q) {
        queries[q] = a.queries + (first_query + q) * a.query_stride;
    }
    for (std::size_t first = 0; first < a.num_rows; first += kRowTile) {
        const std::size_t count = a.num_rows - first < kRowTile ? a.num_rows - first : kRowTile;
        const float* rows[kRowTile];
        for (std::size_t r = 0; r < kRowTile; ++r) {
            rows[r] = a.rows + (first + (r < count ? r : count - 1)) * a.stride;
        }
        float out[kQueries][kRowTile];
        multiply_tile<kQueries>(queries, rows, a.dim, out);
        for (std::size_t q = 0; q < kQueries; ++q) {
            float* to = a.products + (first_query + q) * a.product_stride + first;
            for (std::size_t r = 0; r < count; ++r) {
                to[r] = out[q][r];
            }
        }
    }
}

inline void multiply_transposed(const ProductArguments& a) {
    std::size_t query = 0;
    for (; query + kQueryTile <= a.num_queries; query += kQueryTile) {
        multiply_queries<kQueryTile>(a, query);
    }
    for (; query < a.num_queries; ++query) {
        multiply_queries<1>(a, query);
    }
}

/// query . row, lane by lane: what multiply_tile sums up for one row.
HWY_INLINE Vector multiply_row(const float* query, const float* row, std::size_t dim) {
    Vector sum = zero();
    std::size_t i = 0;
    for (; i + kLanes <= dim; i += kLanes) {
        sum = hn::MulAdd(load(query + i), load(row + i), sum);
    }
    if (i < dim) {
        sum = hn::MulAdd(load_first(query + i, dim - i), load_first(row + i, dim - i), sum);
    }
    return sum;
}

/// Reads the rows one after the other, unlike multiply_tile: a scan is bound by memory, and lines
/// in order come at 28 GB/s where lines of four rows in turn come at 12 (Zen 4). Asking for rows
/// ahead only takes misses in flight from the hardware's own prefetcher: 20 GB/s at any distance.
inline void dot_many(const float* query, const float* rows, std::size_t stride,
                     std::size_t num_rows, std::size_t dim, float* out) {
    const std::size_t whole = num_rows / kRowTile * kRowTile;
    for (std::size_t first = 0; first < whole; first += kRowTile) {
        const float* base = rows + first * stride;
        const Vector a = multiply_row(query, base, dim);
        const Vector b = multiply_row(query, base + stride, dim);
        const Vector c = multiply_row(query, base + 2 * stride, dim);
        const Vector d = multiply_row(query, base + 3 * stride, dim);
        hn::StoreU(sums_of(a, b, c, d), Quad(), out + first);
    }
    for (std::size_t row = whole; row < num_rows; ++row) {
        const Vector sum = multiply_row(query, rows + row * stride, dim);
        out[row] = hn::GetLane(sums_of(sum, sum, sum, sum));
    }
}

inline void squared_norms(const float* rows, std::size_t stride, std::size_t num_rows,
                          std::size_t dim, float* out) {
    for (std::size_t row = 0; row < num_rows; ++row) {
        out[row] = dot(rows + row * stride, rows + row * stride, dim);
    }
}

inline std::size_t select_above(const float* scores, std::size_t n, float threshold,
                                std::uint32_t* out) {
    const hn::RebindToUnsigned<Floats> indices;
    const Vector limit = broadcast(threshold);
    std::size_t count = 0;
    std::size_t i = 0;
    const auto select = [&](std::size_t at) HWY_ATTR {
        const auto above = hn::Gt(load(scores + at), limit);
        const auto index = hn::Iota(indices, static_cast<std::uint32_t>(at));
        hn::StoreU(hn::Compress(index, hn::RebindMask(indices, above)), indices, out + count);
        count += hn::CountTrue(Floats(), above);
    };
    for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
        const auto left =
            hn::Or(hn::Gt(load(scores + i), limit), hn::Gt(load(scores + i + kLanes), limit));
        const auto right = hn::Or(hn::Gt(load(scores + i + 2 * kLanes), limit),
                                  hn::Gt(load(scores + i + 3 * kLanes), limit));
        if (!hn::AllFalse(Floats(), hn::Or(left, right))) {
            for (std::size_t part = 0; part < 4; ++part) {
                select(i + part * kLanes);
            }
        }
    }
    for (; i < n; ++i) {
        out[count] = static_cast<std::uint32_t>(i);
        count += scores[i] > threshold ? 1 : 0;
    }
    return count;
}

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
