// The SIMD tables: the -inl.h files, written once with Highway, compiled for AVX2 and for AVX-512.

#include "kernels/kernels.h"
#include "kernels/table_of_targets.h"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS ~(HWY_AVX2 | HWY_AVX3 | HWY_EMU128 | HWY_SCALAR)
// NOLINTNEXTLINE(readability-identifier-naming): Highway's name
#define HWY_TARGET_INCLUDE "kernels/simd_table.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

#include "kernels/simd_cholesky-inl.h"
#include "kernels/simd_products-inl.h"
#include "kernels/simd_rows-inl.h"
#include "kernels/simd_tiles-inl.h"
#include "kernels/simd_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {

constexpr KernelTable kTable = {
    .name = kLanes == 16 ? "avx512" : "avx2",
    .dot = dot,
    .squared_distance = squared_distance,
    .sum_of_squares = sum_of_squares,
    .axpy = axpy,
    .scale = scale,
    .dot_many = dot_many,
    .squared_norms = squared_norms,
    .multiply_transposed = multiply_transposed,
    .select_above = select_above,
    .select_products = select_products,
    .rank_update = rank_update,
    .cholesky_factor = cholesky_factor,
    .cholesky_solve = cholesky_solve,
    .rotate = rotate,
    .pcg_row = pcg_row,
    .pcg_rows = pcg_rows,
    .cg_row = cg_row,
    .normal_row = normal_row,
};

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace segue::kernels {

const KernelTable* avx2_table() {
#if HWY_TARGETS & HWY_AVX2
    return (hwy::SupportedTargets() & HWY_AVX2) != 0 ? &N_AVX2::kTable : nullptr;
#else
    return nullptr;
#endif
}

const KernelTable* avx512_table() {
#if HWY_TARGETS & HWY_AVX3
    return (hwy::SupportedTargets() & HWY_AVX3) != 0 ? &N_AVX3::kTable : nullptr;
#else
    return nullptr;
#endif
}

}  // namespace segue::kernels
#endif
