#pragma once

#include <cstdint>
#include <optional>

#include "data/matrix.h"
#include "data/sparse.h"

namespace segue::bench {

/// What another library took and reached on the same objective.
struct PeerFit {
    double wall_seconds = 0;
    double cpu_seconds = 0;
    Matrix row_factors;
    Matrix column_factors;
};

/// implicit 0.7.3 from PyPI in a process of its own; nothing where it is not installed
/// (SEGUE_BENCH_PYTHONPATH). `alpha` is implicit's: the whole confidence of an observed pair
/// against 1.
std::optional<PeerFit> fit_with_implicit(const SparseView& table, std::size_t dim, double alpha,
                                         double l2_reg, std::uint32_t iterations,
                                         unsigned num_threads);

}  // namespace segue::bench
